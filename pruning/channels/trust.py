"""What the toolbox may rely on: modules that compute what their class computes, and networks it can copy.

A subclass with its own `forward`, a forward hook, or a `forward` replaced on the instance can do anything
with the channels of a layer. Such a module is one opaque call: its channels are fixed, with the reason.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks

DECLARED = "channels_as_base"
"""Class attribute by which a subclass declares that it treats channels as its base class does, whatever its
own `forward` does besides, for example padding."""
_COMPUTING = ("forward", "_conv_forward", "__call__", "_call_impl", "_wrapped_call_impl", "__getattr__")
"""The members that decide what a module computes; a subclass that leaves them alone is as its base class."""


def departure(module: nn.Module, kind: type[nn.Module]) -> str:
    """Returns how a module may compute something else than `kind`, one of its base classes, or "".

    Torch's own subclasses (lazy, quantizable or parametrised ones) leave the members that compute alone.
    Other classes are trusted if they declare it, see `DECLARED`; their subclasses do not inherit this.
    """
    found = type(module)
    if vars(found).get(DECLARED) is True:
        return altered(module)
    if name := next((name for name in _COMPUTING if _member(found, name) is not _member(kind, name)), ""):
        return f"which has its own {name}"
    return altered(module)


def altered(module: nn.Module) -> str:
    """Returns how a module may compute something else than its class, or "": by hooks or replaced methods."""
    if module._forward_hooks or module._forward_pre_hooks:
        return "which has forward hooks"
    name = next((name for name in _COMPUTING if name in vars(module)), "")
    return f"whose {name} was replaced" if name else ""


def require_no_global_hooks() -> None:
    """Raises ValueError if forward hooks of all modules are registered, by whichever library."""
    if module_hooks._global_forward_hooks or module_hooks._global_forward_pre_hooks:
        raise ValueError(
            "global forward hooks (torch.nn.modules.module.register_module_forward_hook or ..._pre_hook) may "
            "change what every module computes: remove them first"
        )


def require_usable(network: nn.Module) -> None:
    """Raises ValueError, which names the module, for a network that cannot be copied, traced or masked."""
    for path, module in network.named_modules():
        if why := _unusable(module):
            place = f"the module {path!r}" if path else "the network"
            raise ValueError(f"{place} ({type(module).__name__}) {why}")


def _member(kind: type[nn.Module], name: str) -> object:
    return getattr(kind, name, None)


def _unusable(module: nn.Module) -> str:
    if isinstance(module, torch.jit.ScriptModule):
        return "is scripted or traced by torch.jit: give the network that it was made from"
    if "_orig_mod" in module._modules:
        return "is compiled by torch.compile: give the network itself, and compile it afterwards"
    tensors = [each for each in (*module._parameters.values(), *module._buffers.values()) if each is not None]
    if any(nn.parameter.is_lazy(each) for each in tensors):
        return "has lazy parameters without a shape: run the network once on an example first"
    if any(each.is_meta for each in tensors):
        return "has tensors on the meta device, without values: load its weights first"
    for name, value in vars(module).items():
        made = any(f"{name}_{end}" in module._parameters for end in ("orig", "g", "v"))
        if isinstance(value, Tensor) and (made or value.grad_fn is not None):
            return (
                f"has a computed {name!r}, as torch.nn.utils.prune and the old weight_norm and spectral_norm "
                "make it: remove them (prune.remove, remove_weight_norm), or use "
                "torch.nn.utils.parametrizations"
            )
    return ""
