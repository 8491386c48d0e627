"""Which sightings are one person, and whom to capture.

Within a shot a face is followed by its place. Across cuts and losses two tracks are one person
when they look alike, which is decided twice: by a small gray picture of the face, and by the
rigid part of the landmarks without size and pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from kinevox.capture._base import Landmarks
from kinevox.capture.shots import shots_between
from kinevox.capture.track import Sightings
from kinevox.errors import ConfigError, VideoError

SIMILAR_LOOK = 0.7
"""Least correlation of the pictures of one face. Between clips of one person of the GRID corpus 98
of 100 reach it, between clips of two people 8 of 100."""
SIMILAR_SHAPE = 0.03
"""Largest distance of two shapes of unit size that may be one person; 0.018 is usual."""
PASSER_BY = 0.1
"""Whoever is seen for less than this part of the main person's pictures is left aside."""

_RIGID = np.array([
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 98, 327, 127, 356, 234, 454, 93, 323, 10, 151, 9, 8,
    109, 338, 54, 284, 21, 251, 162, 389, 116, 345, 50, 280, 205, 425, 2, 94,
])  # fmt: skip
"""Landmarks on bone: eye corners, nose, temples, cheekbones, forehead."""
_LOOKS = 12
"""Sightings per track, the most frontal ones, that a shape is averaged over."""


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody in a video."""

    frames: Bool[np.ndarray, " frames"]
    """Where they are seen."""
    sightings: Int[np.ndarray, " seen"]
    """Which sightings are theirs, one per frame."""
    center: float
    """Where their face is on average, 0 at the left edge of the picture, 1 at the right."""
    width: float
    """Median width of their face [pixels]."""
    since: float
    """When they are first seen [s]."""

    @property
    def share(self) -> float:
        """Part of the pictures in which they are seen."""
        return float(self.frames.mean())

    def describe(self) -> str:
        """Where to look for them."""
        place = ("left", "in the middle", "right")[min(int(3 * max(self.center, 0)), 2)]
        return (
            f"{place}, from {self.since:.1f} s, in {self.share:.0%} of the pictures, "
            f"face {self.width:.0f} pixels wide"
        )


def find_people(sightings: Sightings) -> tuple[Person, ...]:
    """Everybody in a video who is no mere passer-by, from left to right, then by time."""
    numbers, counts = np.unique(sightings.track, return_counts=True)
    groups: list[list[int]] = []
    shapes = {int(n): _shape(sightings.points[sightings.track == n]) for n in numbers}
    for number in map(int, numbers[np.argsort(-counts, kind="stable")]):
        fits = [
            (max(_likeness(sightings, shapes, number, other) for other in group), group)
            for group in groups
            if not _meet(sightings, number, group)
        ]
        best, group = max(fits, key=lambda fit: fit[0], default=(-1.0, []))
        if best >= SIMILAR_LOOK:
            group.append(number)
        else:
            groups.append([number])
    people = [_person(sightings, group) for group in groups]
    most = max((p.share for p in people), default=0.0)
    people = [p for p in people if p.share >= PASSER_BY * most]
    return tuple(sorted(people, key=lambda p: (round(p.center, 1), p.since)))


def choose(sightings: Sightings, person: int | None, name: str) -> tuple[Landmarks, float]:
    """The landmarks of one person, and how wide their face is [pixels].

    Args:
        person: Number from the left, from 1; needed when there are several people.
        name: What the video is called in messages.

    Raises:
        VideoError: there is no face in the video.
        ConfigError: several people and none was chosen, or there is no such person.
    """
    people = find_people(sightings)
    if not people:
        raise VideoError(
            f"{name} shows no face that the tracker finds in any of {len(sightings.times)} "
            "pictures. It needs a face from the front or half aside, at least a tenth of the "
            "picture wide; crop the video around the face."
        )
    if (person is None and len(people) > 1) or (
        person is not None and not 1 <= person <= len(people)
    ):
        listing = "; ".join(f"{n} {p.describe()}" for n, p in enumerate(people, start=1))
        several = f"{len(people)} people" if len(people) > 1 else "one person"
        wanted = "" if person is None else f" Person {person} was asked for."
        raise ConfigError(
            f"{name} shows {several}, from the left: {listing}.{wanted} Choose with --person N."
        )
    chosen = people[(person or 1) - 1]
    return _landmarks(sightings, chosen), chosen.width


def _landmarks(sightings: Sightings, person: Person) -> Landmarks:
    points = np.full((len(sightings.times), *sightings.points.shape[1:]), np.nan, np.float32)
    frames, track = sightings.frame[person.sightings], sightings.track[person.sightings]
    points[frames] = sightings.points[person.sightings]
    # Where a person goes on as another track, the face was lost for long or jumped.
    jumps = frames[1:][track[1:] != track[:-1]]
    cuts = [shot.start for shot in sightings.shots] + jumps.tolist()
    return Landmarks(
        times=sightings.times,
        points=points,
        ids=np.arange(points.shape[1]),
        size=sightings.size,
        shots=shots_between(cuts, len(points)),
        turn=sightings.turn,
    )


def _person(sightings: Sightings, tracks: list[int]) -> Person:
    own = np.flatnonzero(np.isin(sightings.track, tracks))
    across = sightings.points[own, :, 0]
    frames = np.zeros(len(sightings.times), bool)
    frames[sightings.frame[own]] = True
    center = float(across.mean() / sightings.size[0])
    width = float(np.median(np.ptp(across, axis=1)))
    return Person(frames, own, center, width, float(sightings.times[np.argmax(frames)]))


def _meet(sightings: Sightings, track: int, others: list[int]) -> bool:
    """Whether a track is seen in the same picture as any of the others."""
    here = sightings.frame[sightings.track == track]
    return bool(np.isin(here, sightings.frame[np.isin(sightings.track, others)]).any())


def _likeness(
    sightings: Sightings, shapes: dict[int, Float[np.ndarray, "rigid 3"]], one: int, other: int
) -> float:
    """Correlation of how two tracks look; -1 when their shapes differ too much."""
    if _distance(shapes[one], shapes[other]) > SIMILAR_SHAPE:
        return -1.0
    looks = [sightings.looks[n] - sightings.looks[n].mean() for n in (one, other)]
    lengths = [np.linalg.norm(look) for look in looks]
    return float((looks[0] * looks[1]).sum() / max(lengths[0] * lengths[1], 1e-9))


def _shape(points: Float[np.ndarray, "sightings points 3"]) -> Float[np.ndarray, "rigid 3"]:
    """Mean of the rigid landmarks in the most frontal sightings, without place, size and pose."""
    rigid = points[:, _RIGID].astype(np.float64)
    rigid -= rigid.mean(axis=1, keepdims=True)
    rigid /= np.linalg.norm(rigid, axis=(1, 2), keepdims=True)
    # From the front, the temples (127, 356) are equally deep.
    depth = np.abs(rigid[:, 12, 2] - rigid[:, 13, 2])
    looks = rigid[np.argsort(depth, kind="stable")[:_LOOKS]]
    mean = np.mean([look @ _turn(look, looks[0]) for look in looks], axis=0)
    return mean / np.linalg.norm(mean)


def _distance(a: Float[np.ndarray, "rigid 3"], b: Float[np.ndarray, "rigid 3"]) -> float:
    return float(np.linalg.norm(a @ _turn(a, b) - b))


def _turn(a: Float[np.ndarray, "rigid 3"], b: Float[np.ndarray, "rigid 3"]) -> np.ndarray:
    """The rotation R for which a @ R comes nearest to b (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(a.T @ b)
    return u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
