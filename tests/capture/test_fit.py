"""Laws of the fit: what is projected from a known performance comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinevox import arkit, rotation
from kinevox.capture import Camera, Capture, Landmarks, Shot
from kinevox.capture.correspond import EYE_CORNERS, INNER_LIPS, LIDS, NUM_LANDMARKS, load_table
from kinevox.capture.fit import fit
from kinevox.capture.fit.model import UNSEEN
from kinevox.errors import ConfigError, MotionError
from kinevox.heads import BlendshapeHead, inner_lip_gap
from kinevox.motion import Motion

FPS = 25.0
SIZE = (640, 480)
CAMERA = Camera(900.0, SIZE)
VIEW = 2 * float(np.arctan(SIZE[0] / 2 / CAMERA.focal))


def performance(frames: int = 75) -> Motion:
    """Somebody who talks, blinks twice, looks about, raises the brows and turns the head."""
    t = np.arange(frames) / FPS
    syllables = np.maximum(np.sin(2 * np.pi * 2.1 * t), 0)
    rounding = np.maximum(np.sin(2 * np.pi * 0.9 * t + 2), 0)
    blink = sum(np.exp(-(((t - at) / 0.07) ** 4)) for at in (0.6, 2.0))
    look = 0.4 * np.sin(2 * np.pi * 0.5 * t)
    channels = {
        "jawOpen": 0.35 * syllables,
        "mouthPucker": 0.4 * rounding * (1 - syllables),
        "mouthSmileLeft": 0.4 * np.maximum(np.sin(2 * np.pi * 0.4 * t + 4), 0),
        "mouthSmileRight": 0.4 * np.maximum(np.sin(2 * np.pi * 0.4 * t + 4), 0),
        "browInnerUp": 0.5 * np.maximum(np.sin(2 * np.pi * 0.6 * t + 1), 0),
        "eyeBlinkLeft": blink,
        "eyeBlinkRight": blink,
        "eyeLookInLeft": np.maximum(look, 0),
        "eyeLookOutRight": np.maximum(look, 0),
        "eyeLookOutLeft": np.maximum(-look, 0),
        "eyeLookInRight": np.maximum(-look, 0),
        "head_y": 0.15 * np.sin(2 * np.pi * 0.4 * t),
        "head_x": 0.08 * np.sin(2 * np.pi * 0.7 * t),
    }
    return Motion(np.zeros((frames, 55)), FPS).with_channels(**channels)


def seen(
    motion: Motion, head: BlendshapeHead, *, noise: float = 0.0, camera: Camera = CAMERA
) -> Landmarks:
    """The landmarks of a head 0.8 m in front of a camera."""
    distance = 0.8
    places = load_table().places(head.vertices(motion)) + np.array([0.02, -0.01, -distance])
    pixels = camera.project(places)
    pixels = pixels + noise * np.random.default_rng(1).normal(size=pixels.shape)
    depth = places[..., 2].mean(axis=1, keepdims=True) - places[..., 2]
    points = np.dstack([pixels, depth * camera.focal / distance])
    return Landmarks(motion.times, points, np.arange(NUM_LANDMARKS), camera.size)


@pytest.fixture(scope="module")
def motion() -> Motion:
    return performance()


@pytest.fixture(scope="module")
def landmarks(motion: Motion, anny_head: BlendshapeHead) -> Landmarks:
    return seen(motion, anny_head, noise=0.3)


@pytest.fixture(scope="module")
def capture(landmarks: Landmarks) -> Capture:
    return fit(landmarks, field_of_view=VIEW)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_landmarks_lie_where_their_names_say(anny_head: BlendshapeHead) -> None:
    table = load_table()
    np.testing.assert_allclose(table.shares.sum(axis=1), 1, atol=1e-5)
    assert (table.partners[table.partners] == np.arange(NUM_LANDMARKS)).all()
    places = table.places(anny_head.template)
    for upper, lower in INNER_LIPS:
        # Lips touch at rest; the mouth opens between them.
        assert abs(places[upper, 1] - places[lower, 1]) < 0.001
        jaw = table.places(anny_head.shapes[arkit.NAMES.index("jawOpen")])
        assert jaw[upper, 1] - jaw[lower, 1] > 0.003
    for side, pairs in zip(("Left", "Right"), LIDS, strict=True):
        blink = table.places(anny_head.shapes[arkit.NAMES.index(f"eyeBlink{side}")])
        for upper, lower in pairs:
            rest = places[upper, 1] - places[lower, 1]
            left = rest + blink[upper, 1] - blink[lower, 1]
            assert rest > 0.005 and abs(left) < 0.5 * rest
    (left, _), (right, _) = EYE_CORNERS
    assert places[left, 0] > 0 > places[right, 0]


def test_performance_comes_back(motion: Motion, capture: Capture) -> None:
    for name in ("jawOpen", "mouthPucker", "mouthSmileLeft", "browInnerUp", "eyeBlinkLeft"):
        assert correlation(capture.motion[name], motion[name]) > 0.9, name
    for name in ("eyeLookInLeft", "eyeLookOutRight"):
        assert correlation(capture.motion[name], motion[name]) > 0.85, name
    off = np.abs(capture.motion.values[:, :52] - motion.values[:, :52])
    assert off.mean() < 0.04


def test_head_pose_comes_back(motion: Motion, capture: Capture) -> None:
    R = [
        rotation.matrix_from_axis_angle(m.group("head").astype(float))
        for m in (capture.motion, motion)
    ]
    off = rotation.axis_angle_from_matrix(R[0] @ np.swapaxes(R[1], 1, 2))
    assert np.degrees(np.abs(off).max()) < 3
    assert np.degrees(np.abs(off - off.mean(axis=0)).mean()) < 0.5
    np.testing.assert_allclose(capture.translation.mean(axis=0), [0.02, -0.01, -0.8], atol=0.03)


def test_lips_follow_and_close(motion: Motion, capture: Capture, anny_head: BlendshapeHead) -> None:
    got, true = (
        1000 * inner_lip_gap(anny_head.vertices(m, head_pose=False), anny_head.regions)
        for m in (capture.motion, motion)
    )
    assert correlation(got, true) > 0.99
    assert got[true < 0.1].max() < 1.0


def test_blinks_close(capture: Capture) -> None:
    for frame in (15, 50):
        for side in ("Left", "Right"):
            assert capture.motion[f"eyeBlink{side}"][frame - 1 : frame + 2].max() > 0.85


def test_weights_stay_in_range_and_the_unseen_at_rest(capture: Capture) -> None:
    weights = capture.motion.values[:, :52]
    assert weights.min() >= 0 and weights.max() <= 1
    for name in UNSEEN:
        assert (capture.motion[name] == 0).all()


def test_error_is_that_of_the_tracker(capture: Capture) -> None:
    assert capture.error_pixels.mean() < 0.8
    np.testing.assert_allclose(capture.face_pixels, 900 * 0.09 / 0.8, rtol=0.15)
    assert capture.confidence.min() > 0.9


def test_same_input_same_result(landmarks: Landmarks, capture: Capture) -> None:
    again = fit(landmarks, field_of_view=VIEW)
    np.testing.assert_array_equal(again.motion.values, capture.motion.values)


def test_scale_of_the_picture_does_not_matter(
    motion: Motion, landmarks: Landmarks, capture: Capture
) -> None:
    larger = replace(landmarks, points=3 * landmarks.points, size=(3 * SIZE[0], 3 * SIZE[1]))
    again = fit(larger, field_of_view=VIEW)
    np.testing.assert_allclose(again.motion.values, capture.motion.values, atol=5e-3)
    np.testing.assert_allclose(again.error_pixels, 3 * capture.error_pixels, rtol=0.05)


def test_some_landmarks_are_enough(landmarks: Landmarks, motion: Motion) -> None:
    few = np.unique([*range(0, 478, 4), 33, 133, 263, 362, *np.ravel(INNER_LIPS), *np.ravel(LIDS)])
    part = replace(landmarks, points=landmarks.points[:, few], ids=few)
    capture = fit(part, field_of_view=VIEW)
    assert correlation(capture.motion["jawOpen"], motion["jawOpen"]) > 0.9
    assert correlation(capture.motion["eyeBlinkLeft"], motion["eyeBlinkLeft"]) > 0.9


def test_one_frame(landmarks: Landmarks) -> None:
    one = replace(landmarks, points=landmarks.points[:1], times=landmarks.times[:1])
    capture = fit(one)
    assert capture.motion.num_frames == 1
    assert np.isfinite(capture.translation).all()


def test_short_losses_are_filled_and_long_ones_come_to_rest(landmarks: Landmarks) -> None:
    points = landmarks.points.copy()
    points[20:23] = np.nan
    points[40:65] = np.nan
    capture = fit(replace(landmarks, points=points), field_of_view=VIEW)
    assert (capture.confidence[20:23] > 0).all()
    assert (capture.confidence[40:65] == 0).all()
    assert np.isnan(capture.error_pixels[40:65]).all()
    assert np.isfinite(capture.motion.values).all()
    assert (capture.motion.values[52, :52] == 0).all()
    assert np.abs(np.diff(capture.motion.group("head"), axis=0)).max() < 0.1


def test_a_cut_separates_two_views(landmarks: Landmarks) -> None:
    """What lies behind a cut does not pull at what lies before it."""
    moved = landmarks.points.copy()
    moved[40:, :, 0] += 150
    shots = (Shot(0, 40), Shot(40, 75))
    capture = fit(replace(landmarks, points=moved, shots=shots), field_of_view=VIEW)
    across = capture.translation[:, 0]
    assert across[40] - across[39] > 0.08
    assert np.abs(np.diff(across[:40])).max() < 0.01
    assert capture.shots == shots


def test_uneven_times_become_even(motion: Motion, anny_head: BlendshapeHead) -> None:
    rng = np.random.default_rng(0)
    times = np.sort(np.concatenate([[0.0], rng.uniform(0, 2.96, 110), [2.96]]))
    uneven = seen(Motion(motion.sample(times), FPS), anny_head)
    capture = fit(replace(uneven, times=times), field_of_view=VIEW)
    assert abs(capture.motion.num_frames - 75) <= 1
    count = min(capture.motion.num_frames, 75)
    assert correlation(capture.motion["jawOpen"][:count], motion["jawOpen"][:count]) > 0.9


def test_what_cannot_be_fitted_is_said(landmarks: Landmarks) -> None:
    with pytest.raises(MotionError, match="None of 75"):
        fit(replace(landmarks, points=np.full_like(landmarks.points, np.nan)))
    with pytest.raises(MotionError, match="at least"):
        fit(replace(landmarks, points=landmarks.points[:, :5], ids=landmarks.ids[:5]))
    with pytest.raises(ConfigError, match="field of view"):
        fit(landmarks, field_of_view=60.0)
