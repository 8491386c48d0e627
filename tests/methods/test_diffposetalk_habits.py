"""Habits of diffposetalk: sizes of the mouth, lips at rest, glances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import vowel

from kinevox.gaze import line_of_sight
from kinevox.known import outside
from kinevox.methods import METHODS, Performance
from kinevox.methods.diffposetalk import DiffPoseTalk, Style
from kinevox.methods.diffposetalk.habits import (
    QUANTILES,
    SIZED,
    Habits,
    glances_of,
    rest_of,
    sizes_of,
    wander_of,
)
from kinevox.methods.diffposetalk.sampling import Sampling
from kinevox.motion import ARKIT, Motion
from kinevox.pauses import OPENING
from kinevox.speech import Speech
from kinevox.strengths import lip_opening

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH = 16
STYLE = np.linspace(-1, 1, WIDTH).astype(np.float32)
EVERYBODY = Style(tuple(STYLE.tolist()))
PLAIN = Sampling(
    steps=2, steady_gaze=False, whole_blinks=False, close_lips=False, close_in_silence=False
)


def habits(sizes: float = 0.0, lower_lip: float = 0.0) -> Habits:
    """Those of everybody, whatever the style."""
    made = Habits(WIDTH)
    torch.nn.init.zeros_(made.lips.linear.weight)
    torch.nn.init.zeros_(made.lips.linear.bias)
    for name in ("mouthLowerDownLeft", "mouthLowerDownRight"):
        made.lips.linear.bias[OPENING.index(name)] = lower_lip
    made.sizes.fill_(sizes)
    return made


def talking(seed: int = 0, frames: int = 60) -> Motion:
    """With the mouth open."""
    values = np.random.default_rng(seed).uniform(0, 0.4, (frames, ARKIT.num_channels))
    return Motion(values.astype(np.float32)).with_channels(jawOpen=0.4, mouthClose=0.1)


def glance(angle: float, frames: int = 100) -> np.ndarray:
    """Sight of somebody who looks to the side for a quarter of the time."""
    yaw = np.where(np.arange(frames) < frames // 4, angle, 0.0)
    return np.stack([yaw, np.full(frames, 0.02)], axis=1)


class TestSizes:
    def test_parts_of_the_mouth_grow_and_nothing_else(self) -> None:
        before = talking()
        after = habits(sizes=0.3).sized(before)
        grown = {name for names in SIZED.values() for name in names}
        for name in ARKIT.names:
            gain = np.exp(0.3) if name in grown else 1.0
            np.testing.assert_allclose(after[name], gain * before[name], rtol=1e-5)

    def test_lips_that_nearly_meet_are_not_parted(self) -> None:
        closed = talking().with_channels(
            jawOpen=0.1, mouthClose=0.1, mouthFunnel=0.03, **dict.fromkeys(SIZED["lips"], 0.0)
        )
        np.testing.assert_allclose(lip_opening(closed), 0.39, atol=1e-5)
        after = habits(sizes=0.5).sized(closed)
        np.testing.assert_allclose(lip_opening(after), 0.39, atol=1e-5)
        assert (after["mouthPucker"] > 1.5 * closed["mouthPucker"])[closed["mouthPucker"] > 0].all()

    @settings(max_examples=20)
    @given(st.floats(-0.5, 0.5), st.integers(0, 99))
    def test_there_and_back(self, size: float, seed: int) -> None:
        made, before = habits(sizes=size), talking(seed)
        np.testing.assert_allclose(
            made.sized(made.unsized(before)).values, before.values, atol=1e-5
        )

    def test_weights_stay_within_bounds(self) -> None:
        full = Motion(np.ones((5, ARKIT.num_channels), np.float32))
        assert habits(sizes=0.5).sized(full)["jawOpen"].max() == 1

    def test_measured_where_somebody_speaks(self) -> None:
        motion = talking().with_channels(jawOpen=0.2, mouthClose=0.1, mouthPucker=0.3)
        speaking = np.arange(60) < 30
        spoiled = motion.values.copy()
        spoiled[~speaking] = 0.9
        told = dict(zip(SIZED, sizes_of(motion.replace(values=spoiled), speaking), strict=True))
        assert told["jaw"] == pytest.approx(0.15) and told["pucker"] == pytest.approx(0.3)


class TestRest:
    def test_parted_lips_rest_apart(self) -> None:
        rest = habits(lower_lip=0.3).rest(STYLE)
        assert rest["mouthLowerDownLeft"] == pytest.approx(0.3) and not rest["jawOpen"]

    def test_lips_that_nearly_meet_are_closed(self) -> None:
        assert habits(lower_lip=0.1).rest(STYLE) == {}

    def test_measured_where_nobody_speaks(self) -> None:
        motion = talking().with_channels(mouthLowerDownLeft=0.25)
        rest = dict(zip(OPENING, rest_of(motion, np.arange(60) > 50), strict=True))
        assert rest["mouthLowerDownLeft"] == pytest.approx(0.25)


class TestGlances:
    def test_wander_grows_with_the_angle(self) -> None:
        near, far = (wander_of(glance(angle)) for angle in (0.1, 0.2))
        assert far / near == pytest.approx(2.0, abs=0.02)
        np.testing.assert_allclose(glances_of(glance(0.1)), np.repeat([0.1, 0.0], [25, 75]))

    def test_they_go_as_far_as_somebody_wanders(self) -> None:
        np.testing.assert_allclose(habits().glancing(glance(0.1), 2.0), glance(0.2), atol=1e-6)

    def test_they_are_spread_as_people_spread_theirs(self) -> None:
        made = habits()
        # Drawn are small and large ones alike, people's are mostly small.
        made.drawn_glances.copy_(torch.linspace(0, 0.2, len(QUANTILES)))
        made.glances.copy_(3 * torch.linspace(0, 1, len(QUANTILES)) ** 2)
        near, far = (made.glancing(glance(angle), 0.1)[0, 0] for angle in (0.1, 0.2))
        assert near == pytest.approx(0.075, abs=1e-3) and far == pytest.approx(0.3, abs=1e-3)

    def test_what_is_looked_at_most_stays(self) -> None:
        sight = habits().glancing(glance(0.1), 3.0)
        np.testing.assert_allclose(sight[25:], glance(0.1)[25:], atol=1e-6)


@pytest.fixture(scope="module")
def method() -> Iterator[DiffPoseTalk]:
    method = METHODS.get("diffposetalk").debug()
    yield replace(method, sampling=PLAIN)


def performed(method: DiffPoseTalk, made: Habits | None, **changes: object) -> Motion:
    assert method.network is not None and method.sampling is not None
    method.network.habits = made
    sampling = replace(method.sampling, **changes)  # type: ignore[arg-type]
    changed = replace(method, sampling=sampling)
    # A pause of two seconds behind the sound.
    line = Speech(np.concatenate([vowel(2.0), np.zeros(2 * 16000, np.float32)]))
    (motion,) = changed.generate_all([Performance(line, EVERYBODY, 1)])
    return motion


class TestPerforming:
    def test_mouths_get_the_size_of_people(self, method: DiffPoseTalk) -> None:
        before, after = performed(method, None), performed(method, habits(sizes=0.4))
        opened = before["mouthPucker"] > 1e-4
        assert opened.any()
        ratio = after["mouthPucker"][opened] / before["mouthPucker"][opened]
        np.testing.assert_allclose(ratio, np.exp(0.4), rtol=1e-4)
        np.testing.assert_array_equal(after["browInnerUp"], before["browInnerUp"])

    def test_lips_rest_apart_in_pauses(self, method: DiffPoseTalk) -> None:
        parted = performed(method, habits(lower_lip=0.4), close_in_silence=True)
        closed = performed(method, habits(), close_in_silence=True)
        assert lip_opening(closed)[-20:].max() < 1e-4
        np.testing.assert_allclose(lip_opening(parted)[-20:], 2 * 2.25 * 0.4, atol=1e-4)

    def test_eyes_stand_still_between_leaps(self, method: DiffPoseTalk) -> None:
        sight = line_of_sight(performed(method, None, steady_gaze=True))
        still = np.abs(np.diff(sight, axis=0)).max(axis=1) < 1e-5
        assert still.mean() > 0.9

    def test_it_can_be_left_out(self, method: DiffPoseTalk) -> None:
        made = habits(sizes=0.4, lower_lip=0.4)
        plain = performed(method, None, close_in_silence=True)
        left_out = performed(method, made, close_in_silence=True, calibrated=False)
        np.testing.assert_array_equal(plain.values, left_out.values)

    def test_what_is_known_keeps_its_size(self, method: DiffPoseTalk) -> None:
        assert method.network is not None
        method.network.habits = habits(sizes=0.4)
        line = Speech(vowel(4.0))
        take = method.generate(line, EVERYBODY, seed=1)
        known = outside(take, [(1.0, 2.0)])
        (again,) = method.generate_all([Performance(line, EVERYBODY, 2, known)])
        np.testing.assert_allclose(again["mouthPucker"][60:], take["mouthPucker"][60:], atol=1e-3)
