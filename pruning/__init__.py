"""Pruning of networks: model-agnostic, on plain torch modules."""
