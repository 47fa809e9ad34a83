"""Pruning criteria: how much each weight or unit matters, as a score; the lowest scores are pruned.

>>> import torch
>>> from pruning.criteria import CRITERIA, Evidence
>>> from pruning.masks import Masks
>>> network = torch.nn.Linear(2, 1, bias=False)
>>> network.weight.data = torch.tensor([[0.5, -2.0]])
>>> context = Evidence(
...     network,
...     alive=Masks.ones({"weight": (1, 2)}),
...     groups=(),
...     batches=list,
...     loss=lambda network, batch: network(batch[0]).mean(),
...     before={},
...     generator=torch.Generator(),
...     sample=list,
...     example=torch.zeros(1, 2),
... )
>>> CRITERIA["magnitude"].score(context)
{'weight': tensor([[0.5000, 2.0000]])}

Modules: `evidence` is the scoring context. `scores` has the table `CRITERIA` and the scores of trained
networks, `initial` the scores of initial weights. `greedy` and `imitation` choose units one by one; they use
`gram` and `discrepancy`.
"""

from pruning.criteria.discrepancy import discrepancy_curves, line_search_weights
from pruning.criteria.evidence import Batch, Evidence, Network, Scores, as_tuple, batches_of, checked
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
    "CRITERIA", "Batch", "Criterion", "Evidence", "Layer", "Network", "Scores", "apoz", "apoz_code",
    "as_tuple", "batches_of", "checked", "discrepancy_curves", "dropnet", "dropnet_code", "endless", "fold",
    "global_path", "gradient", "gradient_magnitude", "l1", "l2", "line_search_weights",
    "local_discrepancy", "magnitude", "maximum", "mean_of_maps", "oracle", "random", "scales", "taylor",
]  # fmt: skip
