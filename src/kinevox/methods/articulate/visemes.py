"""What each phone asks of the mouth: articulatory targets and how firmly it insists on them.

Targets are those of a clearly spoken, isolated phone. `jaw` and the lip actions are ARKit-like
weights in [0, 1]; `aperture` is the opening between the inner lips in millimeters on an adult
head. Firmness (the dominance of Cohen and Massaro 1993) says how much a phone holds its own
against its neighbours: a tongue-only consonant barely cares what the lips do, a rounded vowel
insists on its rounding.

Source of the shapes: articulatory phonetics (Ladefoged and Johnson, A Course in Phonetics) and
the rules of JALI (Edwards, Landreth, Fiume, Singh 2016, section 4.2). How far each opens follows
eleven talkers of the GRID corpus; see docs/results/reality.md.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from kinevox.phones import SILENCE


@dataclass(frozen=True)
class Pose:
    """One value per articulator."""

    jaw: float = 0.0
    """Lowering of the jaw, as ARKit's jawOpen."""
    aperture: float = 0.0
    """Opening between the inner lips [mm]."""
    rounding: float = 0.0
    """Lips drawn together to a small round opening, as for "oo"."""
    protrusion: float = 0.0
    """Lips pushed forward and flared, as for "sh"."""
    spread: float = 0.0
    """Mouth corners drawn apart, as for "ee"."""
    labiodental: float = 0.0
    """Lower lip raised to the upper teeth, as for "f"."""
    tongue: float = 0.0
    """Tongue tip at or between the teeth, as for "th"."""


ARTICULATORS: tuple[str, ...] = tuple(field.name for field in fields(Pose))


@dataclass(frozen=True)
class Viseme:
    """A target pose and the firmness (dominance) with which each articulator holds it."""

    target: Pose
    firmness: Pose

    def arrays(
        self,
    ) -> tuple[Float[np.ndarray, " articulators"], Float[np.ndarray, " articulators"]]:
        """Targets and firmness as vectors in the order of `ARTICULATORS`."""
        return (
            np.array([getattr(self.target, name) for name in ARTICULATORS]),
            np.array([getattr(self.firmness, name) for name in ARTICULATORS]),
        )


def _vowel(jaw: float, aperture: float, rounding: float = 0.0, spread: float = 0.0) -> Viseme:
    return Viseme(
        Pose(jaw=jaw, aperture=aperture, rounding=rounding, spread=spread),
        Pose(1.0, 1.0, 1.0 if rounding else 0.6, 0.4, 0.6, 1.0, 0.5),
    )


def _tongue_consonant(jaw: float, aperture: float, tongue: float = 0.0) -> Viseme:
    """Made behind the lips, which mostly follow the neighbours; the jaw must not be low."""
    return Viseme(
        Pose(jaw=jaw, aperture=aperture, tongue=tongue),
        Pose(0.6, 0.35, 0.1, 0.1, 0.1, 1.0, 0.5),
    )


def _sibilant(jaw: float, aperture: float, protrusion: float, spread: float) -> Viseme:
    """Teeth nearly together, lips apart so that the air gets out."""
    return Viseme(
        Pose(jaw=jaw, aperture=aperture, protrusion=protrusion, spread=spread),
        Pose(4.0, 0.6, 0.1, 1.2 if protrusion else 0.3, 0.3, 1.0, 0.5),
    )


BREATH = "BREATH"
"""Segment before a phrase in which the lips part to draw breath; not a phone."""

_BILABIAL = Viseme(
    Pose(jaw=0.05, aperture=0.0),
    # The closure itself is enforced apart (kinevox.closures); here it shapes the approach.
    Pose(0.8, 3.0, 0.15, 0.2, 0.15, 2.0, 1.0),
)
_LABIODENTAL = Viseme(
    Pose(jaw=0.06, aperture=1.5, labiodental=1.0),
    Pose(0.8, 2.0, 0.2, 0.3, 0.2, 2.0, 1.0),
)

VISEMES: dict[str, Viseme] = {
    SILENCE: Viseme(Pose(), Pose(0.8, 1.2, 0.6, 0.6, 0.6, 1.0, 1.0)),
    # Lips part to draw breath before a phrase.
    BREATH: Viseme(Pose(jaw=0.15, aperture=8.0), Pose(0.7, 1.0, 0.2, 0.2, 0.2, 0.5, 0.5)),
    # Vowels, open to close.
    "AA": _vowel(0.45, 16.5),
    "AE": _vowel(0.41, 16.0, spread=0.25),
    "AH": _vowel(0.28, 10.5),
    "AO": _vowel(0.35, 10.5, rounding=0.35),
    "EH": _vowel(0.30, 16.0, spread=0.2),
    "ER": _vowel(0.16, 5.5, rounding=0.35),
    "IH": _vowel(0.19, 11.0, spread=0.2),
    "IY": _vowel(0.12, 12.0, spread=0.5),
    "UH": _vowel(0.15, 5.5, rounding=0.45),
    "UW": _vowel(0.09, 2.5, rounding=0.85),
    # Consonants of the lips.
    "P": _BILABIAL,
    "B": _BILABIAL,
    "M": _BILABIAL,
    "F": _LABIODENTAL,
    "V": _LABIODENTAL,
    "W": Viseme(Pose(0.07, 1.2, rounding=0.95), Pose(0.8, 1.5, 1.6, 0.5, 1.0, 1.0, 0.5)),
    # Consonants of tongue and throat.
    "TH": _tongue_consonant(0.12, 8.0, tongue=0.35),
    "DH": _tongue_consonant(0.12, 8.0, tongue=0.30),
    "T": _tongue_consonant(0.10, 9.5),
    "D": _tongue_consonant(0.10, 9.5),
    "N": _tongue_consonant(0.10, 9.5),
    "L": _tongue_consonant(0.14, 8.0),
    "K": _tongue_consonant(0.16, 11.0),
    "G": _tongue_consonant(0.16, 11.0),
    "NG": _tongue_consonant(0.16, 11.0),
    "HH": Viseme(Pose(0.18, 8.0), Pose(0.15, 0.15, 0.05, 0.05, 0.05, 0.5, 0.3)),
    "Y": Viseme(Pose(0.10, 10.5, spread=0.35), Pose(0.7, 0.6, 0.3, 0.2, 0.6, 1.0, 0.5)),
    "R": Viseme(Pose(0.10, 2.5, rounding=0.45), Pose(0.7, 0.8, 0.7, 0.4, 0.4, 1.0, 0.5)),
    # Sibilants keep the jaw nearly shut and the lips apart.
    "S": _sibilant(0.04, 11.0, protrusion=0.0, spread=0.2),
    "Z": _sibilant(0.04, 11.0, protrusion=0.0, spread=0.2),
    "SH": _sibilant(0.05, 10.5, protrusion=0.6, spread=0.0),
    "ZH": _sibilant(0.05, 10.5, protrusion=0.6, spread=0.0),
    "CH": _sibilant(0.05, 10.5, protrusion=0.6, spread=0.0),
    "JH": _sibilant(0.05, 10.5, protrusion=0.55, spread=0.0),
}  # fmt: skip

GLIDES: dict[str, tuple[str, str]] = {
    "AW": ("AA", "UH"),
    "AY": ("AA", "IH"),
    "EY": ("EH", "IY"),
    "OW": ("AO", "UW"),
    "OY": ("AO", "IH"),
}
"""Diphthongs, spoken as one vowel gliding into another."""
