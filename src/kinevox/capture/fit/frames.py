"""Weights and head pose of every frame, for a person who is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox import rotation
from kinevox.capture._base import Camera
from kinevox.capture.fit.linearize import POSE, NormalEquations, Pose, errors
from kinevox.capture.fit.model import CHANNELS, FaceModel
from kinevox.capture.fit.smooth import Dual, solve

_SPARSITY = 1.0
"""Cost of a weight, so that no two expressions undo each other."""
_RIDGE = 2.0
"""Cost of a weight's square."""
_RARE = ("mouthRoll", "mouthShrug", "mouthFrown", "mouthDimple", "mouthStretch", "mouthLeft",
         "mouthRight", "jawLeft", "jawRight", "cheekSquint", "noseSneer", "eyeSquint", "eyeWide",
         "mouthClose", "mouthPress")  # fmt: skip
_RARE_COST = 8.0
"""How much more expressions cost which talkers use little. Lips and chins of other shapes than
the model's would otherwise be rolled, shrugged and shut."""
_COST = np.where([name.startswith(_RARE) for name in CHANNELS], _RARE_COST, 1.0)
_QUICK = ("eye", "mouth", "jaw")
_QUICK_STIFFNESS, _SLOW_STIFFNESS = 0.5, 20.0
"""Cost of a bend in time: what blinks and talks, and brows, cheeks and nose."""
_TURN_STIFFNESS, _MOVE_STIFFNESS = 3e4, 1e6
"""Cost of a bend of the head's rotation [1/rad^2] and translation [1/m^2]."""


@dataclass(frozen=True, eq=False)
class State:
    """What is known of some frames."""

    weights: Float[np.ndarray, "frames channels"]
    pose: Pose

    def __getitem__(self, frames: slice | np.ndarray) -> State:
        return State(
            self.weights[frames],
            Pose(self.pose.rotation[frames], self.pose.translation[frames]),
        )


def stiffness(fps: float) -> Float[np.ndarray, " unknowns"]:
    """Cost of second differences; movement per frame depends on the rate."""
    quick = np.array([name.startswith(_QUICK) for name in CHANNELS])
    weights = np.where(quick, _QUICK_STIFFNESS, _SLOW_STIFFNESS)
    pose = np.repeat([_TURN_STIFFNESS, _MOVE_STIFFNESS], 3)
    return np.concatenate([weights, pose]) * (fps / 25) ** 3


class FrameFit:
    """Gauss-Newton on frames that follow each other, or on frames that stand alone."""

    def __init__(self, model: FaceModel, camera: Camera):
        self.model, self.camera = model, camera
        self._equations = NormalEquations(model)
        self._low = np.concatenate([np.zeros(len(CHANNELS)), np.full(POSE, -np.inf)])
        self._high = np.concatenate([np.ones(len(CHANNELS)), np.full(POSE, np.inf)])

    def __call__(
        self,
        seen: Float[np.ndarray, "frames points 3"],
        start: State,
        rounds: int,
        bend: Float[np.ndarray, " unknowns"],
    ) -> State:
        """Improves on `start`.

        Args:
            bend: Cost of second differences (`stiffness`); zeros for frames that stand alone.
        """
        state, dual = start, Dual(np.zeros((len(seen), len(CHANNELS) + POSE)))
        count = len(CHANNELS)
        for _ in range(rounds):
            found = errors(self.model, self.camera, state.weights, state.pose, seen)
            gram, right = self._equations(self.model, found, state.weights, state.pose)
            # A small turn adds to the axis-angle, nearly; near enough for a cost of bends.
            turn = rotation.axis_angle_from_matrix(state.pose.rotation)
            now = np.concatenate([state.weights, turn, state.pose.translation], axis=1)
            products = right + np.matmul(gram, now[..., None])[..., 0]
            products[:, :count] -= _SPARSITY * _COST
            gram[:, np.arange(count), np.arange(count)] += _RIDGE * _COST
            new = solve(gram, products, bend, self._low, self._high, now, dual)
            step = rotation.matrix_from_axis_angle(new[:, count : count + 3] - turn)
            state = State(new[:, :count], Pose(step @ state.pose.rotation, new[:, count + 3 :]))
        return state
