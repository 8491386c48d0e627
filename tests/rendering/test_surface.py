"""Subdivision and normals obey the laws of smooth surfaces."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from synthetic import toy_head

from kinevox.rendering.surface import build_surface, subdivision

HEAD = toy_head()


def icosphere(levels: int) -> tuple[np.ndarray, np.ndarray]:
    golden = (1 + 5**0.5) / 2
    corners = np.array(
        [np.roll((0, a, b * golden), k) for a in (-1, 1) for b in (-1, 1) for k in range(3)]
    )
    points = corners / np.linalg.norm(corners[0])
    triangles = ConvexHull(points).simplices
    facing = np.linalg.det(points[triangles]) > 0
    triangles[~facing] = triangles[~facing, ::-1]
    for _ in range(levels):
        refine, triangles = subdivision(triangles, len(points))
        points = refine @ points
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, triangles


def test_counts_follow_euler() -> None:
    refine, fine = subdivision(HEAD.triangles, len(HEAD.template))
    sides = np.sort(HEAD.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert len(fine) == 4 * len(HEAD.triangles)
    assert refine.shape[0] == len(HEAD.template) + len(np.unique(sides, axis=0))


@given(st.lists(st.floats(-2, 2), min_size=12, max_size=12))
def test_commutes_with_affine_maps(numbers: list[float]) -> None:
    linear, shift = np.reshape(numbers[:9], (3, 3)), np.array(numbers[9:])
    surface = build_surface(HEAD.triangles, len(HEAD.template))
    moved = surface.positions(HEAD.template @ linear + shift)
    np.testing.assert_allclose(moved, surface.positions(HEAD.template) @ linear + shift, atol=1e-5)


def test_paint_stays_within_its_range() -> None:
    surface = build_surface(HEAD.triangles, len(HEAD.template))
    paint = surface.spread @ np.eye(len(HEAD.template))[:, ::5]
    assert paint.min() >= 0 and paint.max() <= 1


def test_passes_nearly_through_the_coarse_vertices() -> None:
    surface = build_surface(HEAD.triangles, len(HEAD.template))
    fine = surface.positions(HEAD.template)
    plain = subdivision(HEAD.triangles, len(HEAD.template))[0] @ HEAD.template
    moved, shrunk = (
        np.linalg.norm(p[: len(HEAD.template)] - HEAD.template, axis=1).max() for p in (fine, plain)
    )
    assert moved < 0.35 * shrunk


def test_a_sphere_gets_rounder_and_its_normals_point_out() -> None:
    points, triangles = icosphere(1)
    surface = build_surface(triangles, len(points))
    fine = surface.positions(points)
    radii = np.linalg.norm(fine, axis=1)
    chords = np.linalg.norm(points[triangles].mean(axis=1), axis=1)
    assert np.ptp(radii) < 0.2 * (1 - chords.min())
    outward = (surface.normals(fine) * fine).sum(axis=1) / radii
    assert outward.min() > 0.999
