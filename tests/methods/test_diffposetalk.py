"""DiffPoseTalk: parity between its ways of computing, windows, styles, and that it learns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import vowel
from synthetic_corpus import QUICK, toy_corpus

from kinevox import api
from kinevox.data import Corpus
from kinevox.data.normalize import Statistics
from kinevox.diffusion.guidance import Guidance
from kinevox.diffusion.samplers import dpm_solver
from kinevox.diffusion.schedules import schedule
from kinevox.errors import AssetError, ConfigError
from kinevox.methods import METHODS
from kinevox.methods.diffposetalk import Style, hearing
from kinevox.methods.diffposetalk.channels import columns_of, restored
from kinevox.methods.diffposetalk.config import (
    BASE,
    LEAD,
    PAPER,
    TAIL,
    DiffPoseTalkConfig,
    StyleConfig,
)
from kinevox.methods.diffposetalk.hearing import MelEncoder, features_of, features_of_batch
from kinevox.methods.diffposetalk.losses import window_terms
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.perform import PUBLISHED, Sampling, perform, pulled, ramp
from kinevox.methods.diffposetalk.style import (
    StyleEncoder,
    contrastive_loss,
    in_pose,
    mean_pose,
    nt_xent,
)
from kinevox.methods.diffposetalk.training import Stretch, predict, two_window_loss
from kinevox.metrics.continuity import window_borders
from kinevox.motion import ARKIT, flame_layout
from kinevox.speech import Speech
from kinevox.training import Space
from kinevox.training.batch import Batch
from kinevox.training.loop import space_of, train

TINY_STYLE = StyleConfig(width=16, layers=1, heads=2, clip=25, dropout=0.0)
TINY = replace(
    BASE,
    encoder="mel",
    features=320,
    style_width=16,
    style_layers=1,
    style_heads=2,
    width=32,
    layers=2,
    heads=2,
    dropout=0.0,
    window=25,
    context=5,
    head="",
)
"""Networks for tests; their motion is not measured on a head."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"), clips=24)


@pytest.fixture(scope="module")
def network(corpus: Corpus) -> DiffPoseTalkNetwork:
    torch.manual_seed(0)
    return TINY.build(space_of(corpus)).eval()


def flame_space() -> Space:
    layout = flame_layout(50)
    ones = np.ones(layout.num_channels, np.float32)
    return Space(layout, 25.0, Statistics(layout.neutral, ones), ())


def heard(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(frames, 320, generator=torch.Generator().manual_seed(seed))


def some_style(seed: int = 0, width: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)


def count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


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
        network = BASE.build(replace_layout())
        assert count(network) == 7_935_197

    @pytest.mark.parametrize(
        "wrong, told",
        [
            ({"width": 30}, "width"),
            ({"context": 200}, "context"),
            ({"drop_style": 0.95}, "drop_style"),
            ({"reach": 3}, "person_hears"),
        ],
    )
    def test_that_cannot_be(self, wrong: dict, told: str) -> None:
        with pytest.raises(ConfigError, match=told):
            replace(BASE, **wrong)


def replace_layout() -> Space:
    ones = np.ones(ARKIT.num_channels, np.float32)
    return Space(ARKIT, 25.0, Statistics(ARKIT.neutral, ones), ())


class TestChannels:
    def test_by_name_and_by_group(self) -> None:
        layout = flame_layout(50)
        assert columns_of(layout, ("jaw_y", "jaw_z")) == list(range(54))
        assert columns_of(layout, ("jaw_y", "jaw_z", "head")) == [*range(50), 53]
        with pytest.raises(ConfigError, match="jaw_q"):
            columns_of(layout, ("jaw_q",))

    def test_what_is_fixed_is_neutral_and_weights_keep_their_range(self) -> None:
        columns = columns_of(ARKIT, ("head", "jawOpen"))
        values = restored(replace_layout(), columns, np.full((3, len(columns)), 7.0, np.float32))
        assert (values[:, ARKIT.group("head")] == 0).all()
        assert (values[:, ARKIT.index("jawOpen")] == 0).all()
        assert (values[:, ARKIT.index("eyeBlinkLeft")] == 1).all()


class TestStyleEncoder:
    def test_order_counts_unless_published(self, corpus: Corpus) -> None:
        motion = torch.randn(1, 25, 55)
        shuffled = motion[:, torch.randperm(25)]
        for positions, same in (("sinusoidal-published", True), ("sinusoidal", False)):
            config = replace(TINY_STYLE, positions=positions)  # type: ignore[arg-type]
            encoder = StyleEncoder(config, space_of(corpus)).eval()
            apart = float((encoder(motion) - encoder(shuffled)).detach().abs().max())
            assert (apart < 1e-5) == same

    def test_nt_xent_of_perfect_pairs(self) -> None:
        styles = 5 * torch.eye(4, 8)
        expected = np.log(1 + 6 * np.exp(-10))
        assert float(nt_xent(styles, styles, 0.1)) == pytest.approx(expected, rel=1e-3)

    def test_one_person_twice_is_not_told_apart(self) -> None:
        one, other = torch.randn(5, 8), torch.randn(5, 8)
        person = torch.tensor([0, 1, 2, 2, 3])
        without_twin = nt_xent(one, other, 0.1, person)
        assert float(without_twin) < float(nt_xent(one, other, 0.1))

    def test_one_pose_for_all_leaves_movement(self) -> None:
        generator = torch.Generator().manual_seed(0)
        motion = torch.randn(3, 40, 5, generator=generator)
        mask = torch.arange(40) < torch.tensor([[40], [30], [25]])
        pose = torch.arange(5.0)
        moved = in_pose(motion, mask, pose)
        assert torch.allclose(mean_pose(moved, mask), pose.expand(3, 5), atol=1e-5)
        assert torch.allclose(moved.diff(dim=1), motion.diff(dim=1), atol=1e-5)

    def test_pairs_with_too_little_motion_do_not_count(self, corpus: Corpus) -> None:
        network = TINY_STYLE.build(space_of(corpus)).eval()
        batch = TINY_STYLE.fake_batch(network.space)
        assert batch.other is not None
        full = contrastive_loss(network, batch, torch.Generator())
        changed = batch.motion.clone()
        changed[-1] = 9.0
        again = contrastive_loss(network, replace(batch, motion=changed), torch.Generator())
        assert torch.equal(full["contrast"], again["contrast"]), "the last clip is short"


class TestLoss:
    def test_a_perfect_prediction_has_none(self) -> None:
        clean = torch.randn(3, 25, 55)
        context = torch.randn(3, 5, 55)
        terms = window_terms(
            torch.cat([context, clean], dim=1),
            clean,
            torch.ones(3, 25, dtype=torch.bool),
            context,
            vertices={"all": lambda motion: motion, "lips": lambda motion: motion},
            head=[52, 53, 54],
        )
        for name in ("simple", "vertices", "lips", "velocity", "head_angle", "head_velocity"):
            assert float(terms[name]) == 0
        assert min(float(terms[name]) for name in ("smooth", "head_smooth", "head_seam")) > 0

    def test_a_window_that_does_not_exist_follows_nothing(self) -> None:
        clean, context = torch.randn(2, 25, 55), torch.randn(2, 5, 55)
        made = torch.randn(2, 30, 55)
        mask = torch.tensor([[True], [False]]).expand(2, 25)
        options = {"vertices": {"all": lambda motion: motion}, "head": [52, 53, 54]}
        both = window_terms(made, clean, mask, context, **options)
        alone = window_terms(made[:1], clean[:1], mask[:1], context[:1], **options)
        for name, term in alone.items():
            torch.testing.assert_close(both[name], term)

    def test_what_does_not_exist_does_not_count(self, network: DiffPoseTalkNetwork) -> None:
        batch = TINY.fake_batch(network.space)
        changed = batch.motion.clone()
        changed[~batch.mask] = 99.0
        first, second = (
            two_window_loss(network, replace(batch, motion=m), torch.Generator().manual_seed(1))
            for m in (batch.motion, changed)
        )
        for name, term in first.items():
            torch.testing.assert_close(second[name], term)

    def test_conditions_are_dropped_as_often_as_published(
        self, network: DiffPoseTalkNetwork
    ) -> None:
        """Dropped sound or style makes a prediction independent of it."""
        seen = {}
        for chance in np.linspace(0.005, 0.995, 100):
            stretch = Stretch(
                torch.zeros(1, 25, 55),
                torch.ones(1, 25, 32, requires_grad=True),
                torch.ones(1, 25, dtype=torch.bool),
                torch.ones(1, 16, requires_grad=True),
                torch.tensor([chance], dtype=torch.float32),
                torch.tensor([100]),
                torch.zeros(1, 25, 55),
            )
            made = predict(network, stretch, *network.begins(1), None)
            grads = torch.autograd.grad(
                made.sum(), [stretch.sound, stretch.style], allow_unused=True
            )
            known = tuple(bool(grad is not None and grad.any()) for grad in grads)
            seen[known] = seen.get(known, 0) + 1
        assert seen == {(True, True): 55, (True, False): 35, (False, False): 10}

    def test_the_papers_swap_takes_the_style_of_the_other_window(self, corpus: Corpus) -> None:
        config = replace(TINY, style_of="swap", truncate_first=0.0, truncate_second=0.0)
        network = config.build(space_of(corpus)).eval()
        batch = config.fake_batch(network.space)
        one = two_window_loss(network, batch, torch.Generator().manual_seed(0))
        assert batch.other is not None and batch.other.shape[1] == 0
        assert all(torch.isfinite(term) for term in one.values())

    def test_a_style_encoder_is_needed(self, corpus: Corpus, tmp_path: Path) -> None:
        with pytest.raises(AssetError, match="kinevox train diffposetalk-style"):
            api.train(TINY, corpus.folder, out=tmp_path, options=QUICK)


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
        np.testing.assert_allclose(long[:40], short[:40], atol=1e-5)

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
                noise=lambda window, seen=seen, s=sampling: _watched(window, seen, s),
            )
            assert torch.equal(seen[0], seen[1]) == same

    def test_an_overlap_spreads_a_jump(self) -> None:
        """Where two windows disagree, the change from one to the other takes all of the overlap."""
        before, after = torch.zeros(1, 9, 3), torch.ones(1, 25, 3)
        denoise = pulled(lambda x, t: after, ramp(before, 25))
        start = torch.randn(1, 25, 3)
        window = dpm_solver(denoise, start, schedule("cosine", 500), 4)[0]
        # The last frame before the window holds what the one before it held: 0.
        steps = torch.cat([torch.zeros(1, 3), window]).diff(dim=0)
        torch.testing.assert_close(steps[:10], torch.full((10, 3), 0.1))
        assert (steps[10:] == 0).all()

    def test_guidance_of_one_is_the_plain_network(self, network: DiffPoseTalkNetwork) -> None:
        features, style = [heard(25)], [some_style()]
        one, none = (
            perform(network, features, style, [0], Sampling(steps=3, guidance=guidance))[0]
            for guidance in (Guidance(1.0, 1.0), Guidance(None, None))
        )
        np.testing.assert_allclose(one, none, atol=1e-5)

    def test_bf16_is_close(self, network: DiffPoseTalkNetwork) -> None:
        exact, near = (
            perform(network, [heard(40)], [some_style()], [0], Sampling(steps=3, overlap=5, bf16=b))
            for b in (False, True)
        )
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
        windows = _windows(corpus, stage)
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


def _watched(window: int, seen: list, sampling: Sampling):
    from kinevox.methods.diffposetalk.perform import _noise

    start, draw = _noise([3], (25, 55), sampling, torch.device("cpu"))(window)
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
        expected = [round(start * fps / 25) for start in (90, 180)]
        assert window_borders(motion) == expected

    def test_the_published_way_runs(self) -> None:
        method = METHODS.get("diffposetalk").debug()
        small = replace(method.network.config, steps=3)
        method.network.config = small
        published = replace(method, sampling=PUBLISHED)
        motion = published.generate(Speech(vowel(5.3)), Style(), seed=0)
        assert motion.num_frames == 132 and window_borders(motion) == [100]


@pytest.fixture(scope="module")
def runs(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both networks, trained for a few steps."""
    folder = tmp_path_factory.mktemp("runs")
    options = replace(QUICK, steps=3, batch=4, validate_every=3)
    api.train(TINY_STYLE, corpus.folder, out=folder / "style", options=options)
    stage = replace(TINY, style_run=str(folder / "style"))
    api.train(stage, corpus.folder, out=folder / "face", options=options)
    return folder


class TestTraining:
    def test_both_stages_and_then_it_performs(self, runs: Path) -> None:
        (motion,) = api.animate(Speech(vowel(1.3)), method=f"diffposetalk:{runs / 'face'}", fps=30)
        assert (motion.num_frames, motion.fps) == (39, 30)
        assert motion.metadata["method"] == "diffposetalk"

    def test_the_style_encoder_comes_along_unchanged(self, runs: Path) -> None:
        from kinevox.training.checkpoint import read_checkpoint

        trained = read_checkpoint(runs / "style", TINY_STYLE).network.state_dict()
        inside = METHODS.get("diffposetalk").load(runs / "face").network.style_encoder
        for name, value in inside.state_dict().items():
            assert torch.equal(value, trained[name]), name

    def test_clips_with_guessed_phones_are_left_out(self, corpus: Corpus, tmp_path: Path) -> None:
        assert TINY.learns_from({"phones": "aligned"}) and TINY.learns_from({})
        assert not TINY.learns_from({"phones": "recognized"})
        assert replace(TINY, guessed_phones=True).learns_from({"phones": "recognized"})
        texts = np.array([json.dumps({"phones": "recognized"})] * len(corpus))
        guessed = replace(corpus, index=corpus.index | {"metadata": texts})
        with pytest.raises(AssetError, match="'train' is of use to diffposetalk"):
            train(TINY, guessed, tmp_path / "run", QUICK)

    def test_it_goes_on_from_a_run(self, corpus: Corpus, runs: Path) -> None:
        face = METHODS.get("diffposetalk").load(runs / "face").network.state_dict()
        stage = replace(TINY, style_run=str(runs / "style"), from_run=str(runs / "face"))
        network = stage.build(space_of(corpus))
        stage.begin(network)
        for name, value in network.state_dict().items():
            assert torch.equal(value, face[name]), name
        wider = replace(stage, width=64)
        with pytest.raises(AssetError, match="another size"):
            wider.begin(wider.build(space_of(corpus)))

    def test_another_style_encoder_does_not_fit(
        self, runs: Path, corpus: Corpus, tmp_path: Path
    ) -> None:
        stage = replace(TINY, style_run=str(runs / "style"), style_layers=2)
        with pytest.raises(AssetError, match="layers is 1, expected 2"):
            api.train(stage, corpus.folder, out=tmp_path, options=QUICK)

    def test_it_learns_a_clip_by_heart(self, corpus: Corpus) -> None:
        before, after = learned_by_heart(replace(TINY, own_context=0.0), corpus)
        assert after < 0.35 * before

    def test_styles_of_people_are_told_apart(self, corpus: Corpus) -> None:
        torch.manual_seed(0)
        stage = replace(TINY_STYLE, pairs="elsewhere", same_pose=0.0)
        network = stage.build(space_of(corpus))
        windows = _windows(corpus, stage)
        batch = Batch.of([windows[i] for i in range(16)])
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        losses = []
        for _ in range(40):
            loss = contrastive_loss(network, batch, torch.Generator())["contrast"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < 0.6 * losses[0]


def learned_by_heart(config: DiffPoseTalkConfig, corpus: Corpus) -> tuple[float, float]:
    """Trains on one clip; the simple loss at the beginning and at the end."""
    torch.manual_seed(0)
    network = config.build(space_of(corpus))
    windows = _windows(corpus, config)
    long = int(np.argmax(windows.corpus.index["frames"]))
    batch = Batch.of([windows.cut(long, 0, np.random.default_rng(0))] * 8)
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, 3e-3)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(150):
        terms = two_window_loss(network, batch, generator)
        loss = sum(config.loss_weights[name] * term for name, term in terms.items())
        assert isinstance(loss, torch.Tensor)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(terms["simple"].detach()))
    return float(np.mean(losses[:10])), float(np.mean(losses[-20:]))


def _windows(corpus: Corpus, stage):
    from kinevox.data.windows import Windows

    space = space_of(corpus)
    return Windows(corpus.split("train"), space.statistics, space.styles, stage.windows)
