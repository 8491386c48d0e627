"""Controls of diffposetalk through the public door."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import vowel

from kinevox import api
from kinevox.diffusion.guidance import Guidance
from kinevox.diffusion.samplers import dpm_solver
from kinevox.diffusion.schedules import schedule
from kinevox.errors import ConfigError, MotionError
from kinevox.known import outside
from kinevox.methods import METHODS, Performance, SampledMethod, SamplingOptions
from kinevox.methods.diffposetalk import DiffPoseTalk, Style
from kinevox.methods.diffposetalk.sampling import PUBLISHED, Sampling
from kinevox.methods.diffposetalk.window import Held, pulled
from kinevox.motion import Motion, flame_layout
from kinevox.phones import Phones
from kinevox.seeds import seed_for
from kinevox.speech import Speech
from kinevox.strengths import lip_opening

LINE = Speech(vowel(5.0))
TAKE = Motion(np.zeros((125, 55), np.float32))
FLAME_TAKE = Motion(np.zeros((125, 56), np.float32), layout=flame_layout(50))
STYLE = Style(tuple(np.linspace(-1, 1, 16).tolist()))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def method() -> DiffPoseTalk:
    """A network that nobody trained, which moves enough to tell one choice from another."""
    method = METHODS.get("diffposetalk").debug()
    assert isinstance(method, SampledMethod)
    config = replace(method.network.config, encoder="mel", features=320)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = config.build(method.network.space).eval()
    return replace(method, network=network, sampling=Sampling(steps=3))


@pytest.fixture
def door(method: DiffPoseTalk, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Options with which `api` takes this method."""
    monkeypatch.setattr("kinevox.methods.load_method", lambda text: method)
    return {"method": "diffposetalk"}


def counted(method: DiffPoseTalk) -> tuple[DiffPoseTalk, list[int]]:
    """The method, and how many samples each call of its network computed."""
    calls: list[int] = []
    network = method.network
    assert network is not None
    network.denoiser.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    return method, calls


class TestSampling:
    def test_through_the_door(self, method: DiffPoseTalk, door: dict[str, str]) -> None:
        options = {"steps": 2, "audio_scale": 1.0, "style_scale": 1.5, "bf16": True}
        (motion,) = api.animate(LINE, **door, **options, guidance_interval=(0.1, 0.9))
        sampling = Sampling(steps=2, guidance=Guidance(1.0, 1.5, interval=(0.1, 0.9)), bf16=True)
        expected = replace(method, sampling=sampling).generate(
            LINE, Style(), seed=seed_for("speech", 0)
        )
        np.testing.assert_array_equal(motion.values, expected.values)

    def test_nothing_chosen_is_the_methods_own(self, method: DiffPoseTalk) -> None:
        assert method.with_sampling(SamplingOptions()).sampling == method.sampling

    @pytest.mark.parametrize(
        "options, told",
        [
            ({"steps": 0}, "at least one"),
            ({"steps": 501}, "501"),
            ({"guidance_interval": (0.9, 0.1)}, "interval"),
            ({"guidance_interval": (0.0, 1.2)}, "interval"),
        ],
    )
    def test_choices_that_cannot_be(self, door: dict, options: dict, told: str) -> None:
        with pytest.raises(ConfigError, match=told):
            api.animate(LINE, **door, **options)

    @pytest.mark.parametrize("name", ["articulate", "regressor"])
    def test_methods_that_draw_nothing_refuse(self, name: str) -> None:
        with pytest.raises(ConfigError, match=f"'{name}'.*steps, bf16.*diffposetalk"):
            api.animate(LINE, method=name, steps=8, bf16=True)
        with pytest.raises(ConfigError, match="close_in_silence"):
            api.animate(LINE, method=name, close_in_silence=False)

    def test_outside_the_interval_only_the_plain_branch_is_computed(
        self, method: DiffPoseTalk
    ) -> None:
        guidance = Guidance(interval=(0.3, 0.8))
        limited = replace(method, sampling=Sampling(steps=4, guidance=guidance))
        short = Speech(LINE.samples[:32_000])
        limited, calls = counted(limited)
        limited.generate(short, STYLE)
        assert calls == [1, 1, 3, 3], "levels 1, 0.94, 0.75 and 0.44"
        even = replace(method, sampling=Sampling(steps=4, spacing=1.0, guidance=guidance))
        even, calls = counted(even)
        even.generate(short, STYLE)
        assert calls == [1, 3, 3, 1], "levels 1, 0.75, 0.5 and 0.25"

    def test_an_empty_stretch_of_levels_is_no_guidance(self, method: DiffPoseTalk) -> None:
        never = Sampling(steps=3, guidance=Guidance(interval=(0.0, 0.001)))
        plain = Sampling(steps=3, guidance=Guidance(None, None))
        values = [
            replace(method, sampling=sampling).generate(LINE, STYLE).values
            for sampling in (never, plain)
        ]
        np.testing.assert_array_equal(*values)


class TestTakes:
    def test_takes_together_are_those_alone(self, door: dict, method: DiffPoseTalk) -> None:
        together = api.animate(LINE, **door, takes=3, seed=5, fps=30)
        alone = [api.animate(LINE, **door, seed=seed, fps=30)[0] for seed in (5, 6, 7)]
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one.values, other.values, atol=1e-5)
            assert one.metadata == other.metadata
        assert not np.allclose(alone[0].values, alone[1].values, atol=1e-3)

    def test_a_take_is_the_same_bit_for_bit_in_the_same_company(self, method: DiffPoseTalk) -> None:
        performances = [Performance(LINE, STYLE, seed) for seed in (1, 2)]
        first, again = (method.generate_all(performances, fps=25) for _ in range(2))
        assert [one.values.tobytes() for one in first] == [one.values.tobytes() for one in again]

    def test_lines_of_different_lengths_and_styles(self, method: DiffPoseTalk) -> None:
        other = Speech(vowel(2.3))
        performances = [Performance(LINE, STYLE, 1), Performance(other, Style(), 2)]
        for one, motion in zip(
            performances, method.generate_all(performances, fps=25), strict=True
        ):
            alone = method.generate(one.speech, one.style, seed=one.seed)
            assert isinstance(motion, Motion) and motion.metadata == alone.metadata
            np.testing.assert_allclose(motion.values, alone.values, atol=1e-5)

    def test_one_call_hears_a_recording_once_and_draws_all_takes(
        self, method: DiffPoseTalk, door: dict, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from kinevox.methods.diffposetalk import performances

        heard: list[int] = []
        original = performances.heard
        monkeypatch.setattr(
            performances, "heard", lambda *given: heard.append(1) or original(*given)
        )
        _, calls = counted(method)
        api.animate(Speech(vowel(1.0)), **door, takes=2, steps=2)
        assert heard == [1] and calls == [4, 2], "two takes; two branches in noise, then one"

    def test_nothing_is_nothing(self, method: DiffPoseTalk) -> None:
        assert method.generate_all([], fps=25.0) == []

    def test_one_long_recording_does_not_make_many_short_ones_long(self) -> None:
        """Each of a group takes as much memory as the longest."""
        from kinevox.methods.diffposetalk.performances import TOGETHER_SECONDS, _groups

        lengths = [1.0] * 100 + [3000.0] + [1.0] * 100
        sounds = [Speech(np.broadcast_to(np.float32(0), int(16000 * s))) for s in lengths]
        groups = list(_groups([Performance(sound, Style(), 0) for sound in sounds]))
        assert [one for group in groups for one in group] and sum(map(len, groups)) == 201
        for group in groups:
            longest = max(one.speech.seconds for one in group)
            assert len(group) == 1 or len(group) * longest <= TOGETHER_SECONDS


class TestSilence:
    def test_the_mouth_is_closed_where_nobody_speaks(self, door: dict) -> None:
        sound = vowel(3.0)
        sound[16_000:36_000] = 0
        (closed,) = api.animate(Speech(sound), **door)
        (drawn,) = api.animate(Speech(sound), **door, close_in_silence=False)
        pause = slice(33, 42)
        assert lip_opening(closed)[pause].max() < 1e-4 < lip_opening(drawn)[pause].max()
        np.testing.assert_array_equal(closed["browInnerUp"], drawn["browInnerUp"])
        np.testing.assert_array_equal(closed.values[:25], drawn.values[:25])

    def test_the_published_way_leaves_it(self) -> None:
        assert not PUBLISHED.close_in_silence


class TestEdits:
    @pytest.mark.parametrize("fps", [25.0, 60.0])
    def test_a_range_is_drawn_anew_and_the_rest_stays(self, door: dict, fps: float) -> None:
        # With all the noise there is, so that takes differ everywhere.
        door = door | {"seed": 3, "fps": fps, "mouth_noise": 1.0}
        (take,) = api.animate(LINE, **door)
        spans = [(1.0, 2.0), (3.5, 4.5)]
        (made,) = api.animate(LINE, **door, take=take, regenerate=spans)
        times = take.times
        inside = ((times >= 1) & (times < 2)) | ((times >= 3.5) & (times < 4.5))
        assert made.values[~inside].tobytes() == take.values[~inside].tobytes()
        assert np.abs(made.values[inside] - take.values[inside]).max() > 0.005
        assert made.metadata["seed"] == "4", "that of the take would draw the same"
        assert made.metadata["regenerated"] == "1:2,3.5:4.5"

    def test_windows_of_which_all_is_known_are_not_computed(
        self, method: DiffPoseTalk, door: dict
    ) -> None:
        long = Speech(vowel(14.0))
        (take,) = api.animate(long, **door)
        _, calls = counted(method)
        api.animate(long, **door, take=take, regenerate=[(8.0, 9.0)])
        assert len(calls) == 3, "three steps of the third window"

    def test_it_does_not_matter_who_else_is_drawn(self, method: DiffPoseTalk) -> None:
        known = outside(method.generate(LINE, STYLE, seed=1), [(1.0, 2.0)])
        wanted = [Performance(LINE, STYLE, 2), Performance(LINE, STYLE, 3, known)]
        together = method.generate_all(wanted, fps=25)
        for one, motion in zip(wanted, together, strict=True):
            (alone,) = method.generate_all([one], fps=25)
            np.testing.assert_allclose(motion.values, alone.values, atol=1e-5)

    def test_what_is_known_is_known_on_the_way(self, method: DiffPoseTalk) -> None:
        """The network sees the known frames: what it draws beside them depends on them."""
        take = method.generate(LINE, STYLE, seed=1)
        other = take.replace(values=np.clip(take.values + 0.3, 0, 1))
        made = []
        for known in (take, other):
            wanted = Performance(LINE, STYLE, 2, outside(known, [(1.0, 3.0)]))
            made.append(method.generate_all([wanted], fps=25)[0].values[45:55])
        assert np.abs(made[0] - made[1]).max() > 1e-4

    def test_a_constant_guess_leaves_the_take_softly(self) -> None:
        values, weights = torch.zeros(1, 25, 3), torch.ones(1, 25, 1)
        span = outside(Motion(np.zeros((25, 55))), [(0.2, 0.8)])
        weights[0, :, 0] = torch.tensor(span.weights[:, 0])
        denoise = pulled(lambda x, t: torch.ones(1, 25, 3), Held(values, weights))
        window = dpm_solver(denoise, torch.randn(1, 25, 3), schedule("cosine", 500), 4)
        assert (window[:, :5] == 0).all() and (window[:, 20:] == 0).all()
        assert float(window.diff(dim=1).abs().max()) < 0.4 and float(window.max()) == 1

    @pytest.mark.parametrize("fps", [25.0, 30.0])
    def test_poses_are_met(self, door: dict, fps: float) -> None:
        smile = Motion(np.zeros((2, 55), np.float32)).with_channels(mouthSmileLeft=0.7, head_y=0.2)
        poses = [(1.2, smile), (3.0, {"jawOpen": 0.4})]
        (made,) = api.animate(LINE, **door, fps=fps, poses=poses)
        np.testing.assert_array_equal(made.values[round(1.2 * fps)], smile.values[0])
        assert made["jawOpen"][round(3 * fps)] == np.float32(0.4)
        (free,) = api.animate(LINE, **door, fps=fps)
        assert np.abs(made["browInnerUp"] - free["browInnerUp"])[round(3 * fps)] < 0.02

    def test_a_pose_in_a_take(self, door: dict, tmp_path: Path) -> None:
        (take,) = api.animate(LINE, **door, out=tmp_path / "a.npz")
        (made,) = api.animate(
            LINE, **door, take=tmp_path / "a.npz", poses=[(2.0, tmp_path / "a.npz@0.4")]
        )
        np.testing.assert_array_equal(made.values[50], take.values[10])
        np.testing.assert_array_equal(made.values[:35], take.values[:35])
        np.testing.assert_array_equal(made.values[65:], take.values[65:])

    def test_parts_that_are_scaled_leave_what_is_known(self, door: dict) -> None:
        (take,) = api.animate(LINE, **door)
        (made,) = api.animate(LINE, **door, take=take, regenerate=[(1.0, 2.0)], mouth=0.2)
        assert made.values[:25].tobytes() == take.values[:25].tobytes()

    @pytest.mark.parametrize(
        "options, error, told",
        [
            ({"regenerate": [(1.0, 2.0)]}, ConfigError, "--take"),
            ({"take": TAKE}, ConfigError, "nothing to change"),
            ({"take": TAKE.cut(0, 3), "regenerate": [(1, 2)]}, MotionError, "75 frames.*gives 125"),
            ({"take": TAKE, "fps": 30.0, "regenerate": [(1, 2)]}, MotionError, "--fps 25"),
            ({"take": TAKE, "regenerate": [(1.0, 9.0)]}, ConfigError, "cannot be redrawn"),
            (
                {"take": TAKE, "regenerate": [(1, 2)], "poses": [(3.0, {"jawOpen": 0.1})]},
                ConfigError,
                "outside the ranges",
            ),
            (
                {
                    "take": Motion(np.zeros((125, 56)), layout=flame_layout(50)),
                    "regenerate": [(1, 2)],
                },
                MotionError,
                "'flame'",
            ),
            ({"poses": [(1.0, "nothing.npz")]}, MotionError, r"nothing\.npz"),
            ({"poses": [(np.nan, {"jawOpen": 0.1})]}, ConfigError, "outside the motion"),
        ],
    )
    def test_edits_that_do_not_fit(
        self, door: dict, options: dict, error: type[Exception], told: str
    ) -> None:
        with pytest.raises(error, match=told):
            api.animate(LINE, **door, **options)

    def test_a_pose_behind_its_clip(self, door: dict, tmp_path: Path) -> None:
        api.animate(LINE, **door, out=tmp_path / "a.npz")
        with pytest.raises(ConfigError, match="asked for at 99 s"):
            api.animate(LINE, **door, poses=[(1.0, tmp_path / "a.npz@99")])

    def test_methods_that_draw_nothing_are_blended(self) -> None:
        (take,) = api.animate(LINE, method="articulate", seed=3)
        (made,) = api.animate(LINE, method="articulate", take=take, regenerate=[(1.0, 2.0)])
        assert made.values[:25].tobytes() == take.values[:25].tobytes()
        assert np.abs(made.values[30:45] - take.values[30:45]).max() > 0.01


def test_lips_close_where_the_phones_are_given() -> None:
    phones = Phones(("AA", "P", "AA"), np.array([0.0, 1.0, 1.12]), np.array([1.0, 1.12, 2.0]))
    said = Speech(vowel(2.0), phones=phones)
    debug = METHODS.get("diffposetalk").debug()
    opened = replace(debug, sampling=Sampling(close_lips=False)).generate(said, Style(), seed=1)
    closed = debug.generate(said, Style(), seed=1)
    assert lip_opening(opened)[26] > 0.01
    assert lip_opening(closed)[26] == pytest.approx(0, abs=1e-4)
    assert np.array_equal(opened.values[:20], closed.values[:20])
