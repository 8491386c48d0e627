"""Voice in, motion out: speech to the motion of a face.

Names are loaded on first use, so importing the package stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "Motion": "kinevox.motion",
    "MotionLayout": "kinevox.motion",
    "Speech": "kinevox.speech",
    "KinevoxError": "kinevox.errors",
    "animate": "kinevox.api",
    "convert": "kinevox.api",
    "read_motion": "kinevox.export",
    "render": "kinevox.api",
}

if TYPE_CHECKING:
    from kinevox.api import animate, convert, render
    from kinevox.errors import KinevoxError
    from kinevox.export import read_motion
    from kinevox.motion import Motion, MotionLayout
    from kinevox.speech import Speech

__all__ = [
    "KinevoxError",
    "Motion",
    "MotionLayout",
    "Speech",
    "__version__",
    "animate",
    "convert",
    "read_motion",
    "render",
]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'kinevox' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
