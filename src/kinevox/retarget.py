"""Motion of one head on another: bounded least squares on meshes.

The source's displacements are carried to the target's face; then the target's own channels are
found, frame by frame and within their ranges, that come nearest to them. What remains is the error
that is reported. See docs/retargeting.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinevox._bounded import bounded_least_squares
from kinevox._correspondence import correspond
from kinevox.heads import BlendshapeHead, Head
from kinevox.motion import Motion

RETARGETED = "retargeted"
"""Metadata key under which a retargeted motion keeps its error."""

_BLOCK = 500
"""Frames solved at once; bounds the memory of long motions."""
_RIDGE = 1e-5
"""Pull towards neutral, as a fraction of each channel's own effect on the mesh."""
_JAW_RANGES = {"jaw_x": (-0.1, 0.7), "jaw_y": (-0.2, 0.2), "jaw_z": (-0.2, 0.2)}
"""How far a jaw turns [rad]: open and shut, sideways, and about the line of sight."""
_ROUNDS, _GROUPS = 4, 8
"""Gauss-Newton rounds on a curved head, and groups of similar frames that share a linearization."""


@dataclass(frozen=True, eq=False)
class RetargetResult:
    """A motion of the target's layout, and how far it is from the source's movement."""

    motion: Motion
    mean_error_mm: Float[np.ndarray, " frames"]
    """Mean distance over the matched vertices of the target's face."""
    max_error_mm: Float[np.ndarray, " frames"]
    """Distance of the worst vertex."""

    def __str__(self) -> str:
        if len(self.mean_error_mm) == 0:
            return "no frames"
        worst = int(self.max_error_mm.argmax())
        return (
            f"mean error {self.mean_error_mm.mean():.2f} mm, "
            f"worst vertex {self.max_error_mm[worst]:.1f} mm in frame {worst}"
        )


def retarget(motion: Motion, source: Head, target: Head) -> RetargetResult:
    """The motion of `source` as channels of `target`; head rotation is copied.

    So are channels of the same name that move nothing which the two heads share, such as the
    gaze of a head without eyes.

    Raises:
        MotionError: the motion is not of the source's layout.
        AssetError: the two faces cannot be matched.
    """
    link = correspond(source, target)
    face = _Face(target, link.target_vertices)
    values = np.tile(target.layout.neutral, (motion.num_frames, 1))
    values[:, target.layout.group("head")] = motion.group("head")
    mean, largest = np.zeros(motion.num_frames), np.zeros(motion.num_frames)
    for start in range(0, motion.num_frames, _BLOCK):
        block = slice(start, start + _BLOCK)
        part = motion.replace(values=motion.values[block])
        moved = source.vertices(part, head_pose=False) - source.template
        goals = link.carry(moved).reshape(len(moved), -1)
        values[block, face.columns] = face.solve(goals)
        for name in face.unseen & set(motion.layout.names):
            values[block, target.layout.index(name)] = part[name]
        reached = face.displacements(values[block, face.columns])
        away = np.linalg.norm((reached - goals).reshape(len(moved), -1, 3), axis=-1)
        mean[block], largest[block] = 1000 * away.mean(axis=1), 1000 * away.max(axis=1)
    result = RetargetResult(Motion(values, motion.fps, target.layout), mean, largest)
    notes = {RETARGETED: f"{source.name} to {target.name}, {result}"}
    return RetargetResult(
        result.motion.replace(metadata={**motion.metadata, **notes}), mean, largest
    )


class _Face:
    """The target as a function from channels to displacements of the matched vertices."""

    def __init__(self, head: Head, vertices: Int[np.ndarray, " points"]):
        self._head, self._vertices = head, vertices
        layout = head.layout
        solved = [i for i, channel in enumerate(layout.channels) if channel.group != "head"]
        self.columns = np.array(solved)
        channels = [layout.channels[i] for i in solved]
        ranges = [
            _JAW_RANGES.get(channel.name, (channel.low, channel.high)) for channel in channels
        ]
        self._low, self._high = np.array(ranges, dtype=float).T
        self._neutral = layout.neutral[self.columns].astype(float)
        self._curved = np.array([channel.unit == "rad" for channel in channels])
        if isinstance(head, BlendshapeHead):
            self._curved[:] = False
        self._slopes_at_rest = self._slopes(self._neutral)
        effects = np.linalg.norm(self._slopes_at_rest, axis=1)
        self.unseen = {
            channel.name
            for channel, effect in zip(channels, effects, strict=True)
            if effect <= 1e-6 * effects.max()
        }
        """Channels that move none of the matched vertices; meshes say nothing about them."""

    def displacements(
        self, x: Float[np.ndarray, "frames channels"]
    ) -> Float[np.ndarray, "frames coordinates"]:
        """Where the matched vertices go from rest, without head rotation."""
        layout = self._head.layout
        values = np.tile(layout.neutral, (len(x), 1))
        values[:, self.columns] = x
        posed = self._head.vertices(Motion(values, layout=layout), head_pose=False)
        return (posed - self._head.template)[:, self._vertices].reshape(len(x), -1)

    def solve(
        self, goals: Float[np.ndarray, "frames coordinates"]
    ) -> Float[np.ndarray, "frames channels"]:
        """Channels whose displacements come nearest to the goals (Gauss-Newton within bounds)."""
        x = np.tile(self._neutral, (len(goals), 1))
        left = goals
        everyone = [np.arange(len(goals))]
        for turn in range(_ROUNDS if self._curved.any() else 1):
            if turn:
                left = goals - self.displacements(x)
            # Frames of similar jaw rotation bend the head alike.
            opening = x[:, self._curved][:, :1].ravel()
            groups = np.array_split(np.argsort(opening), _GROUPS) if turn else everyone
            for group in groups:
                if len(group):
                    x[group] = self._step(left[group], x[group])
        return x

    def _step(
        self,
        left: Float[np.ndarray, "frames coordinates"],
        x: Float[np.ndarray, "frames channels"],
    ) -> Float[np.ndarray, "frames channels"]:
        """The best channels if the head were linear near the mean of these frames.

        Args:
            left: What the displacements at `x` still lack.
        """
        slopes = self._slopes_at_rest
        if self._curved.any():
            slopes = self._slopes(np.where(self._curved, x.mean(axis=0), self._neutral))
        gram = (slopes @ slopes.T).astype(float)
        effect = np.diag(gram)
        # A channel that moves nothing is held at neutral by the same pull.
        pull = _RIDGE * np.where(effect > 0, effect, max(effect.max(), 1e-12))
        products = left @ slopes.T + x @ gram + pull * self._neutral
        return bounded_least_squares(gram + np.diag(pull), products, self._low, self._high, x)

    def _slopes(
        self, center: Float[np.ndarray, " channels"]
    ) -> Float[np.ndarray, "channels coordinates"]:
        """Derivative of the displacements by each channel; exact where the head is linear."""
        step = np.where(self._curved, 0.01, 1.0)
        ahead = self.displacements(center + np.diag(step))
        behind = self.displacements(center - np.diag(np.where(self._curved, step, 0.0)))
        return (ahead - behind) / np.where(self._curved, 2 * step, step)[:, None].astype(np.float32)
