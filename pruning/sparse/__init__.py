"""Sparse training: masks that change while a network trains, and what sparse networks would cost.

>>> from pruning.sparse import make_topology, training_flops
>>> rigl = make_topology("rigl", every=10)
>>> rigl.every, rigl.replaces_step
(10, True)
>>> training_flops("static", dense=100, sparse=20)  # per step and input: forward and backward pass
60

Modules: `topologies` exchanges the weights, `training` applies the exchange to a training run, and `cost`
counts multiply-adds and FLOPs.
"""

from pruning.sparse.cost import COUNTED, density_at_macs, stored_bytes, training_flops, weight_macs
from pruning.sparse.topologies import TOPOLOGIES, Topology, make_topology
from pruning.sparse.training import SparseTraining

__all__ = [
    "COUNTED",
    "TOPOLOGIES",
    "SparseTraining",
    "Topology",
    "density_at_macs",
    "make_topology",
    "stored_bytes",
    "training_flops",
    "weight_macs",
]
