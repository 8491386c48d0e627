"""The one phone type: labels with start and end times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox.errors import MotionError

SILENCE = "SIL"
"""Label of pauses, breaths and noise."""

ARPABET: frozenset[str] = frozenset(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW "
    "V W Y Z ZH".split()
)
BILABIALS = frozenset("PBM")
"""Phones whose lips must close."""


@dataclass(frozen=True)
class Word:
    """A spoken word and its times [s]."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Phones:
    """Phones of a recording in order, without gaps: silence is a phone too.

    Raises:
        MotionError: times run backwards or counts differ.
    """

    labels: tuple[str, ...]
    """ARPAbet without stress digits, or `SIL`."""
    starts: Float[np.ndarray, " phones"]
    """[s]"""
    ends: Float[np.ndarray, " phones"]
    """[s]"""
    words: tuple[Word, ...] = ()
    origin: str = "given"
    """`given` (read from a file), `aligned` (to a transcript), `aligned by words` (word times are
    aligned, phone times inside some words are estimated), `aligned in part` (some passages would
    not align and are recognised) or `recognized`."""

    def __post_init__(self) -> None:
        if not len(self.labels) == len(self.starts) == len(self.ends):
            raise MotionError(
                f"{len(self.labels)} phone labels, {len(self.starts)} starts and "
                f"{len(self.ends)} ends; there must be one of each per phone."
            )
        late = np.flatnonzero(
            (self.ends <= self.starts) | (np.diff(self.starts, prepend=-np.inf) < 0)
        )
        if late.size:
            i = int(late[0])
            raise MotionError(
                f"Phone {i} ('{self.labels[i]}', {self.starts[i]:.3f} to {self.ends[i]:.3f} s) "
                "ends before it starts or starts before its predecessor."
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def seconds(self) -> float:
        """End of the last phone [s]."""
        return float(self.ends[-1]) if len(self) else 0.0
