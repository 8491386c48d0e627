"""Strengths of parts of a performance: laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import vowel

from kinevox import rotation
from kinevox.arkit import EYE_LOOK_RADIANS
from kinevox.errors import ConfigError, MotionError
from kinevox.methods import METHODS
from kinevox.motion import Motion, flame_layout
from kinevox.phones import Phones
from kinevox.speech import Speech
from kinevox.strengths import BLINKS, MOUTH, UPPER_FACE, Strengths, lip_opening, strengthened

strength = st.floats(0, 3)


def performed(seconds: float = 4.0, seed: int = 0) -> Motion:
    """The rules say "ma pa ma pa ..."."""
    labels = tuple(p for _ in range(int(seconds / 0.4)) for p in ("M", "AA", "P", "AE"))
    ends = 0.1 * np.arange(1, len(labels) + 1)
    phones = Phones(labels, ends - 0.1, ends)
    method = METHODS.get("articulate")
    speech = Speech(vowel(seconds), phones=phones)
    return method.generate(speech, method.load_style("lively"), seed=seed, fps=25.0)


TAKE = performed()


def test_every_expression_but_gaze_belongs_to_one_part() -> None:
    parts = [*MOUTH, *UPPER_FACE, *BLINKS]
    assert len(set(parts)) == len(parts) == 52 - 8
    assert "browInnerUp" in UPPER_FACE and "eyeSquintLeft" in UPPER_FACE and "jawOpen" in MOUTH


@given(strength, strength, strength)
def test_parts_do_not_touch_each_other(mouth: float, upper: float, blinks: float) -> None:
    made = strengthened(TAKE, Strengths(mouth, upper, 1.0, blinks))
    weights = made.group("expression")
    assert weights.min() >= 0 and weights.max() <= 1
    np.testing.assert_array_equal(made.group("head"), TAKE.group("head"))
    np.testing.assert_array_equal(made["eyeLookUpLeft"], TAKE["eyeLookUpLeft"])
    np.testing.assert_allclose(
        made["browInnerUp"], np.clip(upper * TAKE["browInnerUp"], 0, 1), atol=1e-6
    )
    np.testing.assert_allclose(
        made["eyeBlinkLeft"], np.clip(blinks * TAKE["eyeBlinkLeft"], 0, 1), atol=1e-6
    )
    alone = strengthened(TAKE, Strengths(mouth=mouth))
    for name in MOUTH:
        np.testing.assert_array_equal(made[name], alone[name])


@given(strength)
def test_closed_lips_stay_closed(mouth: float) -> None:
    made = strengthened(TAKE, Strengths(mouth=mouth))
    before, after = lip_opening(TAKE), lip_opening(made)
    closed = before < 1.0
    assert closed.sum() > 15, "of twenty closures"
    assert (after[closed] <= before[closed] + 1e-4).all()
    assert (made["mouthClose"] <= made["jawOpen"]).all()


@pytest.mark.parametrize("gap", [0.4, 0.8, 1.0])
def test_a_gap_that_nobody_sees_is_not_widened(gap: float) -> None:
    weights = {"jawOpen": 0.2, "mouthClose": 0.2 - gap / 35, "mouthSmileLeft": 0.3}
    still = Motion(np.zeros((2, 55), np.float32)).with_channels(**weights)
    made = strengthened(still, Strengths(mouth=2.0))
    assert lip_opening(made)[0] == pytest.approx(gap, abs=1e-4)
    assert made["mouthSmileLeft"][0] == pytest.approx(0.6)


def test_a_stronger_mouth_opens_wider_and_a_weaker_one_less() -> None:
    widths = [lip_opening(strengthened(TAKE, Strengths(mouth=m))).max() for m in (0, 0.5, 1, 1.4)]
    assert widths[0] == 0 and widths == sorted(widths)
    assert widths[1] == pytest.approx(widths[2] / 2, rel=1e-3)


@given(strength)
def test_the_head_turns_by_so_much_about_its_mean(head: float) -> None:
    mean = strengthened(TAKE, Strengths(head_motion=0))
    made = strengthened(TAKE, Strengths(head_motion=head))
    np.testing.assert_allclose(away(made, mean), head * away(TAKE, mean), atol=1e-4)
    np.testing.assert_array_equal(made["jawOpen"], TAKE["jawOpen"])


def away(motion: Motion, other: Motion) -> np.ndarray:
    """From one head pose to another: the axis and angle of the turn."""
    first, last = (
        rotation.quaternion_from_axis_angle(m.group("head").astype(float)) for m in (other, motion)
    )
    return rotation.axis_angle_from_quaternion(rotation.multiply(rotation.conjugate(first), last))


def test_a_head_that_holds_still_keeps_its_posture() -> None:
    still = strengthened(TAKE, Strengths(head_motion=0))
    assert np.ptp(still.group("head"), axis=0).max() < 1e-6
    assert np.abs(still.group("head")[0]).max() > 0.005


def test_eyes_stay_with_the_listener() -> None:
    """The rules turn the eyes back by 85 % of what the head does."""

    def gaze(motion: Motion) -> np.ndarray:
        return EYE_LOOK_RADIANS * (motion["eyeLookOutLeft"] - motion["eyeLookInLeft"])

    def aim(motion: Motion) -> np.ndarray:
        yaw = rotation.yaw_pitch_roll(motion.group("head").astype(float))[:, 0]
        return yaw + gaze(motion)

    method = METHODS.get("articulate")
    style = method.load_style("storyteller")
    calm = method.generate(Speech(vowel(6.0)), style, seed=3, fps=25.0)
    made = strengthened(calm, Strengths(head_motion=0.0))
    left_alone = calm.with_channels(**{f"head_{a}": made[f"head_{a}"] for a in "xyz"})
    drift = [np.std(aim(m) - aim(calm)) for m in (made, left_alone)]
    assert drift[0] < 0.6 * drift[1]


def test_nothing_asked_is_nothing_done() -> None:
    assert strengthened(TAKE, Strengths()) is TAKE


def test_other_layouts_have_no_names() -> None:
    layout = flame_layout(50)
    values = np.zeros((5, layout.num_channels), np.float32)
    values[:, layout.group("head")] = np.linspace(0, 0.2, 5)[:, None]
    flame = Motion(values, layout=layout)
    with pytest.raises(MotionError, match=r"'flame'.*'arkit'"):
        strengthened(flame, Strengths(mouth=1.2))
    made = strengthened(flame, Strengths(head_motion=0.5))
    assert np.ptp(made["head_x"]) == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("wrong", [-0.5, float("nan"), float("inf")])
def test_strengths_that_cannot_be(wrong: float) -> None:
    with pytest.raises(ConfigError, match="upper_face"):
        Strengths(upper_face=wrong)
