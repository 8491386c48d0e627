"""What every head model offers, and the one kind that is linear in its weights.

Axes: x to the character's left, y up, z out of the face; meters; the origin is the joint the
head turns about (docs/conventions.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from kinevox import rotation
from kinevox.errors import AssetError, MotionError
from kinevox.motion import Motion, MotionLayout


@dataclass(frozen=True)
class Part:
    """A named run of vertices with one material, e.g. skin, eyes, teeth or tongue."""

    name: str
    """`skin`, `eye_left`, `eye_right`, `teeth_upper`, `teeth_lower`, `tongue`, ..."""
    start: int
    stop: int
    """Vertices [start, stop)."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Vertex sets by which motion is measured, the same idea on every head."""

    lips: Int[np.ndarray, " lips"]
    inner_lip_pairs: Int[np.ndarray, "pairs 2"]
    """Columns of the mouth from right to left: upper vertex, lower vertex, touching when closed."""
    upper_face: Int[np.ndarray, " upper"]


@runtime_checkable
class Head(Protocol):
    """A face that can be posed by a motion of its own layout."""

    name: str
    layout: MotionLayout
    template: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    parts: tuple[Part, ...]
    regions: Regions

    def vertices(
        self, motion: Motion, *, head_pose: bool = True
    ) -> Float[np.ndarray, "frames vertices 3"]:
        """Vertices of every frame [m]; without `head_pose` the skull stays still.

        Raises:
            MotionError: the motion has another layout.
        """
        ...


@dataclass(frozen=True, eq=False)
class BlendshapeHead:
    """A head whose vertices are template + weights @ shapes, turned rigidly about the origin."""

    name: str
    layout: MotionLayout
    template: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    shape_names: tuple[str, ...]
    """Channels of the layout that have a shape, in the order of `shapes`."""
    shapes: Float[np.ndarray, "shapes vertices 3"]
    parts: tuple[Part, ...]
    regions: Regions
    colors: Float[np.ndarray, "vertices 3"] | None = None
    """Linear RGB in [0, 1] per vertex, where the head has paint of its own."""
    credits: Mapping[str, str] = field(default_factory=dict)
    """Origin and licence of the asset, written into exported files."""

    def __post_init__(self) -> None:
        if self.shapes.shape != (len(self.shape_names), *self.template.shape):
            raise AssetError(
                f"Head '{self.name}' has shapes of size {self.shapes.shape}; expected "
                f"{(len(self.shape_names), *self.template.shape)}."
            )

    def weights(self, motion: Motion) -> Float[np.ndarray, "frames shapes"]:
        """The motion's channels in the order of `shapes`.

        Raises:
            MotionError: the motion has another layout.
        """
        if motion.layout != self.layout:
            raise MotionError(
                f"Head '{self.name}' takes motion of layout '{self.layout.name}', "
                f"this one is '{motion.layout.name}'. Use `kinevox convert` to retarget it."
            )
        columns = [self.layout.index(name) for name in self.shape_names]
        return motion.values[:, columns]

    def vertices(
        self, motion: Motion, *, head_pose: bool = True
    ) -> Float[np.ndarray, "frames vertices 3"]:
        """Vertices of every frame [m]; without `head_pose` the skull stays still."""
        shapes = self.shapes.reshape(len(self.shape_names), -1)
        posed = self.weights(motion) @ shapes
        posed = posed.reshape(-1, *self.template.shape) + self.template
        if not head_pose:
            return posed
        turn = rotation.matrix_from_axis_angle(motion.group("head"))
        return posed @ np.swapaxes(turn, -1, -2)


def inner_lip_gap(
    vertices: Float[np.ndarray, "frames vertices 3"], regions: Regions
) -> Float[np.ndarray, " frames"]:
    """Opening of the mouth [m]: the largest vertical gap over the inner-lip columns, never below 0.

    Vertices must be without head pose. Overlapping lips count as closed.
    """
    upper, lower = regions.inner_lip_pairs[:, 0], regions.inner_lip_pairs[:, 1]
    gaps = vertices[:, upper, 1] - vertices[:, lower, 1]
    return np.maximum(gaps.max(axis=1), 0.0)
