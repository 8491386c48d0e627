"""What open and closed mean for this person and this tracker.

A tracker hardly ever lets two edges meet: of closed lips and lids it leaves a slit that differs
from person to person. Closed lips of the landmarks shall be closed lips of the mesh, and closed
lids an eyeBlink of 1, whatever the shape of the eye.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from kinevox.capture._base import Camera
from kinevox.capture.correspond import INNER_LIPS, LIDS
from kinevox.capture.fit.frames import State
from kinevox.capture.fit.linearize import place
from kinevox.capture.fit.model import CHANNELS, FaceModel

_CLOSED_LIPS = 0.08
"""Share of a talker's frames in which the lips are taken to touch."""
_WIDEST_SLIT = 0.004
"""Lips that are never nearer than this were never closed [m]."""
_NARROWEST_SLIT = -0.0003
"""Lips press together, but no tracker sees them overlap by more than its own error [m]."""
_OPEN_LIDS = 0.6
"""Quantile of the lids' gap that is taken for their rest."""
_SHUT = 0.5
"""Lids were shut if their gap came below this share of that at rest."""
_USUAL_SLIT = 0.2
"""Share of the gap at rest that is left of lids nobody saw shut."""
_LARGEST_SLIT = 0.35
_LOOKS = ("eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp")


@dataclass(frozen=True, eq=False)
class Gaps:
    """Heights of landmarks over others on a neutral face."""

    upper: Int[np.ndarray, " gaps"]
    lower: Int[np.ndarray, " gaps"]
    """Columns of the points."""
    height: Float[np.ndarray, " gaps"]
    """[m]"""


def resting_gaps(
    model: FaceModel,
    camera: Camera,
    seen: Float[np.ndarray, "frames points 3"],
    state: State,
) -> Gaps:
    """How far lips and lids are apart when this person does nothing: lips touch, lids are open."""
    found = []
    lips = model.pairs(INNER_LIPS)
    if len(lips):
        gaps = _gaps(model, camera, seen, state, lips)
        opening = gaps.max(axis=1)
        slit = np.median(gaps[opening <= np.quantile(opening, _CLOSED_LIPS)], axis=0)
        found.append((lips, slit.clip(_NARROWEST_SLIT, _WIDEST_SLIT)))
    for ids in LIDS:
        lids = model.pairs(ids)
        if len(lids):
            gaps = _gaps(model, camera, seen, state, lids)
            found.append((lids, np.quantile(gaps, _OPEN_LIDS, axis=0)))
    pairs = np.concatenate([np.zeros((0, 2), int)] + [pairs for pairs, _ in found])
    heights = np.concatenate([np.zeros(0)] + [height for _, height in found])
    return Gaps(pairs[:, 0], pairs[:, 1], heights)


def with_gaps(model: FaceModel, gaps: Gaps) -> FaceModel:
    """The model with exactly these gaps at rest."""
    neutral = model.neutral.copy()
    missing = gaps.height - (neutral[gaps.upper, 1] - neutral[gaps.lower, 1])
    neutral[gaps.upper, 1] += missing / 2
    neutral[gaps.lower, 1] -= missing / 2
    return model.with_neutral(neutral)


def with_closing_lids(
    model: FaceModel,
    camera: Camera,
    seen: Float[np.ndarray, "frames points 3"],
    state: State,
) -> FaceModel:
    """The model with an eyeBlink that takes this person's lids from rest to shut."""
    basis = model.basis.copy()
    for side, ids in zip(("Left", "Right"), LIDS, strict=True):
        pairs = model.pairs(ids)
        if not len(pairs):
            continue
        upper, lower = pairs.T
        rest = float((model.neutral[upper, 1] - model.neutral[lower, 1]).mean())
        gaps = _gaps(model, camera, seen, state, pairs).mean(axis=1)
        # One frame may be an accident.
        least = float(np.sort(gaps)[min(1, len(gaps) - 1)])
        slit = least if least < _SHUT * rest else _USUAL_SLIT * rest
        blink = basis[CHANNELS.index(f"eyeBlink{side}")]
        travel = float((blink[lower, 1] - blink[upper, 1]).mean())
        blink *= max(rest - np.clip(slit, 0, _LARGEST_SLIT * rest), 0.1 * travel) / travel
    return replace(model, basis=basis)


def with_steady_blinks(
    model: FaceModel,
    camera: Camera,
    seen: Float[np.ndarray, "frames points 3"],
    state: State,
) -> State:
    """Weights whose eyeBlink reaches 1 where the lids were seen shut, with the gaze carried on.

    Other expressions lower the lids too, and costs hold every weight back a little. Where an eye
    looks while it is covered nobody sees: it goes on from where it was to where it is next.
    """
    weights = state.weights.copy()
    for side, ids in zip(("Left", "Right"), LIDS, strict=True):
        pairs = model.pairs(ids)
        if not len(pairs):
            continue
        gaps = _gaps(model, camera, seen, state, pairs).mean(axis=1)
        rest = float((model.neutral[pairs[:, 0], 1] - model.neutral[pairs[:, 1], 1]).mean())
        covered = gaps < _SHUT * rest
        covered[1:] |= gaps[:-1] < _SHUT * rest
        covered[:-1] |= gaps[1:] < _SHUT * rest
        if covered.any() and not covered.all():
            for name in _LOOKS:
                look = weights[:, CHANNELS.index(f"{name}{side}")]
                frames = np.arange(len(look))
                look[covered] = np.interp(frames[covered], frames[~covered], look[~covered])
        blink = weights[:, CHANNELS.index(f"eyeBlink{side}")]
        shut = gaps < _LARGEST_SLIT * rest
        if shut.any():
            peak = float(np.quantile(blink[shut], 0.75))
            # The start of the movement stays as it was: half-closed lids are measured well.
            blink += blink**2 * (1 / np.clip(peak, 0.6, 1) - 1)
    return State(weights.clip(0, 1), state.pose)


def _gaps(
    model: FaceModel,
    camera: Camera,
    seen: Float[np.ndarray, "frames points 3"],
    state: State,
    pairs: Int[np.ndarray, "pairs 2"],
) -> Float[np.ndarray, "frames pairs"]:
    """Height of upper over lower landmarks in the head's axes, as the tracker saw it [m]."""
    upper, lower = pairs.T
    points = model.points(state.weights)
    placed = place(points, state.pose)
    depth = -(placed[:, upper, 2] + placed[:, lower, 2]) / 2
    off = seen[..., :2] - camera.project(placed)
    off = (off[:, upper] - off[:, lower]) * (depth / camera.focal)[..., None]
    # Where "up" of the head points in the picture, whose y runs down.
    up = state.pose.rotation[:, :2, 1] * [1, -1]
    along = np.einsum("tpx,tx->tp", off, up) / np.square(up).sum(axis=1)[:, None]
    return points[:, upper, 1] - points[:, lower, 1] + along
