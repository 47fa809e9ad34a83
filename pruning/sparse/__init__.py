"""pruning/sparse."""

from pruning.sparse.cost import density_at_macs, training_flops, weight_macs
from pruning.sparse.topologies import TOPOLOGIES, Topology, make_topology
from pruning.sparse.training import SparseTraining

__all__ = [
    "TOPOLOGIES",
    "SparseTraining",
    "Topology",
    "density_at_macs",
    "make_topology",
    "training_flops",
    "weight_macs",
]
