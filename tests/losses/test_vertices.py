"""Distances of vertices without vertices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from synthetic import toy_head, toy_motion
from synthetic_faces import flame_file

from kinevox import rotation
from kinevox.errors import MotionError
from kinevox.heads.flame import FlameHead, load_flame
from kinevox.losses.vertices import embedding, rotation_matrix
from kinevox.motion import ARKIT, Motion, flame_layout


@pytest.fixture(scope="module")
def flame(tmp_path_factory: pytest.TempPathFactory) -> FlameHead:
    model = flame_file()
    model["J_regressor"] = model["J_regressor"].toarray()
    path = tmp_path_factory.mktemp("flame") / "flame.npz"
    np.savez(path, **{k: v for k, v in model.items() if isinstance(v, np.ndarray)})
    return load_flame(path)


def mean_square(head, vertices, a: Motion, b: Motion) -> np.ndarray:
    chosen = slice(None) if vertices is None else vertices
    apart = (head.vertices(a, head_pose=False) - head.vertices(b, head_pose=False))[:, chosen]
    return (apart**2).mean(axis=(1, 2))


@pytest.mark.parametrize("lips", [False, True])
def test_a_linear_head_needs_no_vertices(lips: bool) -> None:
    head = toy_head()
    vertices = head.regions.lips if lips else None
    embed = embedding(head, ARKIT, vertices)
    a, b = toy_motion(seed=1), toy_motion(seed=2)
    near = embed(torch.tensor(a.values)) - embed(torch.tensor(b.values))
    assert near.shape == (30, 52)
    expected = mean_square(head, vertices, a, b)
    np.testing.assert_allclose(near.square().mean(1), expected, rtol=1e-4)


def test_the_default_head_too(anny_head) -> None:
    embed = embedding(anny_head, ARKIT)
    a, b = toy_motion(seed=1), toy_motion(seed=2)
    near = embed(torch.tensor(a.values)) - embed(torch.tensor(b.values))
    expected = mean_square(anny_head, None, a, b)
    np.testing.assert_allclose(near.square().mean(1), expected, rtol=1e-4)


@pytest.mark.parametrize("lips", [False, True])
def test_flame_in_torch_is_flame(flame: FlameHead, lips: bool) -> None:
    rng = np.random.default_rng(0)
    layout = flame_layout(50)
    values = rng.normal(0, 0.3, (5, layout.num_channels)).astype(np.float32)
    motion = Motion(values, layout=layout)
    vertices = flame.regions.lips if lips else None
    expected = flame.vertices(motion, head_pose=False)
    expected = expected if vertices is None else expected[:, vertices]
    found = embedding(flame, layout, vertices)(torch.tensor(values))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-5)


def test_rotations_are_smooth_at_rest() -> None:
    angles = torch.tensor([[0.0, 0, 0], [1e-4, 0, -2e-4], [0.4, -1.0, 0.2]], requires_grad=True)
    turned = rotation_matrix(angles)
    expected = rotation.matrix_from_axis_angle(angles.detach().double().numpy())
    np.testing.assert_allclose(turned.detach(), expected, atol=1e-6)
    turned.sum().backward()
    assert angles.grad is not None and torch.isfinite(angles.grad).all()


def test_another_layout_is_refused() -> None:
    with pytest.raises(MotionError, match=r"--network\.head"):
        embedding(toy_head(), flame_layout(50))
