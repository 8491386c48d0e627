"""The picture shows the head: its mouth, its turn, its place in the frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from synthetic import toy_head
from test_surface import icosphere

from kinevox.heads import BlendshapeHead, Part
from kinevox.motion import ARKIT, Motion
from kinevox.rendering.neck import find_neck
from kinevox.rendering.occlusion import bake
from kinevox.rendering.scene import Scene
from kinevox.rendering.video import render_image

pytestmark = pytest.mark.usefixtures("opengl")


def spotted_head() -> BlendshapeHead:
    """The toy head as one skin with spots, whose jawOpen lowers its lower lip and nothing else."""
    head = toy_head()
    shapes = head.shapes.copy()
    others = np.ones(len(head.template), dtype=bool)
    others[head.regions.inner_lip_pairs[:, 1]] = False
    shapes[head.shape_names.index("jawOpen"), others] = 0
    spots = np.random.default_rng(0).random(head.template.shape).astype(np.float32)
    parts = (Part("skin", 0, len(head.template)),)
    return replace(head, parts=parts, shapes=shapes, colors=spots)


HEAD = spotted_head()
REST = Motion(ARKIT.neutral[None])


@pytest.fixture(scope="module")
def scene(opengl: None) -> Iterator[Scene]:
    with Scene(HEAD, (160, 160)) as scene:
        yield scene


def test_the_same_pose_gives_the_same_picture(scene: Scene) -> None:
    first = scene.draw(HEAD.template)
    scene.draw(HEAD.template * 0.8, np.array([0.3, 0.2, 0.1]))
    np.testing.assert_array_equal(scene.draw(HEAD.template), first)
    assert first.shape == (160, 160, 3)


def test_an_open_mouth_changes_only_the_mouth() -> None:
    pictures = [
        render_image(HEAD, REST.with_channels(jawOpen=open_), size=(160, 160)).astype(int)
        for open_ in (0.0, 1.0)
    ]
    changed = np.abs(pictures[0] - pictures[1]).max(axis=-1) > 8
    assert changed[80:140].sum() > 200
    assert not changed[:60].any()


def test_head_turn_and_turntable_move_the_picture(scene: Scene) -> None:
    rest = scene.draw(HEAD.template).astype(int)
    for turned in (
        scene.draw(HEAD.template, np.array([0.0, 0.4, 0.0])),
        scene.draw(HEAD.template, orbit=1.0),
    ):
        assert (np.abs(turned - rest).max(axis=-1) > 8).sum() > 300


def test_a_full_turn_of_the_table_ends_where_it_began(scene: Scene) -> None:
    rest = scene.draw(HEAD.template).astype(int)
    again = scene.draw(HEAD.template, orbit=2 * np.pi)
    assert np.abs(again - rest).max() <= 2


@pytest.mark.parametrize("size", [(200, 120), (120, 200)])
def test_the_head_fits_any_frame(size: tuple[int, int]) -> None:
    """Nothing of the head touches the border: there the picture is the bare wall."""
    picture = render_image(HEAD, REST, size=size).astype(int)
    far = HEAD.template + np.array([0, 0, -50], np.float32)
    with Scene(HEAD, size) as scene:
        wall = scene.draw(far).astype(int)
    differs = np.abs(picture - wall).max(axis=-1) > 4
    assert differs.any()
    border = np.ones_like(differs)
    border[3:-3, 3:-3] = False
    assert not (differs & border).any()


def test_convex_bodies_are_open_and_hollows_are_not() -> None:
    points, triangles = icosphere(2)
    alone = bake(points, points, triangles)
    assert alone.openness.min() > 0.9
    # Inside a larger shell the same ball sees nothing.
    shell = bake(
        np.concatenate([points, 2 * points]),
        np.concatenate([points, points]),
        np.concatenate([triangles, triangles + len(points)]),
    )
    assert shell.openness[: len(points)].max() < 0.1
    assert shell.openness[len(points) :].min() > 0.9


def test_the_neck_stays_and_the_face_turns_rigidly() -> None:
    neck = find_neck(HEAD)
    turn = np.array([0.0, 0.5, 0.0])
    moved = neck.turn(HEAD.template, turn)
    cut = neck.share == 0
    assert cut.sum() == 12
    np.testing.assert_array_equal(moved[cut], HEAD.template[cut])
    rigid = neck.share == 1
    before, after = (
        np.linalg.norm(v[rigid][:, None] - v[rigid][None], axis=-1) for v in (HEAD.template, moved)
    )
    np.testing.assert_allclose(after, before, atol=1e-6)
