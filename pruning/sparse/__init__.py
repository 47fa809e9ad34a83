"""pruning/sparse."""

from pruning.sparse.cost import COUNTED, density_at_macs, training_flops, weight_macs
from pruning.sparse.topologies import TOPOLOGIES, Topology, make_topology
from pruning.sparse.training import SparseTraining

__all__ = [
    "COUNTED",
    "TOPOLOGIES",
    "SparseTraining",
    "Topology",
    "density_at_macs",
    "make_topology",
    "training_flops",
    "weight_macs",
]
