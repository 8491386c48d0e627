"""Phones to smooth articulator curves by dominance functions.

Source: Cohen and Massaro 1993, "Modeling coarticulation in synthetic visual speech": every
segment s pulls articulator p towards its target T_sp with a dominance D_sp(t) that is full
inside the segment and falls off exponentially before and after it; the curve is the average of
all targets weighted by dominance. Departures: a plateau inside the segment instead of a cusp at
its centre, and lip closures on top (kinevox.closures), because an average alone never quite
closes the lips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from kinevox.methods.articulate.visemes import ARTICULATORS, BREATH, GLIDES, VISEMES
from kinevox.phones import SILENCE, Phones

REACH = 0.6
"""Beyond this distance a segment has no influence [s]."""


BREATH_SECONDS = 0.4
"""People part their lips this long before they speak after a pause [s]."""
BREATH_SHARE = 0.6
"""At most this share of the pause."""
MIN_BREATH_PAUSE = 0.3
"""Shorter pauses hold no breath [s]."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Targets in time: one per phone, two per diphthong."""

    labels: tuple[str, ...]
    starts: Float[np.ndarray, " segments"]
    ends: Float[np.ndarray, " segments"]
    targets: Float[np.ndarray, "segments articulators"]
    firmness: Float[np.ndarray, "segments articulators"]

    def scaled(self, gains: Float[np.ndarray, "segments articulators"]) -> Segments:
        """The same segments with every target multiplied by its gain."""
        return replace(self, targets=self.targets * gains)


@dataclass(frozen=True)
class Reach:
    """How far a segment is felt outside itself, per articulator [s]."""

    before: float
    after: float


REACHES: dict[str, Reach] = {
    "jaw": Reach(0.060, 0.060),
    "aperture": Reach(0.030, 0.035),
    "rounding": Reach(0.130, 0.110),
    "protrusion": Reach(0.110, 0.090),
    "spread": Reach(0.090, 0.080),
    "labiodental": Reach(0.030, 0.030),
    "tongue": Reach(0.040, 0.040),
}
"""Rounded vowels start early and leave late (anticipatory coarticulation)."""


def segments_of(phones: Phones) -> Segments:
    """Target segments of a phone sequence."""
    labels: list[str] = []
    spans: list[tuple[float, float]] = []
    for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
        inhaled = min(BREATH_SECONDS, BREATH_SHARE * (end - start))
        if label == SILENCE and end < phones.seconds and end - start >= MIN_BREATH_PAUSE:
            labels += [SILENCE, BREATH]
            spans += [(start, end - inhaled), (end - inhaled, end)]
        elif label in GLIDES:
            middle = start + 0.5 * (end - start)
            labels += GLIDES[label]
            spans += [(start, middle), (middle, end)]
        else:
            labels.append(label if label in VISEMES else SILENCE)
            spans.append((start, end))
    arrays = [VISEMES[label].arrays() for label in labels]
    times = np.array(spans, dtype=np.float64).reshape(-1, 2)
    shape = (-1, len(ARTICULATORS))
    return Segments(
        tuple(labels),
        times[:, 0],
        times[:, 1],
        np.array([target for target, _ in arrays]).reshape(shape),
        np.array([firmness for _, firmness in arrays]).reshape(shape),
    )


def articulator_curves(
    segments: Segments, times: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, "frames articulators"]:
    """Dominance-weighted average of the targets at ascending `times` [s]."""
    curves = np.zeros((len(times), len(ARTICULATORS)))
    if not segments.labels or not len(times):
        return curves
    # Every (segment, frame) pair within reach, as two flat index arrays.
    first = np.searchsorted(times, segments.starts - REACH)
    counts = np.searchsorted(times, segments.ends + REACH) - first
    segment = np.repeat(np.arange(len(counts)), counts)
    frame = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - first, counts)
    early = np.maximum(segments.starts[segment] - times[frame], 0)
    late = np.maximum(times[frame] - segments.ends[segment], 0)
    for p, name in enumerate(ARTICULATORS):
        reach = REACHES[name]
        pull = segments.firmness[segment, p] * np.exp(-early / reach.before - late / reach.after)
        total = np.bincount(frame, pull, len(times))
        weighted = np.bincount(frame, pull * segments.targets[segment, p], len(times))
        curves[:, p] = weighted / np.maximum(total, 1e-12)
    return curves
