"""How far, quickly and abruptly faces move: measured, and kept to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from kinevox.methods.diffposetalk.dynamics import amounts_of, equalized, parts_of
from kinevox.motion import ARKIT, flame_layout

FRAMES = 200
PARTS = {"brows": range(3)}
"""One part that has three of four channels."""


def measure(motion: np.ndarray) -> np.ndarray:
    """How far, how quickly and how abruptly the channels move."""
    return amounts_of("head_x", motion[:, :3])


def told(motion: np.ndarray, more: float) -> np.ndarray:
    """The motion, told to go so much further, in logarithms."""
    return equalized(PARTS, motion, {"brows": measure(motion)[:1] + more})


def waves(size: float = 3.0, rate: float = 0.3) -> np.ndarray:
    turn = rate * np.arange(FRAMES)[:, None] + np.arange(4.0)
    return 1.0 + size * (np.sin(turn) + 0.2 * np.sin(5.1 * turn))


def swaying() -> np.ndarray:
    """Motion of all speeds."""
    noise = np.random.default_rng(0).normal(size=(4, FRAMES, 4))
    return sum(
        width * gaussian_filter1d(one, width, axis=0)
        for width, one in zip((1.5, 3, 6, 12), noise, strict=True)
    )


class TestMeasuring:
    def test_parts_of_a_face(self) -> None:
        parts = parts_of(ARKIT, range(ARKIT.num_channels))
        named = {part: {ARKIT.names[p] for p in places} for part, places in parts.items()}
        assert named["head_y"] == {"head_y"}
        assert "browInnerUp" in named["brows"] and "cheekSquintLeft" in named["upper face"]
        # What is said decides how far the mouth goes, and blinks are all or nothing.
        assert not {"jawOpen", "mouthPucker", "eyeBlinkLeft"} & set.union(*named.values())

    def test_of_flame_only_the_head_has_dynamics(self) -> None:
        layout = flame_layout(50)
        parts = parts_of(layout, range(layout.num_channels))
        assert list(parts) == ["head_x", "head_y", "head_z"]
        assert not parts_of(layout, range(50))

    def test_twice_as_far_is_twice_as_quick_and_abrupt(self) -> None:
        more = measure(waves(size=6.0)) - measure(waves(size=3.0))
        np.testing.assert_allclose(more, np.log(2), atol=0.01)

    def test_twice_as_quick_is_four_times_as_abrupt(self) -> None:
        slow, quick = (np.sin(rate * np.arange(400.0))[:, None] for rate in (0.2, 0.4))
        more = measure(quick) - measure(slow)
        # What is quick is smoothed a little.
        np.testing.assert_allclose(more, [0.0, np.log(2), np.log(4)], atol=0.2)

    def test_posture_makes_no_difference(self) -> None:
        drift = np.linspace(0, 5, FRAMES)[:, None]
        np.testing.assert_allclose(measure(waves() + drift), measure(waves()), atol=0.02)


class TestEqualizing:
    @pytest.mark.parametrize(
        "more", [(0.5, 0.5, 0.5), (-0.5, -0.5, -0.5), (0.0, 0.2, 0.3), (0.2, 0.1, -0.1)]
    )
    def test_heads_arrive(self, more: tuple[float, float, float]) -> None:
        wanted = measure(swaying()) + more
        equal = equalized({"head_x": range(3)}, swaying(), {"head_x": wanted})
        np.testing.assert_allclose(measure(equal), wanted, atol=0.05)

    @pytest.mark.parametrize("more", [0.5, -0.5])
    def test_brows_go_as_far_as_wanted(self, more: float) -> None:
        equal = told(swaying(), more)
        assert measure(equal)[0] - measure(swaying())[0] == pytest.approx(more, abs=0.05)

    def test_beside_a_raise_brows_stay(self) -> None:
        raised = np.zeros((FRAMES, 4))
        raised[90:110] = 1.0
        raised = gaussian_filter1d(raised, 2, axis=0)
        equal = told(raised, 0.5)
        np.testing.assert_allclose(equal[60:80, :3], equal[0, 0], atol=0.01)

    def test_heads_that_move_as_expected_go_on_as_they_do(self) -> None:
        parts, wanted = {"head_x": range(3)}, {"head_x": measure(waves())}
        np.testing.assert_allclose(equalized(parts, waves(), wanted), waves(), atol=1e-4)

    def test_mean_pose_and_other_channels_stay(self) -> None:
        equal = told(waves(), 0.5)
        np.testing.assert_array_equal(equal[:, 3], waves()[:, 3])
        np.testing.assert_allclose(equal.mean(axis=0), waves().mean(axis=0), atol=0.05)

    def test_brows_that_float_rest(self) -> None:
        rng, raised = np.random.default_rng(0), np.zeros((FRAMES, 4))
        raised[50:80] = raised[120:140] = 2.0
        floating = raised + 0.01 * rng.normal(size=raised.shape)
        equal = told(floating, 0.0)
        assert np.abs(np.diff(equal[10:40, :3], axis=0)).max() < 1e-3
        np.testing.assert_allclose(equal[60:75, :3].mean(), 2.0, atol=0.2)

    def test_what_rests_goes_on_resting(self) -> None:
        still = np.full((FRAMES, 4), 0.7)
        np.testing.assert_allclose(told(still, 9.0), still)

    def test_nothing_is_changed_beyond_measure(self) -> None:
        moved, before = (
            np.abs(some - some.mean(axis=0)).max() for some in (told(waves(), 9.0), waves())
        )
        assert moved < 3.5 * before

    def test_what_is_too_short_stays(self) -> None:
        np.testing.assert_array_equal(told(waves()[:30], 0.5), waves()[:30])
