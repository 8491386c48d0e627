"""How somebody moves: as their example shows, as their style lets expect, and as takes do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import vowel

from kinevox.blinks import count_blinks
from kinevox.gaze import line_of_sight
from kinevox.known import key_poses
from kinevox.methods import METHODS, Performance
from kinevox.methods.diffposetalk import DiffPoseTalk, Style, performances
from kinevox.methods.diffposetalk.habits import Habits, wander_of
from kinevox.methods.diffposetalk.manner import Manners, joined, manner_of, with_manner
from kinevox.methods.diffposetalk.sampling import PUBLISHED, Sampling
from kinevox.motion import ARKIT, Motion
from kinevox.speech import Speech

pytestmark = pytest.mark.usefixtures("one_thread")

PLAIN = Sampling(steps=2, close_lips=False, close_in_silence=False)
VECTOR = tuple(np.linspace(-1, 1, 16).tolist())
LINE = Speech(vowel(4.0))


@pytest.fixture(scope="module")
def debug() -> DiffPoseTalk:
    return METHODS.get("diffposetalk").debug()


@pytest.fixture
def method(debug: DiffPoseTalk) -> Iterator[DiffPoseTalk]:
    """Nothing is known of its people yet."""
    yield replace(debug, sampling=PLAIN)
    assert debug.network is not None
    debug.network.manners = debug.network.habits = None


def manners(method: DiffPoseTalk, **numbers: float) -> Manners:
    """Those of everybody, whatever the style; `head_far` is of all axes."""
    assert method.network is not None
    made = Manners(ARKIT, method.network.style_encoder.columns, 16)
    torch.nn.init.zeros_(made.expectation.linear.weight)
    torch.nn.init.zeros_(made.expectation.linear.bias)
    for k, name in enumerate(made.names):
        part, _, what = name.rpartition(" ")
        key = f"{part.split('_')[0]}_{what}" if part else name
        made.expectation.linear.bias[k] = numbers.get(key, 0.0)
    return made


def performed(
    method: DiffPoseTalk, made: Manners | None, style: Style | None = None, **changes: object
) -> Motion:
    assert method.network is not None
    method.network.manners, method.network.habits = made, made and Habits(16)
    sampling = replace(PLAIN, **changes)  # type: ignore[arg-type]
    performance = Performance(LINE, Style(VECTOR) if style is None else style, 1)
    (motion,) = replace(method, sampling=sampling).generate_all([performance])
    return motion


def turning(size: float, seconds: float = 4.0, blinks: int = 0) -> Motion:
    """A head that turns, over eyes that blink."""
    frames = np.arange(round(25 * seconds))
    values = np.zeros((len(frames), ARKIT.num_channels), np.float32)
    values[:, ARKIT.index("head_y")] = size * np.sin(frames / 5)
    for blink in range(blinks):
        place = 15 + 20 * blink
        values[place - 2 : place + 3, ARKIT.index("eyeBlinkLeft")] = (0.4, 0.8, 1, 0.7, 0.3)
        values[place - 2 : place + 3, ARKIT.index("eyeBlinkRight")] = (0.4, 0.8, 1, 0.7, 0.3)
    return Motion(values)


def shown(method: DiffPoseTalk, *motions: Motion) -> dict[str, float]:
    """The manner of an example by name."""
    assert method.network is not None
    style = with_manner(method.network.style_encoder, VECTOR, *motions)
    return dict(zip(manners(method).names, style.manner, strict=True))


class TestExamples:
    def test_who_turns_twice_as_far(self, method: DiffPoseTalk) -> None:
        far, near = (shown(method, turning(size)) for size in (0.4, 0.2))
        for what in ("far", "quick", "abrupt"):
            more = far[f"head_y {what}"] - near[f"head_y {what}"]
            assert more == pytest.approx(np.log(2), abs=0.01)
        assert far["brows far"] == near["brows far"]

    def test_blinks_are_counted_by_the_second(self, method: DiffPoseTalk) -> None:
        assert shown(method, turning(0.1, blinks=2))["blinks"] == pytest.approx(0.5)

    def test_long_clips_count_more(self, method: DiffPoseTalk) -> None:
        both = shown(method, turning(0.1, 4.0, blinks=2), turning(0.1, 12.0))
        assert both["blinks"] == pytest.approx(2 / 16)

    def test_another_frame_rate_makes_no_difference(self, method: DiffPoseTalk) -> None:
        motion = turning(0.3, 6.0)
        slow, quick = shown(method, motion), shown(method, motion.resample(60))
        assert quick == pytest.approx(slow, abs=0.05)

    def test_what_is_too_short_shows_nothing(self, method: DiffPoseTalk) -> None:
        assert method.network is not None
        encoder = method.network.style_encoder
        assert with_manner(encoder, VECTOR, turning(0.1, 1.0)) == Style(VECTOR)
        brief = with_manner(encoder, VECTOR, turning(0.1, 1.0), turning(0.1, 5.0))
        assert brief.seconds == pytest.approx(5.0)

    def test_styles_of_the_method_have_it(self, method: DiffPoseTalk, tmp_path: Path) -> None:
        read = method.extract_style([turning(0.3)], None, lambda done, total: None).style
        assert method.network is not None
        expected = manner_of(method.network.style_encoder, turning(0.3))
        np.testing.assert_allclose(read.manner, expected, rtol=1e-5)
        method.save_style(read, tmp_path / "x.style")
        assert method.load_style(tmp_path / "x.style") == read

    def test_between_styles_it_is_between(self, method: DiffPoseTalk) -> None:
        calm, lively = (Style(VECTOR, (size, 0.0), 10.0) for size in (1.0, 3.0))
        mixed = method.mix_styles([calm, lively], [0.25, 0.75])
        assert mixed.manner == pytest.approx((2.5, 0.0)) and mixed.seconds == 10.0
        assert method.mix_styles([calm, Style(VECTOR)], [0.5, 0.5]).manner == ()
        assert method.mix_styles([calm, Style(VECTOR)], [1, 0]).manner == calm.manner


class TestExpecting:
    def test_long_examples_count_more_than_short_ones(self, method: DiffPoseTalk) -> None:
        made, blinks = manners(method), []
        made.doubt.fill_(20.0)
        manner = np.ones((1, len(made.names)))
        for seconds in (5.0, 20.0, 2000.0):
            style = joined(VECTOR, manner, np.array([seconds]))
            blinks.append(made.expected(style).blinks)
        assert blinks == pytest.approx([0.2, 0.5, 0.99], abs=0.01)

    def test_without_an_example_the_style_counts(self, method: DiffPoseTalk) -> None:
        expected = manners(method, blinks=0.3, head_far=-1.0).expected(Style(VECTOR))
        assert expected.blinks == pytest.approx(0.3)
        assert expected.moves["head_z"][0] == pytest.approx(-1.0)

    def test_nobody_blinks_less_than_never(self, method: DiffPoseTalk) -> None:
        assert manners(method, blinks=-0.1).expected(Style(VECTOR)).blinks == 0

    def test_what_people_show_beyond_their_style_is_learned(self, method: DiffPoseTalk) -> None:
        """Half of what examples say is noise: then half of it counts."""
        made, rng = manners(method), np.random.default_rng(0)
        count, numbers = 4000, len(made.names)
        person = rng.normal(size=(count, numbers))
        told = person + rng.normal(size=person.shape)
        styles = [Style(VECTOR, tuple(row), 30.0) for row in told.tolist()]
        made.fit(styles, person)
        np.testing.assert_allclose(made.doubt, 30.0, rtol=0.15)


class TestPerforming:
    def test_who_is_expected_to_move_more_does(self, method: DiffPoseTalk) -> None:
        assert method.network is not None
        made, spreads = manners(method), []
        drawn = manner_of(method.network.style_encoder, performed(method, None))
        for more in (-0.5, 0.5):
            made.expectation.linear.bias.copy_(torch.from_numpy(drawn + more))
            spreads.append(performed(method, made)["head_x"].std())
        assert spreads[1] / spreads[0] == pytest.approx(np.exp(1.0), rel=0.25)

    def test_what_grows_around_a_pose_stays_there(self, method: DiffPoseTalk) -> None:
        assert method.network is not None
        pose = key_poses([(2.0, {"head_y": 0.1})], 100, 25.0, ARKIT)
        takes = []
        for more in (None, 2.0):
            made = None if more is None else manners(method, head_far=more, head_quick=more)
            method.network.manners, method.network.habits = made, made and Habits(16)
            takes += method.generate_all([Performance(LINE, Style(VECTOR), 1, pose)])
        drawn, moved = takes
        assert moved["head_y"][50] == pytest.approx(drawn["head_y"][50], abs=1e-6)
        for name in ("head_x", "head_y"):
            assert moved[name][:40].std() > 1.3 * drawn[name][:40].std()

    def test_people_blink_as_often_as_expected(self, method: DiffPoseTalk) -> None:
        for rate in (0.0, 0.5, 1.0):
            made = manners(method, blinks=rate)
            assert count_blinks(performed(method, made)) == 4 * rate
            assert performed(method, made, whole_blinks=False)["eyeBlinkLeft"].max() < 0.9

    def test_what_is_left_of_a_blink_is_one_by_chance(self, method: DiffPoseTalk) -> None:
        assert method.network is not None
        method.network.manners = manners(method, blinks=0.3)
        takes = method.generate_all([Performance(LINE, Style(VECTOR), s) for s in range(40)])
        counts = [count_blinks(take) for take in takes]
        assert set(counts) == {1, 2} and np.mean(counts) == pytest.approx(1.2, abs=0.2)

    def test_eyes_wander_as_far_as_expected(
        self, method: DiffPoseTalk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # An untrained network looks straight ahead.
        aside = np.repeat([[0.0, 0.0], [0.3, 0.1]], [75, 25], axis=0)
        monkeypatch.setattr(performances, "steady_sight", lambda motion: aside)
        near, far = (
            wander_of(line_of_sight(performed(method, manners(method, wander=np.log(angle)))))
            for angle in (0.2, 0.4)
        )
        assert far / near == pytest.approx(2.0, abs=0.05)

    def test_of_nobody_nothing_is_expected(self, method: DiffPoseTalk) -> None:
        takes = [
            performed(method, manners(method, head_far=far), Style(), steady_gaze=False)
            for far in (-2.0, 0.0)
        ]
        np.testing.assert_array_equal(takes[0].values, takes[1].values)

    def test_it_can_be_left_out(self, method: DiffPoseTalk) -> None:
        made = manners(method, head_far=0.0, blinks=1.0)
        left_out, plain = performed(method, made, calibrated=False), performed(method, None)
        np.testing.assert_array_equal(left_out.values, plain.values)
        assert not PUBLISHED.calibrated

    def test_takes_come_out_the_same_alone(self, method: DiffPoseTalk) -> None:
        assert method.network is not None
        method.network.manners = manners(method, blinks=0.4)
        people = [
            Performance(LINE, Style(VECTOR), 1),
            Performance(Speech(vowel(7.0)), Style(), 2),
        ]
        for one, both in zip(people, method.generate_all(people), strict=True):
            (alone,) = method.generate_all([one])
            np.testing.assert_allclose(both.values, alone.values, atol=1e-4)
