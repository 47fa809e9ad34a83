"""The device that networks are trained on."""

from __future__ import annotations

import re

import torch


def device_name(device: str) -> str:
    """Returns the name of a device, for a GPU its model name; ValueError if there is no such device."""
    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", device):
        raise ValueError(f"device must be cpu, cuda, or one GPU, for example cuda:1; got {device!r}")
    if device == "cpu":
        return device
    found = torch.cuda.device_count()
    if int(device.partition(":")[2] or 0) >= found:
        raise ValueError(f"device {device!r} not found: torch finds {found or 'no'} GPU; use cpu")
    return torch.cuda.get_device_name(device)
