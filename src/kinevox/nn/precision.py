"""Products in bfloat16, where the processor has instructions for them."""

from __future__ import annotations

import logging
import platform
from functools import cache

import torch

_log = logging.getLogger(__name__)


def products_in_bf16(device: str, wanted: bool) -> torch.autocast:
    """A context in which products are computed in bfloat16 if that is wanted and worth it.

    On an x86 processor without AVX-512 they are emulated and take fifty times as long as in
    float32, which is then used, with a warning.
    """
    return torch.autocast(device, torch.bfloat16, enabled=wanted and _has_bf16(device))


@cache
def _has_bf16(device: str) -> bool:
    if device != "cpu" or platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    if torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        return True
    _log.warning(
        "This processor has no AVX-512, so bfloat16 would be emulated and many times slower than "
        "float32; float32 it is."
    )
    return False
