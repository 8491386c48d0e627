"""The shape of a captured person on FLAME."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinevox import rotation
from kinevox.capture import Camera, Capture, Shot
from kinevox.capture.correspond import load_table
from kinevox.capture.flame_shape import flame_shape
from kinevox.errors import MotionError
from kinevox.heads import BlendshapeHead
from kinevox.heads.flame import FlameHead, load_flame
from kinevox.motion import Motion

PERSON = np.array([1.5, -1.0, 0.8, 0.0])


def identities(template: np.ndarray) -> np.ndarray:
    """Wider, longer, a longer nose, and one that only the back of the head shows."""
    x, y, z = template.T
    modes = np.zeros((len(template), 3, 300))
    modes[:, 0, 0] = 0.04 * x
    modes[:, 1, 1] = 0.05 * y
    middle = (template - template[z.argmax()]) / 0.02
    modes[:, 2, 2] = 0.004 * np.exp(-(middle**2).sum(axis=1))
    modes[:, 2, 3] = np.where(z < 0, 0.01, 0.0)
    return modes


@pytest.fixture(scope="module")
def flame(anny_head: BlendshapeHead, tmp_path_factory: pytest.TempPathFactory) -> FlameHead:
    """Anny's skin in FLAME's structure."""
    skin = next(part for part in anny_head.parts if part.name == "skin")
    template = anny_head.template[skin.start : skin.stop].astype(float)
    inside = (anny_head.triangles < skin.stop).all(axis=1)
    v = len(template)
    shapedirs = np.zeros((v, 3, 400))
    shapedirs[..., :300] = identities(template)
    shapes = anny_head.shapes[:50, skin.start : skin.stop]
    shapedirs[..., 300:350] = np.moveaxis(shapes, 0, -1)
    open_jaw = -anny_head.shapes[anny_head.shape_names.index("jawOpen"), :v, 1]
    jaw = np.clip(open_jaw / np.percentile(open_jaw, 99), 0, 1)
    weights = np.zeros((v, 5))
    weights[:, 1], weights[:, 2] = 1 - jaw, jaw
    joints = np.array([[0, -5, 0], [0, -3, 0], [0, 0, 2.3], [3.6, 3, 8], [-3.6, 3, 8]]) / 100
    regressor = np.zeros((5, v))
    for row, joint in zip(regressor, joints, strict=True):
        near = np.linalg.norm(template - joint, axis=1).argsort()[:60]
        sums = np.vstack([template[near].T, np.ones(len(near))])
        row[near] = np.linalg.lstsq(sums, np.append(joint, 1), rcond=None)[0]
    path: Path = tmp_path_factory.mktemp("flame") / "flame.npz"
    np.savez(
        path, v_template=template, f=anny_head.triangles[inside], shapedirs=shapedirs,
        posedirs=np.zeros((v, 3, 36)), J_regressor=regressor, weights=weights,
        kintree_table=np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
    )  # fmt: skip
    return load_flame(path)


def captured(anny: BlendshapeHead, coefficients: np.ndarray) -> Capture:
    """Somebody of that shape, scaled and held otherwise than the average head, with errors."""
    person = anny.template + identities(anny.template)[..., :4] @ coefficients
    turn = rotation.matrix_from_axis_angle(np.array([0.05, 0.02, -0.01]))
    neutral = 1.03 * load_table().places(person) @ turn.T + [0.002, -0.01, 0.004]
    noise = np.random.default_rng(0).normal(0, 0.001, neutral.shape)
    one, nothing = np.ones(1), np.zeros((1, 55), np.float32)
    return Capture(
        Motion(nothing), np.zeros((1, 3)), Camera(500.0, (640, 480)), one, one, one,
        (Shot(0, 1),), {}, neutral + noise,
    )  # fmt: skip


def test_a_known_person_is_found(anny_head: BlendshapeHead, flame: FlameHead) -> None:
    found = flame_shape(captured(anny_head, PERSON), anny_head, flame)
    assert found.shape == (100,)
    # Size and a stretched height are partly one; what is left is the shape.
    assert found[2] == pytest.approx(PERSON[2], abs=0.35)
    assert found[0] - found[1] == pytest.approx(PERSON[0] - PERSON[1], abs=0.8)
    assert np.abs(found[4:]).max() < 1e-6, "shapes that move nothing stay average"


def test_the_average_face_has_no_shape(anny_head: BlendshapeHead, flame: FlameHead) -> None:
    found = flame_shape(captured(anny_head, np.zeros(4)), anny_head, flame)
    assert np.abs(found).max() < 0.3


def test_without_a_neutral_face_there_is_none(anny_head: BlendshapeHead, flame: FlameHead) -> None:
    with pytest.raises(MotionError, match="no neutral face"):
        flame_shape(replace(captured(anny_head, PERSON), neutral=None), anny_head, flame)
