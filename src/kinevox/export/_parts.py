"""A blendshape head as meshes: one per part, each with only the shapes that move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinevox.errors import MotionError
from kinevox.export._base import Animation
from kinevox.heads import BlendshapeHead

STILL = 1e-6
"""Displacements below this are left out [m]."""

NORMAL_STILL = 0.02
"""Changes of unit normals below this are left out: about one degree."""


@dataclass(frozen=True, eq=False)
class PartMesh:
    """Vertices of one part, numbered from zero."""

    name: str
    rows: Int[np.ndarray, " vertices"]
    """The same vertices in the head's template."""
    points: Float[np.ndarray, "vertices 3"]
    normals: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    shape_names: tuple[str, ...]
    shapes: Float[np.ndarray, "shapes vertices 3"]
    normal_shapes: Float[np.ndarray, "shapes vertices 3"]
    """Change of the normals under each shape."""
    colors: Float[np.ndarray, "vertices 3"] | None


def blendshape_head(animation: Animation, format_name: str) -> BlendshapeHead:
    """The animation's head, when it can be drawn by morph targets.

    Raises:
        MotionError: the head has none, the motion does not fit it, or there are no frames.
    """
    head = animation.load_head()
    if not isinstance(head, BlendshapeHead):
        raise MotionError(
            f"{format_name} needs a head made of blendshapes; head '{head.name}' is posed by "
            "skinning. Export it on Anny: kinevox convert MOTION --source-head flame:FILE -o OUTPUT"
        )
    head.weights(animation.motion)
    if animation.motion.num_frames == 0:
        raise MotionError(f"The motion has no frames; {format_name} needs at least one.")
    return head


def part_meshes(head: BlendshapeHead) -> list[PartMesh]:
    """Splits the head; a triangle belongs to the part of its first corner."""
    normals = vertex_normals(head.template, head.triangles)
    normal_shapes = np.stack(
        [vertex_normals(head.template + shape, head.triangles) - normals for shape in head.shapes]
    )
    meshes = []
    for part in head.parts:
        first = head.triangles[:, 0]
        triangles = head.triangles[(first >= part.start) & (first < part.stop)]
        if not len(triangles):
            continue
        rows, local = np.unique(triangles, return_inverse=True)
        shapes = head.shapes[:, rows]
        moving = np.flatnonzero((np.abs(shapes) > STILL).any(axis=(1, 2)))
        meshes.append(
            PartMesh(
                name=part.name,
                rows=rows,
                points=head.template[rows].astype(np.float32),
                normals=normals[rows],
                triangles=local.reshape(-1, 3),
                shape_names=tuple(head.shape_names[i] for i in moving),
                shapes=shapes[moving].astype(np.float32),
                normal_shapes=normal_shapes[moving][:, rows],
                colors=None if head.colors is None else head.colors[rows],
            )
        )
    return meshes


def vertex_normals(
    points: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "triangles 3"]
) -> Float[np.ndarray, "vertices 3"]:
    """Unit normals, each the mean of its triangles' normals weighted by their areas."""
    a, b, c = (points[triangles[:, k]].astype(np.float64) for k in range(3))
    faces = np.cross(b - a, c - a)
    sums = np.zeros((len(points), 3))
    for k in range(3):
        np.add.at(sums, triangles[:, k], faces)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    # A vertex without area still needs a unit normal.
    unit = np.where(lengths > 1e-20, sums / np.maximum(lengths, 1e-20), [0.0, 0.0, 1.0])
    return unit.astype(np.float32)


def provenance(animation: Animation) -> dict[str, str]:
    """What is known about the motion's origin, as written into files."""
    from kinevox import __version__

    generator = {"generator": f"kinevox {__version__}"}
    return generator | dict(animation.motion.metadata) | dict(animation.metadata)
