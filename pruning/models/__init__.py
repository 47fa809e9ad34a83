"""pruning/models."""

from pruning.models.registry import MODELS, check_model, make_model, unmasked

__all__ = [
    "MODELS",
    "check_model",
    "make_model",
    "unmasked",
]
