"""What a fit found, as a capture: gaps bridged, confidence and errors stated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from kinevox import arkit, rotation
from kinevox.capture._base import Camera, Capture
from kinevox.capture.correspond import EYE_CORNERS
from kinevox.capture.fit.frames import State
from kinevox.capture.fit.linearize import place
from kinevox.capture.fit.model import CHANNELS, FaceModel
from kinevox.capture.fit.timeline import Timeline
from kinevox.motion import ARKIT, Motion

_EASE = 0.3
"""Time in which a lost face comes to rest, and takes up its motion again [s]."""
_POOR = 0.05
"""Reprojection error at which confidence has dropped to a third, in face sizes."""
_SIDE = np.radians([35.0, 75.0])
"""Turn of the head from which confidence falls, and at which it is gone."""
_FILLED = 0.5
"""Confidence of frames within a short loss."""


def finish(
    timeline: Timeline,
    model: FaceModel,
    camera: Camera,
    state: State,
    phenotype: Mapping[str, float],
    fps: float,
) -> Capture:
    """The capture of all frames."""
    known = np.flatnonzero(timeline.known)
    count = len(timeline.points)
    error, face = np.full(count, np.nan), np.full(count, np.nan)
    inside = state[known]
    placed = place(model.points(inside.weights), inside.pose)
    away = camera.project(placed) - timeline.points[known, :, :2]
    error[known] = np.sqrt(np.square(away).sum(axis=-1).mean(axis=1))
    face[known] = camera.focal * _eye_distance(model) / -inside.pose.translation[:, 2]
    side = np.arccos(np.clip(inside.pose.rotation[:, 2, 2], -1, 1))
    confidence = np.zeros(count)
    confidence[known] = np.exp(-np.square(error[known] / face[known] / _POOR))
    confidence[known] *= 1 - np.clip((side - _SIDE[0]) / (_SIDE[1] - _SIDE[0]), 0, 1)
    confidence[timeline.filled] *= _FILLED

    turn = rotation.axis_angle_from_matrix(state.pose.rotation)
    values = np.zeros((count, ARKIT.num_channels))
    values[:, [ARKIT.index(name) for name in CHANNELS]] = state.weights
    values[:, ARKIT.group("head")] = turn
    translation = state.pose.translation.copy()
    _bridge(values, translation, timeline, fps)
    return Capture(
        motion=Motion(values, fps, metadata={"source": "capture"}),
        translation=translation,
        camera=camera,
        confidence=confidence,
        error_pixels=error,
        face_pixels=face,
        shots=timeline.shots,
        phenotype=phenotype,
        neutral=model.neutral,
    )


def _eye_distance(model: FaceModel) -> float:
    """Between the outer corners of the eyes [m]; of an average face without those landmarks."""
    corners = model.columns(EYE_CORNERS[0][0], EYE_CORNERS[1][0])
    if not corners:
        return 0.09
    return float(np.linalg.norm(model.neutral[corners[0]] - model.neutral[corners[1]]))


def _bridge(
    values: Float[np.ndarray, "frames channels"],
    translation: Float[np.ndarray, "frames 3"],
    timeline: Timeline,
    fps: float,
) -> None:
    """Where the face was not seen it comes to rest, and the head moves on to where it is next."""
    known = timeline.known
    head, weights = ARKIT.group("head"), slice(0, len(arkit.NAMES))
    for shot in timeline.shots:
        inside = np.arange(shot.start, shot.stop)
        here = inside[known[inside]]
        lost = inside[~known[inside]]
        if not len(here) or not len(lost):
            continue
        before = here[np.clip(np.searchsorted(here, lost) - 1, 0, len(here) - 1)]
        after = here[np.clip(np.searchsorted(here, lost), 0, len(here) - 1)]
        before, after = np.minimum(before, after), np.maximum(before, after)
        # At the ends of a shot both are the same frame, whose pose is held.
        span = np.maximum(after - before, 1)
        share = _ease((lost - before) / span)
        keys = rotation.quaternion_from_axis_angle(values[:, head])
        moved = rotation.slerp(keys[before], keys[after], share)
        values[lost, head] = rotation.axis_angle_from_quaternion(moved)
        share = share[:, None]
        translation[lost] = (1 - share) * translation[before] + share * translation[after]
        gone = np.abs(lost - before) / (_EASE * fps)
        back = np.abs(after - lost) / (_EASE * fps)
        calm_before, calm_after = (1 - _ease(np.clip(x, 0, 1)) for x in (gone, back))
        values[lost, weights] = np.maximum(
            calm_before[:, None] * values[before, weights],
            calm_after[:, None] * values[after, weights],
        )


def _ease(x: np.ndarray) -> np.ndarray:
    return x * x * (3 - 2 * x)
