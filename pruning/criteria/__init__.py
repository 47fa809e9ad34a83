"""pruning/criteria."""

from pruning.criteria.discrepancy import discrepancy_curves, line_search_weights
from pruning.criteria.evidence import Batch, Evidence, Network, Scores, batches_of
from pruning.criteria.greedy import Layer, endless, fold, scales
from pruning.criteria.imitation import global_path, local_discrepancy
from pruning.criteria.scores import (
    CRITERIA,
    Criterion,
    apoz,
    apoz_code,
    dropnet,
    dropnet_code,
    gradient,
    gradient_magnitude,
    l1,
    l2,
    magnitude,
    maximum,
    mean_of_maps,
    oracle,
    random,
    taylor,
)

__all__ = [
    "CRITERIA",
    "Batch",
    "Criterion",
    "Evidence",
    "Layer",
    "Network",
    "Scores",
    "apoz",
    "apoz_code",
    "batches_of",
    "discrepancy_curves",
    "dropnet",
    "dropnet_code",
    "endless",
    "fold",
    "global_path",
    "gradient",
    "gradient_magnitude",
    "l1",
    "l2",
    "line_search_weights",
    "local_discrepancy",
    "magnitude",
    "maximum",
    "mean_of_maps",
    "oracle",
    "random",
    "scales",
    "taylor",
]
