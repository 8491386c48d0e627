"""From landmarks to motion: one person, then every frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from kinevox.capture._base import Camera, Capture, Landmarks
from kinevox.capture.correspond import NUM_LANDMARKS, load_table
from kinevox.capture.fit.calibrate import (
    resting_gaps,
    with_closing_lids,
    with_gaps,
    with_steady_blinks,
)
from kinevox.capture.fit.camera import choose_camera, guess_pose
from kinevox.capture.fit.frames import FrameFit, State, stiffness
from kinevox.capture.fit.linearize import POSE, Pose
from kinevox.capture.fit.model import CHANNELS, FaceModel, average_face
from kinevox.capture.fit.person import improve_neutral, likely_people
from kinevox.capture.fit.result import finish
from kinevox.capture.fit.timeline import Timeline, even_timeline
from kinevox.errors import MotionError

_FEWEST = 40
"""Landmarks without which a face is not fitted."""
_FRAMES_OF_A_PERSON = 200
_PERSON_ROUNDS = 8
_ALWAYS = 0.1
"""Share of the frames that may show less of an expression than the neutral face does."""
_BLOCK, _OVERLAP = 400, 25
"""Frames fitted at once, and how far blocks reach into each other."""

Progress = Callable[[float], None]
"""Told which part of the work is done, from 0 to 1."""


# Banded systems are too small to share: more threads only wait for each other, which on a busy
# machine takes many times as long.
@threadpool_limits.wrap(limits=1, user_api="blas")
def fit(
    landmarks: Landmarks,
    *,
    fps: float = 25.0,
    field_of_view: float | None = None,
    progress: Progress | None = None,
) -> Capture:
    """Poses a head so that its landmarks fall on those of a video.

    Args:
        fps: Rate of the motion.
        field_of_view: Angle that the longer side of the picture spans [rad]; None for a likely
            one (docs/capture_fit.md).
        progress: Called with the part of the work that is done, 0 to 1.

    Raises:
        MotionError: there is no frame with a face, or too few landmarks per face.
        ConfigError: the field of view is none.
    """
    if len(landmarks.ids) < _FEWEST:
        raise MotionError(
            f"{len(landmarks.ids)} landmarks do not tell a face; give at least {_FEWEST} of the "
            f"{NUM_LANDMARKS}, among them lips, lids, nose and the outline."
        )
    report = progress or (lambda done: None)
    timeline = even_timeline(landmarks, fps)
    known = np.flatnonzero(timeline.known)
    if not len(known):
        raise MotionError(f"None of {len(landmarks.times)} frames shows the face.")
    model = average_face(landmarks.ids)
    camera = choose_camera(landmarks.size, field_of_view, model.neutral, timeline.points[known])
    chosen = known[np.unique(np.linspace(0, len(known) - 1, _FRAMES_OF_A_PERSON).astype(int))]
    model, coefficients = _meet(model, camera, timeline.points[chosen], report)
    state = _every_frame(model, camera, timeline, fps, report)
    steady = with_steady_blinks(model, camera, timeline.points[known], state[known])
    state.weights[known] = steady.weights
    phenotype = load_table().phenotype(coefficients)
    return finish(timeline, model, camera, state, phenotype, fps)


def _meet(
    model: FaceModel,
    camera: Camera,
    seen: Float[np.ndarray, "frames points 3"],
    report: Progress,
) -> tuple[FaceModel, np.ndarray]:
    """The person, and the coefficients of the phenotype modes."""
    people = likely_people(tuple(model.ids.tolist()))
    free = np.zeros(len(CHANNELS) + POSE)
    state = State(np.zeros((len(seen), len(CHANNELS))), guess_pose(camera, model.neutral, seen))
    frames = FrameFit(model, camera)
    for turn in range(_PERSON_ROUNDS):
        state = frames(seen, state, rounds=3 if turn == 0 else 1, bend=free)
        gaps = resting_gaps(frames.model, camera, seen, state)
        neutral = improve_neutral(people, frames, seen, state, gaps)
        frames.model = frames.model.with_neutral(neutral)
        # What hardly ever leaves a face is part of it.
        always = np.quantile(state.weights, _ALWAYS, axis=0)
        frames.model = frames.model.with_neutral(frames.model.points(always[None])[0])
        state = State(np.maximum(state.weights - always, 0), state.pose)
        report(0.3 * (turn + 1) / _PERSON_ROUNDS)
    state = frames(seen, state, rounds=2, bend=free)
    coefficients = people.coefficients(frames.model.neutral)
    model = with_gaps(frames.model, resting_gaps(frames.model, camera, seen, state))
    return with_closing_lids(model, camera, seen, state), coefficients


def _every_frame(
    model: FaceModel, camera: Camera, timeline: Timeline, fps: float, report: Progress
) -> State:
    """All known frames; the others are left at zero."""
    count = len(timeline.points)
    frames = FrameFit(model, camera)
    weights = np.zeros((count, len(CHANNELS)))
    rotation, translation = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3))
    for stretch in timeline.stretches:
        for start in range(stretch.start, stretch.stop, _BLOCK):
            stop = min(start + _BLOCK, stretch.stop)
            first = max(start - _OVERLAP, stretch.start)
            last = min(stop + _OVERLAP, stretch.stop)
            seen = timeline.points[first:last]
            guess = State(
                np.zeros((len(seen), len(CHANNELS))), guess_pose(camera, model.neutral, seen)
            )
            state = frames(seen, guess, rounds=5, bend=stiffness(fps))[start - first : stop - first]
            weights[start:stop] = state.weights
            rotation[start:stop] = state.pose.rotation
            translation[start:stop] = state.pose.translation
            report(0.3 + 0.7 * stop / count)
    return State(weights, Pose(rotation, translation))
