"""The device that networks are trained on."""

from __future__ import annotations

import re

import torch


def device_name(device: str) -> str:
    """Returns the name of a device, of a GPU its own; ValueError where there is no such device."""
    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", device):
        raise ValueError(f"device must be cpu, cuda, or a certain GPU as cuda:1, got {device!r}")
    if device == "cpu":
        return device
    found = torch.cuda.device_count()
    if int(device.partition(":")[2] or 0) >= found:
        raise ValueError(f"device {device!r} is not there: torch finds {found or 'no'} GPU; cpu is")
    return torch.cuda.get_device_name(device)
