"""How much of the surroundings each point of a head sees, baked once at rest.

The head is looked at from many directions; a vertex sees the direction from which it is seen.
What it sees becomes a small spherical-harmonic function, so that the soft shadow of a lamp follows
the turning head at the price of one small matrix product per frame.

Source: Sloan, Kautz and Snyder 2002 (precomputed radiance transfer), visibility only, order 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinevox.rendering.opengl import off_screen_window

_DIRECTIONS = 96
_PIXELS = 256
_MARGIN = 0.012
"""A vertex is looked for this far above its surface, in radii, so that it does not hide itself."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """Visibility of every vertex."""

    openness: Float[np.ndarray, " vertices"]
    """Share of the hemisphere above the surface that is open, weighted by cosine."""
    coefficients: Float[np.ndarray, "vertices 9"]

    def seen(self, direction: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " vertices"]:
        """How much of a broad lamp in a direction (in the head's own axes) each vertex sees."""
        return np.clip(self.coefficients @ _harmonics(direction[None])[0], 0, 1)

    def where(self, chosen: np.ndarray, other: Occlusion) -> Occlusion:
        """This one where `chosen`, the other elsewhere."""
        return Occlusion(
            np.where(chosen, self.openness, other.openness),
            np.where(chosen[:, None], self.coefficients, other.coefficients),
        )

    def evened(self, part: slice) -> Occlusion:
        """One visibility for all vertices of a part: the mean of those that see out well."""
        openness, coefficients = self.openness.copy(), self.coefficients.copy()
        outer = openness[part] >= 0.5 * openness[part].max(initial=0.0)
        openness[part] = openness[part][outer].mean()
        coefficients[part] = coefficients[part][outer].mean(axis=0)
        return Occlusion(openness, coefficients)


def bake(
    vertices: Float[np.ndarray, "vertices 3"],
    normals: Float[np.ndarray, "vertices 3"],
    triangles: Int[np.ndarray, "triangles 3"],
) -> Occlusion:
    """Looks at the mesh from all around."""
    directions = _sphere(_DIRECTIONS)
    facing = np.maximum(normals @ directions.T, 0).astype(np.float32)
    seen = _seen_from(directions, vertices, normals, triangles)
    openness = (facing * seen).sum(axis=1) / np.maximum(facing.sum(axis=1), 1e-6)

    # Least squares per vertex over the directions above its surface; the ridge pulls what little
    # is known there towards plain openness.
    basis = _harmonics(directions)
    normal_matrix = np.einsum("vd,di,dj->vij", facing, basis, basis, optimize=True)
    ridge = 0.6 * np.eye(9)
    residual = facing * (seen - openness[:, None])
    fitted = np.linalg.solve(normal_matrix + ridge, (residual @ basis)[..., None])[..., 0]
    fitted[:, 0] += openness / basis[0, 0]
    return Occlusion(openness.astype(np.float32), fitted.astype(np.float32))


def _seen_from(
    directions, vertices, normals, triangles
) -> Float[np.ndarray, "vertices directions"]:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkFloatArray
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer

    from kinevox.rendering.mesh import poly_data

    centre = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    radius = float(np.linalg.norm(vertices - centre, axis=1).max()) * 1.02
    window = off_screen_window(_PIXELS, _PIXELS)
    window.SetMultiSamples(0)
    renderer, actor, mapper = vtkRenderer(), vtkActor(), vtkPolyDataMapper()
    mapper.SetInputData(poly_data(vertices, triangles))
    actor.SetMapper(mapper)
    renderer.AddActor(actor)
    window.AddRenderer(renderer)
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetParallelScale(radius)

    probes = vertices - centre + _MARGIN * radius * normals
    depth = vtkFloatArray()
    seen = np.empty((len(vertices), len(directions)), dtype=np.float32)
    for column, direction in enumerate(directions):
        up = np.eye(3)[np.argmin(np.abs(direction))]
        right = np.cross(up, direction)
        right /= np.linalg.norm(right)
        up = np.cross(direction, right)
        camera.SetFocalPoint(*centre)
        camera.SetPosition(*(centre + 2 * radius * direction))
        camera.SetViewUp(*up)
        camera.SetClippingRange(radius, 3 * radius)
        window.Render()
        window.GetZbufferData(0, 0, _PIXELS - 1, _PIXELS - 1, depth)
        nearest = vtk_to_numpy(depth).reshape(_PIXELS, _PIXELS)
        x, y, z = (probes @ np.stack([right, up, direction]).T / radius).T
        column_at, row_at = (
            np.clip(((axis + 1) / 2 * _PIXELS).astype(int), 0, _PIXELS - 1) for axis in (x, y)
        )
        seen[:, column] = (1 - z) / 2 <= nearest[row_at, column_at]
    window.Finalize()
    return seen


def _sphere(count: int) -> Float[np.ndarray, "count 3"]:
    """Directions spread evenly along a golden spiral."""
    y = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    ring = np.sqrt(1 - y * y)
    return np.stack([ring * np.cos(angle), y, ring * np.sin(angle)], axis=1)


def _harmonics(directions: Float[np.ndarray, "count 3"]) -> Float[np.ndarray, "count 9"]:
    """Real spherical harmonics up to order 2."""
    x, y, z = directions.T
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        axis=1,
    )
