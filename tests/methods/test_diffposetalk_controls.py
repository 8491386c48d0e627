"""Controls of diffposetalk through the public door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic import vowel

from kinevox import api
from kinevox.diffusion.guidance import Guidance
from kinevox.errors import ConfigError
from kinevox.methods import METHODS, Performance, SampledMethod, SamplingOptions
from kinevox.methods.diffposetalk import DiffPoseTalk, Style
from kinevox.methods.diffposetalk.perform import PUBLISHED, Sampling
from kinevox.motion import Motion
from kinevox.speech import Speech
from kinevox.strengths import lip_opening

LINE = Speech(vowel(5.0))
STYLE = Style(tuple(np.linspace(-1, 1, 16).tolist()))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
        expected = replace(method, sampling=sampling).generate(LINE, Style())
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
        assert heard == [1] and calls == [4, 4], "two takes, two branches"


class TestSilence:
    def test_the_mouth_is_closed_where_nobody_speaks(self, door: dict) -> None:
        sound = vowel(3.0)
        sound[16_000:36_000] = 0
        (closed,) = api.animate(Speech(sound), **door)
        (drawn,) = api.animate(Speech(sound), **door, close_in_silence=False)
        pause = slice(33, 45)
        assert lip_opening(closed)[pause].max() < 1e-4 < lip_opening(drawn)[pause].max()
        np.testing.assert_array_equal(closed["browInnerUp"], drawn["browInnerUp"])
        np.testing.assert_array_equal(closed.values[:25], drawn.values[:25])

    def test_the_published_way_leaves_it(self) -> None:
        assert not PUBLISHED.close_in_silence
