"""One clip of a corpus: sound, motion, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kinevox.motion import Motion
from kinevox.speech import Speech

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Record:
    """A clip. Splits share neither speakers nor styles."""

    id: str
    """Unique in its corpus; letters, digits, `-` and `_`."""
    split: str
    """One of `SPLITS`."""
    speaker: str
    """Whose voice it is."""
    style: str
    """Whose motion it is: a person, or a performer such as `p0123`."""
    speech: Speech
    motion: Motion
    factors: Mapping[str, float] = field(default_factory=dict)
    """Style factors, where they are known exactly."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Language, licence, source, augmentation, ..."""
