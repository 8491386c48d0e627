"""Motion carried between heads: what must come back, and what must stay within bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear
from synthetic import toy_head, toy_motion
from synthetic_faces import arkit_face, flame_file

from kinevox import _correspondence
from kinevox._bounded import bounded_least_squares
from kinevox._correspondence import correspond
from kinevox.errors import AssetError, MotionError
from kinevox.heads import BlendshapeHead, Regions, inner_lip_gap
from kinevox.heads.flame import FlameHead, load_flame
from kinevox.motion import Motion
from kinevox.retarget import retarget


@pytest.fixture(scope="module")
def fine() -> BlendshapeHead:
    return arkit_face(31, 41)


@pytest.fixture(scope="module")
def coarse() -> BlendshapeHead:
    """The same formulas on another grid, larger and elsewhere."""
    head = arkit_face(25, 33, scale=1.2)
    return replace(head, template=head.template + np.float32([0.01, 0.2, -0.05]))


@pytest.fixture(scope="module")
def flame(tmp_path_factory: pytest.TempPathFactory) -> FlameHead:
    folder = tmp_path_factory.mktemp("flame")
    path = folder / "flame.npz"
    content = {k: v for k, v in flame_file().items() if not isinstance(v, str)}
    np.savez(path, **{**content, "J_regressor": content["J_regressor"].toarray()})
    return load_flame(path)


def speech_like(frames: int = 40, seed: int = 0) -> Motion:
    """About half of the weights at rest at any time."""
    motion = toy_motion(frames, seed=seed)
    values = motion.values.copy()
    values[:, :52] = np.clip(values[:, :52] - 0.4, 0, None)
    return motion.replace(values=values)


def distances_mm(head, first: Motion, second: Motion) -> np.ndarray:
    return 1000 * np.linalg.norm(head.vertices(first) - head.vertices(second), axis=-1)


@given(seed=st.integers(0, 10_000), size=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_solver_equals_scipy(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size + 5, size)) * 10 ** rng.uniform(-1, 1, size)
    goals = rng.normal(size=(4, size + 5))
    low, high = -rng.random(size), rng.random(size)
    low[::3], high[1::3] = -np.inf, np.inf
    found = bounded_least_squares(matrix.T @ matrix, goals @ matrix, low, high, np.zeros((4, size)))
    for row, goal in zip(found, goals, strict=True):
        best = lsq_linear(matrix, goal, bounds=(low, high), tol=1e-12)
        np.testing.assert_allclose(row, best.x, atol=2e-4 * max(1, np.abs(best.x).max()))
        assert (row >= low).all() and (row <= high).all()


@pytest.mark.parametrize("make", [toy_head, arkit_face])
def test_a_head_onto_itself_recovers_the_movement(make) -> None:
    head, motion = make(), speech_like()
    result = retarget(motion, head, head)
    assert result.max_error_mm.max() < 0.05
    assert distances_mm(head, motion, result.motion).max() < 0.05
    np.testing.assert_array_equal(result.motion.group("head"), motion.group("head"))


def test_flame_onto_itself_recovers_expression_and_jaw(flame: FlameHead) -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(0, 0.4, (12, flame.layout.num_channels))
    values[:, flame.layout.group("jaw")] = rng.uniform(0, 1, (12, 3)) * [0.4, 0.1, 0.1]
    motion = Motion(values, layout=flame.layout)
    result = retarget(motion, flame, flame)
    assert result.max_error_mm.max() < 0.05
    jaws = [each.group("jaw") for each in (motion, result.motion)]
    np.testing.assert_allclose(*jaws, atol=2e-3)


def test_another_topology_shows_the_same_movement(
    fine: BlendshapeHead, coarse: BlendshapeHead
) -> None:
    motion = speech_like()
    result = retarget(motion, fine, coarse)
    # Both heads follow the same formulas, so the right answer is the motion itself.
    away = distances_mm(coarse, motion, result.motion)
    assert away.mean() < 0.1 and away.max() < 2
    assert result.mean_error_mm.max() < 0.15
    gaps = [
        inner_lip_gap(head.vertices(clip, head_pose=False), head.regions)
        for head, clip in ((coarse, motion), (coarse, result.motion))
    ]
    np.testing.assert_allclose(*gaps, atol=5e-4)
    back = retarget(result.motion, coarse, fine)
    assert distances_mm(fine, motion, back.motion).mean() < 0.1


def test_correspondence_keeps_the_lips_apart(fine: BlendshapeHead, coarse: BlendshapeHead) -> None:
    link = correspond(fine, coarse)
    places = np.einsum("pc,pcd->pd", link.shares, fine.template[link.corners])
    truth = (coarse.template[link.target_vertices] - np.float32([0.01, 0.2, -0.05])) / 1.2
    assert np.percentile(np.linalg.norm(places - truth, axis=1), 95) < 2e-3
    np.testing.assert_allclose(np.linalg.det(link.turn), 1.2**3, rtol=0.04)
    jaw = fine.shape_names.index("jawOpen")
    carried = link.carry(fine.shapes[[jaw]])[0]
    expected = coarse.shapes[jaw][link.target_vertices]
    assert np.linalg.norm(carried - expected, axis=1).max() < 4e-3, (
        "20 mm if a lip is taken for the other"
    )


def test_arkit_to_flame_and_back(fine: BlendshapeHead, flame: FlameHead) -> None:
    # Only opening turns the jaw here; the face's other jaw shapes are shifts that FLAME lacks.
    motion = speech_like().with_channels(jawForward=0, jawLeft=0, jawRight=0)
    there = retarget(motion, fine, flame)
    assert there.motion.layout == flame.layout
    np.testing.assert_array_equal(there.motion.group("head"), motion.group("head"))
    jaw_x = there.motion["jaw_x"]
    assert np.corrcoef(jaw_x, motion["jawOpen"])[0, 1] > 0.9
    assert (np.abs(there.motion.group("jaw")) <= [0.7, 0.2, 0.2]).all()
    movement = np.linalg.norm(fine.vertices(motion, head_pose=False) - fine.template, axis=-1)
    assert there.mean_error_mm.mean() < 0.25 * 1000 * movement.mean()
    back = retarget(there.motion, flame, fine)
    # FLAME's coarse basis cannot show everything; most of the movement survives.
    assert distances_mm(fine, motion, back.motion).mean() < 0.3 * 1000 * movement.mean()
    gaps = [
        inner_lip_gap(fine.vertices(clip, head_pose=False), fine.regions)
        for clip in (motion, back.motion)
    ]
    assert np.corrcoef(*gaps)[0, 1] > 0.98


def test_weights_stay_within_their_range(fine: BlendshapeHead, coarse: BlendshapeHead) -> None:
    values = speech_like().values.copy()
    values[:, :52] = 3 * values[:, :52] - 1
    exaggerated = Motion(values)
    result = retarget(exaggerated, fine, coarse)
    weights = result.motion.group("expression")
    assert weights.min() >= 0 and weights.max() <= 1
    assert result.mean_error_mm.mean() > 0.5, "what cannot be shown is reported"


def test_error_is_the_distance_that_remains(fine: BlendshapeHead) -> None:
    kept = [name for name in fine.shape_names if not name.startswith("jaw")]
    rows = [fine.shape_names.index(name) for name in kept]
    jawless = replace(fine, shape_names=tuple(kept), shapes=fine.shapes[rows])
    motion = speech_like(5)
    result = retarget(motion, fine, jawless)
    # Same topology, so that the remaining distance can be measured on every vertex.
    heads = ((fine, motion), (jawless, result.motion))
    shown, wanted = (head.vertices(clip, head_pose=False) for head, clip in heads)
    away = 1000 * np.linalg.norm(shown - wanted, axis=-1)
    np.testing.assert_allclose(result.mean_error_mm, away.mean(axis=1), rtol=1e-3)
    np.testing.assert_allclose(result.max_error_mm, away.max(axis=1), rtol=1e-3)
    assert f"{result.max_error_mm.max():.1f} mm" in str(result)
    assert str(result) in result.motion.metadata["retargeted"]


def test_channels_that_no_shared_surface_shows_are_copied(
    fine: BlendshapeHead, coarse: BlendshapeHead
) -> None:
    shapes = coarse.shapes.copy()
    shapes[coarse.shape_names.index("tongueOut")] = 0
    motion = speech_like()
    result = retarget(motion, fine, replace(coarse, shapes=shapes))
    np.testing.assert_array_equal(result.motion["tongueOut"], motion["tongueOut"])


def test_blocks_do_not_show(fine, coarse, flame, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = speech_like(20)
    whole = retarget(motion, fine, coarse)
    monkeypatch.setattr("kinevox.retarget._BLOCK", 7)
    parts = retarget(motion, fine, coarse)
    np.testing.assert_allclose(whole.motion.values, parts.motion.values, atol=1e-4)
    assert retarget(motion.replace(values=motion.values[:0]), fine, flame).motion.num_frames == 0


def test_closest_place_on_a_triangle_equals_a_search() -> None:
    rng = np.random.default_rng(9)
    corners, points = rng.normal(size=(40, 3, 3)), rng.normal(size=(40, 3))
    steps = np.linspace(0, 1, 60)
    grid = np.array([(1 - s - t, s, t) for s in steps for t in steps if s + t <= 1 + 1e-9])
    shares = _correspondence._closest_shares(corners, points)
    found = np.linalg.norm(np.einsum("nc,ncd->nd", shares, corners) - points, axis=1)
    searched = np.linalg.norm(np.einsum("gc,ncd->gnd", grid, corners) - points, axis=-1).min(axis=0)
    assert (found <= searched + 1e-9).all() and (searched - found < 0.05).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares >= 0).all()


def test_heads_that_cannot_be_matched_are_refused(
    fine: BlendshapeHead, coarse: BlendshapeHead, flame: FlameHead
) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    mute = replace(coarse, name="mute", regions=Regions(nothing, nothing.reshape(0, 2), nothing))
    with pytest.raises(AssetError, match="'mute' has no known lips"):
        retarget(speech_like(2), fine, mute)
    turned = replace(coarse, template=coarse.template * np.float32([-1, 1, -1]))
    with pytest.raises(AssetError, match="looks backwards"):
        retarget(speech_like(2), fine, turned)
    with pytest.raises(MotionError, match="takes motion of layout 'flame'"):
        retarget(speech_like(2), flame, fine)


@pytest.mark.slow
def test_anny_onto_an_avatar() -> None:
    from kinevox.heads.anny import load_anny

    anny, face = load_anny(), arkit_face()
    result = retarget(speech_like(), anny, face)
    assert np.isfinite(result.motion.values).all()
    assert np.corrcoef(result.motion["jawOpen"], speech_like()["jawOpen"])[0, 1] > 0.9


def test_convert_with_a_source_head_reports_its_error(tmp_path):
    """Also between heads of one layout, where the weights alone would pass."""
    from kinevox import api
    from kinevox.retarget import RETARGETED

    api.convert(toy_motion(), tmp_path / "in.npz")
    clip = api.convert(tmp_path / "in.npz", tmp_path / "out.npz", source_head="anny")
    assert "mm" in clip.metadata[RETARGETED]
