"""DiffPoseTalk: sizes, channels, parity between its ways of computing, and windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from synthetic import vowel
from synthetic_diffposetalk import TINY, count, flame_space, heard, some_style, windows_of

from kinevox.data import Corpus
from kinevox.data.normalize import Statistics
from kinevox.diffusion.guidance import Guidance
from kinevox.diffusion.samplers import dpm_solver
from kinevox.diffusion.schedules import schedule
from kinevox.errors import ConfigError, UnknownNameError
from kinevox.methods import METHODS
from kinevox.methods.diffposetalk import Style, hearing
from kinevox.methods.diffposetalk.channels import columns_of, mouth_columns, restored
from kinevox.methods.diffposetalk.config import (
    BASE,
    LEAD,
    PAPER,
    TAIL,
    StyleConfig,
)
from kinevox.methods.diffposetalk.config_checks import check_choices
from kinevox.methods.diffposetalk.hearing import MelEncoder, features_of, features_of_batch
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.perform import _noise, perform, steadied
from kinevox.methods.diffposetalk.sampling import PUBLISHED, Sampling, usual_sampling
from kinevox.methods.diffposetalk.window import pulled, ramp
from kinevox.metrics.continuity import window_borders
from kinevox.motion import ARKIT, flame_layout
from kinevox.speech import Speech
from kinevox.training import Space
from kinevox.training.batch import Batch
from kinevox.training.loop import space_of

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network(corpus: Corpus) -> DiffPoseTalkNetwork:
    torch.manual_seed(0)
    return TINY.build(space_of(corpus)).eval()


@dataclass
class SomeChoice:
    criterion: Literal["l2", "l1"]


class TestSizes:
    def test_the_papers(self) -> None:
        network = PAPER.build(flame_space())
        denoiser = network.denoiser
        assert len(network.columns) == 54 and network.head_columns == [50, 51, 52]
        assert count(denoiser) == 34_505_526
        assert count(denoiser.layers) == 33_632_256
        assert count(denoiser.step) == 525_312
        assert count(denoiser.person) == 117_248
        assert count(denoiser.motion) == 28_672
        assert count(denoiser.out) == 145_206
        assert count(denoiser.positions) == 56_832
        assert count(network.sound) == 393_728
        starts = (network.start_sound, network.start_motion)
        assert [part.numel() for part in starts] == [5_120, 540]
        assert [p.numel() for p in (network.null_style, network.null_sound)] == [128, 512]
        assert count(network.style_encoder) == 800_128

    def test_the_papers_without_head(self) -> None:
        network = replace(PAPER, fixed=(*PAPER.fixed, "head")).build(flame_space())
        assert count(network.denoiser) == 34_503_219 and network.head_columns == []

    def test_ours(self) -> None:
        network = BASE.build(even_space())
        assert count(network) == 9_902_429
        assert count(network.denoiser) == 9_368_375
        assert count(network.style_encoder) == 464_768

    @pytest.mark.parametrize(
        "wrong, told",
        [
            ({"width": 30}, "width"),
            ({"context": 200}, "context"),
            ({"drop_style": 0.95}, "drop_style"),
            ({"reach": 3}, "person_hears"),
            ({"pre_norm": False}, "modulation"),
            ({"style_pieces": 0}, "style_pieces"),
            ({"few_steps": 5}, "expected a multiple"),
            ({"teacher_steps": 0}, "at least 1"),
            ({"taught_by": "teacher", "steps": 10}, "has 10 steps"),
            ({"own_context": 2.0}, "a share"),
            ({"identity": -1}, "at least 0"),
            ({"spacing": 0.0}, "even steps"),
            ({"taught_by": "teacher", "from_run": "other"}, "leave from_run"),
        ],
    )
    def test_that_cannot_be(self, wrong: dict, told: str) -> None:
        with pytest.raises(ConfigError, match=told):
            replace(BASE, **wrong)

    def test_choices_and_clocks_that_are_not_known(self) -> None:
        with pytest.raises(UnknownNameError, match="criterion 'l3'"):
            check_choices(SomeChoice("l3"))
        check_choices(SomeChoice("l2"))
        for stage in (BASE, StyleConfig()):
            with pytest.raises(ConfigError, match="50 frames per second"):
                stage.build(replace(even_space(), fps=50.0))

    @pytest.mark.parametrize("other", [{"context": 80}, {"steps": 5}, {"window": 20}])
    def test_all_perform_as_usual(self, other: dict) -> None:
        config = replace(TINY, **({"window": 100} | other))
        network, sampling = config.build(even_space()).eval(), usual_sampling(config)
        (values,) = perform(network, [heard(130)], [None], [0], sampling)
        assert values.shape == (130, 55)


def even_space(spread: float = 0.5) -> Space:
    """All channels spread alike."""
    std = np.full(ARKIT.num_channels, spread, np.float32)
    return Space(ARKIT, 25.0, Statistics(ARKIT.neutral, std), ())


class TestChannels:
    def test_by_name_and_by_group(self) -> None:
        layout = flame_layout(50)
        assert columns_of(layout, ("jaw_y", "jaw_z")) == list(range(54))
        assert columns_of(layout, ("jaw_y", "jaw_z", "head")) == [*range(50), 53]
        with pytest.raises(ConfigError, match="jaw_q"):
            columns_of(layout, ("jaw_q",))

    def test_what_is_fixed_is_neutral_and_weights_keep_their_range(self) -> None:
        columns = columns_of(ARKIT, ("head", "jawOpen"))
        values = restored(even_space(), columns, np.full((3, len(columns)), 7.0, np.float32))
        assert (values[:, ARKIT.group("head")] == 0).all()
        assert (values[:, ARKIT.index("jawOpen")] == 0).all()
        assert (values[:, ARKIT.index("eyeBlinkLeft")] == 1).all()

    def test_weights_that_nobody_ever_moved_rest(self) -> None:
        space, columns = even_space(), range(ARKIT.num_channels)
        # What stands for no spread at all.
        space.statistics.std[ARKIT.index("jawLeft")] = 1.0
        values = restored(space, columns, np.full((3, ARKIT.num_channels), 0.1, np.float32))
        assert (values[:, ARKIT.index("jawLeft")] == 0).all()
        np.testing.assert_allclose(values[:, ARKIT.index("jawRight")], 0.05)


class TestPerform:
    @pytest.mark.parametrize("frames", [1, 24, 25, 26, 47, 111])
    def test_every_length(self, network: DiffPoseTalkNetwork, frames: int) -> None:
        sampling = Sampling(steps=2, overlap=4)
        (values,) = perform(network, [heard(frames)], [None], [0], sampling)
        assert values.shape == (frames, 55) and np.isfinite(values).all()

    def test_together_as_alone(self, network: DiffPoseTalkNetwork) -> None:
        """Lines of different lengths, in different styles: each is what it is by itself."""
        sampling = Sampling(steps=3, overlap=5)
        features = [heard(frames, frames) for frames in (60, 25, 8, 45)]
        styles = [some_style(1), None, some_style(2), some_style(3)]
        together = perform(network, features, styles, [5, 6, 7, 5], sampling)
        for i in range(4):
            (alone,) = perform(network, [features[i]], [styles[i]], [[5, 6, 7, 5][i]], sampling)
            np.testing.assert_allclose(together[i], alone, atol=1e-5)

    def test_the_beginning_does_not_know_the_end(self, network: DiffPoseTalkNetwork) -> None:
        """A longer recording begins as a shorter one, but for the last frames, which become the
        beginning of another window."""
        sampling = Sampling(steps=3, overlap=5)
        long, short = (
            perform(network, [heard(100)[:n]], [some_style()], [0], sampling)[0] for n in (100, 45)
        )
        # The last window is another one; steadying looks two frames ahead.
        np.testing.assert_allclose(long[:38], short[:38], atol=1e-5)

    def test_windows_have_noise_of_their_own_unless_published(
        self, network: DiffPoseTalkNetwork
    ) -> None:
        features = heard(25).repeat(2, 1)
        for same in (False, True):
            sampling = Sampling(steps=2, overlap=0, same_noise=same)
            seen = []
            perform(
                network,
                [features],
                [None],
                [3],
                sampling,
                noise=lambda window, seen=seen, s=sampling: _watched(network, window, seen, s),
            )
            assert torch.equal(seen[0], seen[1]) == same

    @pytest.mark.parametrize(
        ("hertz", "kept"),
        [(0.0, (1.0, 1.0)), (1.0, (0.95, 1.0)), (6.25, (0.45, 0.55)), (12.5, (0, 0))],
    )
    def test_a_head_turns_but_does_not_tremble(
        self, hertz: float, kept: tuple[float, float]
    ) -> None:
        wave = np.cos(2 * np.pi * hertz * np.arange(200) / 25)[:, None].astype(np.float32)
        gain = (steadied(wave) / wave)[[20, 100, 150], 0]
        assert kept[0] - 1e-5 <= gain.min() and gain.max() <= kept[1] + 1e-5

    def test_what_was_drawn_is_steadied_unless_published(
        self, network: DiffPoseTalkNetwork
    ) -> None:
        raw, steady = (
            perform(
                network,
                [heard(60)],
                [some_style()],
                [0],
                Sampling(steps=2, overlap=5, steady_head=wanted),
            )[0]
            for wanted in (False, True)
        )
        head = [network.columns[k] for k in network.head_columns]
        face = np.setdiff1d(np.arange(raw.shape[1]), head)
        assert np.array_equal(raw[:, face], steady[:, face])
        np.testing.assert_allclose(steady[:, head], steadied(raw[:, head]), atol=1e-6)

    def test_mouths_grow_from_less_noise(self, network: DiffPoseTalkNetwork) -> None:
        whole, half = (_noise(network, [3], Sampling(mouth_noise=much))(0) for much in (1.0, 0.5))
        mouth = mouth_columns(network.space.layout, network.columns)
        names = {network.space.layout.names[network.columns[k]] for k in mouth}
        assert {"jawOpen", "mouthClose", "tongueOut"} <= names
        assert not names & {"browInnerUp", "eyeBlinkLeft", "head_x"}
        for one, other in ((whole[0], half[0]), (whole[1](), half[1]())):
            ratio = other / one
            assert (ratio[..., mouth] == 0.5).all()
            assert ratio.mean() == pytest.approx(1 - 0.5 * len(mouth) / len(network.columns))

    def test_an_overlap_spreads_a_jump(self) -> None:
        """Where two windows disagree, the change from one to the other takes all of the overlap,
        and begins and ends gently."""
        before, after = torch.zeros(1, 9, 3), torch.ones(1, 25, 3)
        denoise = pulled(lambda x, t: after, ramp(before, 25))
        start = torch.randn(1, 25, 3)
        window = dpm_solver(denoise, start, schedule("cosine", 500), 4)[0]
        # The last frame before the window holds what the one before it held: 0.
        steps = torch.cat([torch.zeros(1, 3), window]).diff(dim=0)
        change = steps[:10, 0]
        assert change.sum() == pytest.approx(1.0) and (change > 0).all()
        torch.testing.assert_close(change, change.flip(0))
        assert (change[:5].diff() > 0).all() and change.max() < 0.16 and change[0] < 0.03
        assert (steps[10:] == 0).all()

    def test_guidance_of_one_is_the_plain_network(self, network: DiffPoseTalkNetwork) -> None:
        features, style = [heard(25)], [some_style()]
        one, none = (
            perform(network, features, style, [0], Sampling(steps=3, overlap=5, guidance=guidance))[
                0
            ]
            for guidance in (Guidance(1.0, 1.0), Guidance(None, None))
        )
        np.testing.assert_allclose(one, none, atol=1e-5)

    def test_bf16_is_close(
        self, network: DiffPoseTalkNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Also on processors that would have to emulate it.
        monkeypatch.setattr("kinevox.nn.precision._has_bf16", lambda device: True)
        exact, near = (
            perform(network, [heard(40)], [some_style()], [0], Sampling(steps=3, overlap=5, bf16=b))
            for b in (False, True)
        )
        assert not np.array_equal(exact[0], near[0])
        np.testing.assert_allclose(exact[0], near[0], atol=0.05)

    def test_the_overlap_leaves_room(self, network: DiffPoseTalkNetwork) -> None:
        for overlap in (-1, 21):
            with pytest.raises(ConfigError, match="overlap"):
                perform(network, [heard(30)], [None], [0], Sampling(overlap=overlap))

    def test_features_are_on_the_clock_of_motion(self) -> None:
        sound = vowel(1.03)
        features = features_of(MelEncoder(), sound, 25)
        assert features.shape == (25, 320)
        longer = features_of(MelEncoder(), sound, 40)
        assert torch.equal(longer[:25], features) and (longer[25:] == 0).all()

    def test_any_encoder_is_heard_in_training_as_in_use(
        self, network: DiffPoseTalkNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = TINY.fake_batch(network.space)
        ours = features_of_batch("mel", batch, LEAD, TAIL)
        monkeypatch.setattr(hearing, "encoder_named", lambda name: MelEncoder())
        torch.testing.assert_close(features_of_batch("other", batch, LEAD, TAIL), ours)
        for row, samples in zip(ours, batch.samples, strict=True):
            alone = features_of(MelEncoder(), samples.numpy(), LEAD + len(row) + TAIL)
            kept = int(batch.mask[0].sum()) if row[-1].any() else len(row) // 2
            torch.testing.assert_close(row[:kept], alone[LEAD : LEAD + kept])

    @pytest.mark.parametrize("rate", [25, 50])
    def test_features_of_a_corpus_are_kept(
        self, corpus: Corpus, rate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path))
        monkeypatch.setattr(hearing, "encoder_named", lambda name: _Levels(rate))
        stage = replace(TINY, encoder="levels", features=3)
        kept = stage.kept_features(corpus, lambda *_: None)
        assert kept is not None
        windows = windows_of(corpus, stage)
        listening = replace(windows, features=kept)
        batch, heard = (Batch.of([some[i] for i in range(4)]) for some in (listening, windows))
        assert batch.features is not None and batch.features.shape == (4, 50 * rate // 25, 3)
        ours = features_of_batch("levels", batch, LEAD, TAIL)
        computed = features_of_batch("levels", heard, LEAD, TAIL)
        torch.testing.assert_close(ours, computed, atol=1e-3, rtol=1e-3)


class _Levels:
    """An encoder: how loud each interval is, three times."""

    name, width, right_context, digest = "levels", 3, 0.0, "levels"

    def __init__(self, rate: int):
        self.rate = rate

    def encode(self, samples: np.ndarray) -> torch.Tensor:
        step = 16_000 // self.rate
        whole = samples[: len(samples) // step * step].reshape(-1, step)
        return torch.tensor(np.abs(whole).mean(axis=1), dtype=torch.float32)[:, None].repeat(1, 3)


def _watched(network: DiffPoseTalkNetwork, window: int, seen: list, sampling: Sampling):
    start, draw = _noise(network, [3], sampling)(window)
    seen.append(start)
    return start, draw


class TestMethod:
    def test_styles_and_sound_make_a_difference(self) -> None:
        method = METHODS.get("diffposetalk").debug()
        speech = Speech(vowel(2.0))
        plain = method.generate(speech, Style(), seed=0)
        styled = method.generate(speech, Style(tuple(some_style(3).tolist())), seed=0)
        other = method.generate(Speech(vowel(2.0)[::-1].copy()), Style(), seed=0)
        assert not np.array_equal(plain.values, styled.values)
        assert not np.array_equal(plain.values, other.values)

    @pytest.mark.parametrize("fps", [25.0, 30.0])
    def test_it_says_where_its_windows_begin(self, fps: float) -> None:
        method = METHODS.get("diffposetalk").debug()
        motion = method.generate(Speech(vowel(10.0)), Style(), fps=fps)
        expected = [round(border * fps / 25) for border in (76, 100, 152, 176)]
        assert window_borders(motion) == expected

    def test_the_published_way_runs(self) -> None:
        method = METHODS.get("diffposetalk").debug()
        small = replace(method.network.config, steps=3)
        method.network.config = small
        published = replace(method, sampling=PUBLISHED)
        motion = published.generate(Speech(vowel(5.3)), Style(), seed=0)
        assert motion.num_frames == 132 and window_borders(motion) == [100]
