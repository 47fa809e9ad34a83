"""pruning/models."""

from pruning.models.registry import MODELS, Model, check_model, make_model, unmasked

__all__ = [
    "MODELS",
    "Model",
    "check_model",
    "make_model",
    "unmasked",
]
