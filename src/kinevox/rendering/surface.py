"""Smoother surfaces from coarse ones: Loop subdivision and vertex normals as sparse matrices.

Both depend on the triangles alone, so they are built once per head and cost two sparse products
per frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh ready to be moved frame after frame."""

    triangles: Int[np.ndarray, "triangles 3"]
    num_vertices: int
    place: sparse.csr_array
    """(fine, coarse): positions to positions, passing nearly through the coarse ones."""
    spread: sparse.csr_array
    """(fine, coarse): anything else given per vertex; never leaves the range of its values."""
    gather: sparse.csr_array
    """(fine, triangles): sums the area vectors of the triangles around each vertex."""

    def positions(self, coarse: Float[np.ndarray, "coarse 3"]) -> Float[np.ndarray, "fine 3"]:
        return self.place @ coarse

    def normals(self, fine: Float[np.ndarray, "fine 3"]) -> Float[np.ndarray, "fine 3"]:
        """Unit normals, each the area-weighted mean of the triangles around a vertex."""
        return vertex_normals(fine, self.triangles, self.gather)


def build_surface(
    triangles: Int[np.ndarray, "triangles 3"], num_vertices: int, levels: int = 1
) -> Surface:
    """The mesh after some levels of subdivision."""
    place = spread = _identity(num_vertices)
    for _ in range(levels):
        coarse = num_vertices
        step, triangles = subdivision(triangles, coarse)
        num_vertices = int(triangles.max()) + 1
        # Loop's scheme shrinks, which would part closed lips. Two terms of the series for the
        # inverse of what it does to the old vertices bring these back, nearly, beforehand.
        shrink = _identity(coarse) - step[:coarse]
        place = step @ (_identity(coarse) + shrink + shrink @ shrink) @ place
        spread = step @ spread
    gather = gather_matrix(triangles, num_vertices)
    return Surface(triangles.astype(np.int32), num_vertices, place, spread, gather)


def _identity(size: int) -> sparse.csr_array:
    return sparse.csr_array(sparse.diags_array(np.ones(size, np.float32)))


def gather_matrix(triangles: Int[np.ndarray, "triangles 3"], num_vertices: int) -> sparse.csr_array:
    """(vertices, triangles): 1 where a triangle touches a vertex."""
    owners = np.repeat(np.arange(len(triangles)), 3)
    ones = np.ones(triangles.size, dtype=np.float32)
    return sparse.csr_array((ones, (triangles.ravel(), owners)), (num_vertices, len(triangles)))


def vertex_normals(
    vertices: Float[np.ndarray, "vertices 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    gather: sparse.csr_array,
) -> Float[np.ndarray, "vertices 3"]:
    """Unit normals, each the area-weighted mean of the triangles around a vertex."""
    a, b, c = (vertices.take(triangles[:, k], axis=0) for k in range(3))
    ab, ac = b - a, c - a
    area = np.empty_like(ab)
    # np.cross spends more time on shuffling axes than on the products.
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        area[:, k] = ab[:, i] * ac[:, j] - ab[:, j] * ac[:, i]
    summed = gather @ area
    length = np.sqrt(np.einsum("vk,vk->v", summed, summed))
    return summed / np.maximum(length, 1e-20)[:, None]


def subdivision(
    triangles: Int[np.ndarray, "triangles 3"], num_vertices: int
) -> tuple[sparse.csr_array, Int[np.ndarray, "fine_triangles 3"]]:
    """One level of Loop's scheme as a matrix, and the fine triangles, four per coarse one.

    Open borders become cubic B-splines of themselves. Vertices where several borders meet stay.

    Source: Loop 1987; border rules of Hoppe et al. 1994; weights of Warren 1995.
    """
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, side_edge, uses = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    side_edge = side_edge.ravel()
    edge_rows = num_vertices + np.arange(len(edges))
    opposite = triangles[:, [2, 0, 1]].ravel()
    border = uses != 2

    # New vertex on each edge: 3/8 of its ends, 1/8 of the two vertices across; 1/2 on a border.
    inner_side = ~border[side_edge]
    rows = [edge_rows.repeat(2), edge_rows[side_edge[inner_side]]]
    columns = [edges.ravel(), opposite[inner_side]]
    weights = [np.where(border, 0.5, 0.375).repeat(2), np.full(inner_side.sum(), 0.125)]

    # Old vertices move towards their neighbours; those on a border only along it.
    ends, others = edges.ravel(), edges[:, ::-1].ravel()
    end_border = border.repeat(2)
    valence = np.bincount(ends, minlength=num_vertices)
    border_valence = np.bincount(ends[end_border], minlength=num_vertices)
    beta = np.where(valence > 3, 0.375 / np.maximum(valence, 1), 0.1875)
    beta[border_valence > 0] = 0
    pull = np.where(
        end_border & (border_valence[ends] == 2), 0.125, np.where(end_border, 0, beta[ends])
    )
    kept = 1 - np.bincount(ends, weights=pull, minlength=num_vertices)
    rows += [ends, np.arange(num_vertices)]
    columns += [others, np.arange(num_vertices)]
    weights += [pull, kept]

    refine = sparse.csr_array(
        (
            np.concatenate(weights).astype(np.float32),
            (np.concatenate(rows), np.concatenate(columns)),
        ),
        shape=(num_vertices + len(edges), num_vertices),
    )
    refine.eliminate_zeros()
    ab, bc, ca = (edge_rows[side_edge.reshape(-1, 3)[:, k]] for k in range(3))
    a, b, c = triangles.T
    fine = np.stack([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]])
    return refine, fine.transpose(2, 0, 1).reshape(-1, 3)
