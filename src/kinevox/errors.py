"""Everything kinevox raises on purpose.

Each message says what arrived, what was expected and what to do next. Every class also
inherits the built-in exception it resembles, so plain `except ValueError` keeps working.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class KinevoxError(Exception):
    """Base of all errors a user can cause and mend."""


class AudioError(KinevoxError, ValueError):
    """A recording cannot be used: missing, broken, too short, not sound."""


class VideoError(KinevoxError, ValueError):
    """A video cannot be used: missing, broken, no pictures, no face in them."""


class MotionError(KinevoxError, ValueError):
    """Motion data does not fit: wrong channels, wrong shape, unreadable file."""


class AssetError(KinevoxError, OSError):
    """A head, avatar or other asset is missing or is not what it claims to be."""


class ConfigError(KinevoxError, ValueError):
    """Options contradict each other or lie outside their range."""


class RenderError(KinevoxError, RuntimeError):
    """The picture cannot be drawn on this machine."""


class MissingExtraError(KinevoxError, ImportError):
    """A feature needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str):
        super().__init__(
            f"{feature} needs the optional packages of extra '{extra}'. "
            f"Install them with: pip install 'kinevox[{extra}]'"
        )


class UnknownNameError(KinevoxError, LookupError):
    """A name is not among the known ones; the message suggests the nearest.

    Args:
        files: Which files could be given in place of a name, if any.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, files: str = ""):
        names = sorted(known)
        lowered = {candidate.lower(): candidate for candidate in names}
        near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
        hint = f" Did you mean '{lowered[near[0]]}'?" if near else ""
        if files and Path(name).suffix:
            hint = " There is no such file."
        listing = ", ".join(names) if names else "none"
        instead = f"; or give {files}" if files else ""
        super().__init__(f"Unknown {kind} '{name}'.{hint} Known: {listing}{instead}.")
