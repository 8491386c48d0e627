"""Training of diffposetalk: losses, conditions, going on, and that it learns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import vowel
from synthetic_corpus import QUICK, toy_corpus
from synthetic_diffposetalk import TINY, TINY_STYLE, windows_of

from kinevox import api
from kinevox.data import Corpus
from kinevox.data.mixture import Mixed
from kinevox.errors import AssetError
from kinevox.methods import METHODS
from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.methods.diffposetalk.losses import window_terms
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork, adopt_weights
from kinevox.methods.diffposetalk.style_training import style_loss
from kinevox.methods.diffposetalk.training import (
    Stretch,
    drawn_steps,
    known_conditions,
    predict,
    two_window_loss,
)
from kinevox.motion import flame_layout
from kinevox.nn.modulation import Modulation, changed
from kinevox.speech import Speech
from kinevox.training.batch import Batch
from kinevox.training.checkpoint import Checkpoint
from kinevox.training.loop import space_of, train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network(corpus: Corpus) -> DiffPoseTalkNetwork:
    torch.manual_seed(0)
    return TINY.build(space_of(corpus)).eval()


class TestModulation:
    def test_a_new_one_changes_nothing(self, corpus: Corpus, tmp_path: Path) -> None:
        """So a network can go on from one that had none."""
        space = space_of(corpus)
        torch.manual_seed(0)
        plain = replace(TINY, modulation=False).build(space).eval()
        modulated = TINY.build(space).eval()
        adopt_weights(modulated, Checkpoint(TINY, plain, space, {}))
        modulated.style_encoder.load_state_dict(plain.style_encoder.state_dict())
        batch = TINY.fake_batch(space)
        one, other = (
            two_window_loss(network, batch, torch.Generator().manual_seed(0))
            for network in (plain, modulated)
        )
        for name, term in one.items():
            torch.testing.assert_close(other[name], term)

    def test_nothing_else_may_be_missing(self, corpus: Corpus) -> None:
        space = space_of(corpus)
        shallow = replace(TINY, layers=1).build(space)
        with pytest.raises(AssetError, match="another size"):
            adopt_weights(
                replace(TINY, layers=2).build(space), Checkpoint(TINY, shallow, space, {})
            )

    def test_the_person_changes_every_frame(self) -> None:
        change = Modulation(4, 6, 2)
        tokens, told = torch.randn(2, 5, 6), torch.randn(2, 4)
        assert all(torch.equal(changed(tokens, one), tokens) for one in change(told))
        torch.nn.init.normal_(change.changes.weight)
        first, second = (changed(tokens, one) for one in change(told))
        assert not torch.allclose(first, second)
        (scale, shift), _ = change(told)
        torch.testing.assert_close(first[:, 3], tokens[:, 3] * scale[:, 0] + shift[:, 0])


class TestSteps:
    def test_late_steps_come_more_often(self) -> None:
        generator = torch.Generator().manual_seed(0)
        config = replace(TINY, steps=10)
        drawn = torch.cat([drawn_steps(16, config, generator) for _ in range(2_000)])
        shares = torch.bincount(drawn, minlength=11)[1:] / len(drawn)
        expected = (0.5 + (torch.arange(10) + 0.5) / 10) / 10
        torch.testing.assert_close(shares, expected, atol=0.003, rtol=0)

    def test_a_batch_spreads_evenly(self) -> None:
        config = replace(TINY, steps=500)
        for seed in range(20):
            drawn = drawn_steps(16, config, torch.Generator().manual_seed(seed)).sort().values
            assert drawn[0] <= 60 and drawn[-1] > 475 and int(drawn.diff().max()) < 100

    def test_all_alike_where_published(self) -> None:
        config = replace(TINY, steps=10, late_steps=False)
        drawn = drawn_steps(20_000, config, torch.Generator().manual_seed(0))
        shares = torch.bincount(drawn, minlength=11)[1:] / len(drawn)
        torch.testing.assert_close(shares, torch.full((10,), 0.1), atol=0.01, rtol=0)


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

    def test_conditions_are_dropped_as_often_as_asked(self, network: DiffPoseTalkNetwork) -> None:
        """Dropped sound or style makes a prediction independent of it."""
        seen = {}
        for chance in np.linspace(0.005, 0.995, 100):
            stretch = Stretch(
                torch.zeros(1, 25, 55),
                torch.ones(1, 25, 320, requires_grad=True),
                torch.ones(1, 25, dtype=torch.bool),
                torch.ones(1, 16, requires_grad=True),
                *known_conditions(torch.tensor([chance], dtype=torch.float32), TINY),
                torch.tensor([100]),
                torch.zeros(1, 25, 55),
            )
            made = predict(network, stretch, stretch.noised(TINY))
            grads = torch.autograd.grad(
                made.sum(), [stretch.features, stretch.style], allow_unused=True
            )
            known = tuple(bool(grad is not None and grad.any()) for grad in grads)
            seen[known] = seen.get(known, 0) + 1
        assert seen == {
            (True, True): 70,
            (True, False): 15,
            (False, False): 10,
            (False, True): 5,
        }

    def test_the_papers_swap_takes_the_style_of_the_other_window(self, corpus: Corpus) -> None:
        config = replace(TINY, style_of="swap", truncate_first=0.0, truncate_second=0.0)
        network = config.build(space_of(corpus)).eval()
        batch = config.fake_batch(network.space)
        one = two_window_loss(network, batch, torch.Generator().manual_seed(0))
        assert batch.other is not None and batch.other.shape[2] == 0
        assert all(torch.isfinite(term) for term in one.values())

    def test_a_style_encoder_is_needed(self, corpus: Corpus, tmp_path: Path) -> None:
        with pytest.raises(AssetError, match="kinevox train diffposetalk-style"):
            api.train(TINY, corpus.folder, out=tmp_path, options=QUICK)


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
        with pytest.raises(AssetError, match="'train' is of use to diffposetalk"):
            train(TINY, corpus, tmp_path / "run", QUICK, mixed=Mixed(guessed, 2))
        assert not (tmp_path / "run").exists()

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

    def test_it_goes_on_upon_another_corpus_in_the_same_space(
        self, runs: Path, tmp_path: Path
    ) -> None:
        """Its own normalization would change what every weight means."""
        other = toy_corpus(tmp_path / "other", clips=8)
        origin = METHODS.get("diffposetalk").load(runs / "face").network.space
        options = replace(QUICK, steps=1, validate_every=1)
        style = replace(TINY_STYLE, from_run=str(runs / "style"))
        api.train(style, other.folder, out=tmp_path / "style", options=options)
        face = replace(TINY, style_run=str(tmp_path / "style"), from_run=str(runs / "face"))
        api.train(face, other.folder, out=tmp_path / "face", options=options)
        space = METHODS.get("diffposetalk").load(tmp_path / "face").network.space
        assert np.array_equal(space.statistics.mean, origin.statistics.mean)
        assert not np.array_equal(space.statistics.mean, space_of(other).statistics.mean)

    def test_nor_from_weights_for_other_motion(self, runs: Path, tmp_path: Path) -> None:
        other = toy_corpus(tmp_path / "other", clips=8, layout=flame_layout(50))
        stage = replace(TINY, style_run=str(runs / "style"), from_run=str(runs / "face"))
        with pytest.raises(AssetError, match="trained on layout 'arkit' at 25 fps; the corpus has"):
            api.train(stage, other.folder, out=tmp_path / "face", options=QUICK)

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
        windows = windows_of(corpus, stage)
        batch = Batch.of([windows[i] for i in range(16)])
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        losses = []
        for _ in range(40):
            loss = style_loss(network, batch, torch.Generator())["contrast"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < 0.6 * losses[0]


def learned_by_heart(config: DiffPoseTalkConfig, corpus: Corpus) -> tuple[float, float]:
    """Trains on one clip; the simple loss at the beginning and at the end."""
    torch.manual_seed(0)
    network = config.build(space_of(corpus))
    windows = windows_of(corpus, config)
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
