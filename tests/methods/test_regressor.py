"""The baseline: parity between its ways of computing, styles, and that it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from synthetic import vowel
from synthetic_corpus import QUICK, TINY, toy_corpus

from kinevox import api
from kinevox.audio.mel import log_mel
from kinevox.data import Corpus
from kinevox.errors import AssetError, ConfigError, MotionError, UnknownNameError
from kinevox.methods import METHODS, load_method
from kinevox.methods.regressor import Regressor, TrainedStyle
from kinevox.methods.regressor import perform as performing
from kinevox.methods.regressor.config import RegressorConfig
from kinevox.methods.regressor.network import RegressorNetwork, regression_loss
from kinevox.methods.regressor.perform import perform, validation_scores
from kinevox.metrics.continuity import window_borders
from kinevox.motion import flame_layout
from kinevox.speech import Speech
from kinevox.training.batch import Batch
from kinevox.training.loop import space_of

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network(corpus: Corpus) -> RegressorNetwork:
    """Untrained, but with an output that depends on everything."""
    torch.manual_seed(0)
    network = RegressorConfig(width=32, layers=2, heads=2).build(space_of(corpus)).eval()
    torch.nn.init.normal_(network.out.weight, std=0.3)
    torch.nn.init.normal_(network.style.weight)
    return network


@pytest.fixture(scope="module")
def trained(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of toy speech, learned within seconds."""
    folder = tmp_path_factory.mktemp("run")
    stage = RegressorConfig(width=32, layers=2, heads=2, window=40, dropout=0.0)
    options = replace(
        QUICK,
        steps=100,
        batch=8,
        learning_rate=5e-3,
        average=100,
        validate_every=100,
        save_every=100,
    )
    api.train(stage, corpus.folder, out=folder, options=options)
    return folder


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    samples = vowel(seconds)
    gain = np.interp(np.arange(len(samples)) / 3200, np.arange(999), rng.random(999))
    return (samples * gain).astype(np.float32)


class TestNetwork:
    @given(st.integers(1, 39))
    def test_padding_changes_nothing(self, network: RegressorNetwork, frames: int) -> None:
        features = log_mel(torch.tensor(sound(1.6, frames)))[None]
        mask = (torch.arange(40) < frames)[None]
        style = torch.tensor([1])
        padded = network(features, mask, style)[:, :frames]
        short = network(features[:, : 4 * frames], mask[:, :frames], style)
        torch.testing.assert_close(padded, short, atol=1e-5, rtol=1e-5)

    def test_a_batch_is_its_clips(self, network: RegressorNetwork) -> None:
        features = torch.stack([log_mel(torch.tensor(sound(1.6, seed))) for seed in range(4)])
        mask = torch.arange(40) < torch.tensor([40, 25, 3, 40])[:, None]
        style = torch.tensor([0, 2, -1, 1])
        together = network(features, mask, style)
        for i in range(4):
            alone = network(features[i : i + 1], mask[i : i + 1], style[i : i + 1])
            torch.testing.assert_close(
                together[i][mask[i]], alone[0][mask[i]], atol=1e-5, rtol=1e-5
            )

    def test_neutral_is_the_mean_style(self, network: RegressorNetwork) -> None:
        styles = network._styles(torch.tensor([0, 1, 2, -1]))
        torch.testing.assert_close(styles[3], styles[:3].mean(dim=0))

    def test_the_loss_ignores_what_does_not_exist(self, network: RegressorNetwork) -> None:
        batch = network.config.fake_batch(network.space)
        changed = Batch(batch.motion.clone(), batch.samples, batch.mask, batch.style)
        changed.motion[~batch.mask] = 99.0
        for name, term in regression_loss(network, batch).items():
            torch.testing.assert_close(regression_loss(network, changed)[name], term)

    def test_a_perfect_prediction_has_no_loss(self, network: RegressorNetwork) -> None:
        batch = network.config.fake_batch(network.space)
        features = log_mel(batch.samples)[:, 200:-24]
        with torch.no_grad():
            motion = network(features, batch.mask, batch.style) * batch.mask[..., None]
        perfect = Batch(motion, batch.samples, batch.mask, batch.style)
        for term in regression_loss(network, perfect).values():
            assert float(term.detach()) < 1e-9

    @pytest.mark.parametrize("wrong", [{"width": 30}, {"layers": 0}, {"window": 5}])
    def test_sizes_that_cannot_be(self, wrong: dict[str, int]) -> None:
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RegressorConfig(**wrong)


class TestPerform:
    @pytest.mark.parametrize("frames", [1, 99, 100, 101, 171, 555])
    def test_every_length(self, network: RegressorNetwork, frames: int) -> None:
        values = perform(network, sound(frames / 25), 0)
        assert values.shape == (frames, 55) and np.isfinite(values).all()

    def test_one_window_is_the_network_itself(self, network: RegressorNetwork) -> None:
        samples = sound(4.0)
        with torch.no_grad():
            whole = torch.ones(1, 100, dtype=torch.bool)
            expected = network(log_mel(torch.tensor(samples))[None], whole, torch.tensor([2]))[0]
        restored = network.space.statistics.restore(expected.numpy())
        np.testing.assert_allclose(perform(network, samples, 2), restored, atol=1e-4)

    def test_how_many_windows_at_once_makes_no_difference(
        self, network: RegressorNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        samples = sound(30.0)
        expected = perform(network, samples, 1)
        monkeypatch.setattr(performing, "AT_ONCE", 1)
        monkeypatch.setattr(performing, "_BLOCK", 7777)
        np.testing.assert_allclose(perform(network, samples, 1), expected, atol=1e-4)

    def test_borders_of_windows_do_not_show(self, network: RegressorNetwork) -> None:
        values = perform(network, sound(40.0), 0)
        jumps = np.abs(np.diff(values, axis=0)).max(axis=1)
        starts = performing._starts(1000, 100)[1:]
        assert len(starts) == 13
        assert np.median(jumps[starts - 1]) < 1.5 * np.median(jumps)
        assert jumps[starts - 1].max() < np.quantile(jumps, 0.99)

    def test_another_layout_is_refused(self, network: RegressorNetwork, tmp_path: Path) -> None:
        other = toy_corpus(tmp_path, clips=4, layout=flame_layout(50))
        with pytest.raises(
            MotionError, match="'flame' at 25 fps; the network was trained in 'arkit'"
        ):
            validation_scores(network, other)


class TestMethod:
    def test_without_weights_it_says_how_to_get_some(self) -> None:
        method = METHODS.get("regressor")
        with pytest.raises(AssetError, match="kinevox train regressor"):
            method.generate(Speech(sound(1.0)), method.load_style(None))

    def test_styles_by_name_and_by_place(self, trained: Path) -> None:
        method = METHODS.get("regressor").load(trained)
        assert list(method.styles()) == ["neutral", "p0", "p1", "p2"]
        assert method.load_style("p2") == method.load_style("2") == TrainedStyle(2)
        for unknown in ("p9", "3", "-1"):
            with pytest.raises(UnknownNameError):
                method.load_style(unknown)

    def test_weights_are_named_behind_a_colon(
        self, trained: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert load_method("regressor") is METHODS.get("regressor")
        assert isinstance(load_method(f"regressor:{trained}"), Regressor)
        monkeypatch.setenv("KINEVOX_CACHE", str(trained / "cache"))
        with pytest.raises(AssetError, match="no checkpoint"):
            load_method("regressor:mine")
        (trained / "cache" / "runs").mkdir(exist_ok=True, parents=True)
        (trained / "cache" / "runs" / "mine").symlink_to(trained)
        assert isinstance(load_method("regressor:mine"), Regressor)
        with pytest.raises(ConfigError, match="takes no weights"):
            load_method("articulate:mine")

    def test_it_learned_to_open_the_mouth(self, trained: Path, corpus: Corpus) -> None:
        method = METHODS.get("regressor").load(trained)
        unseen = corpus.split("valid")
        said, seen = [], []
        for record in unseen:
            motion = method.generate(record.speech, method.load_style(None))
            assert motion.num_frames == record.motion.num_frames
            said.append(motion["jawOpen"])
            seen.append(record.motion["jawOpen"])
        assert np.corrcoef(np.concatenate(said), np.concatenate(seen))[0, 1] > 0.9

    def test_it_learned_whose_style_is_which(self, trained: Path, corpus: Corpus) -> None:
        method = METHODS.get("regressor").load(trained)
        speech = corpus[0].speech
        biases = [
            method.generate(speech, method.load_style(f"p{k}")).values[:, 0].mean()
            for k in range(3)
        ]
        np.testing.assert_allclose(biases, [0.0, 0.1, 0.2], atol=0.03)

    def test_through_the_public_door(self, trained: Path) -> None:
        (motion,) = api.animate(
            Speech(sound(1.3)), method=f"regressor:{trained}", style="p1", fps=30
        )
        assert (motion.num_frames, motion.fps) == (39, 30)
        assert motion.metadata["method"] == "regressor" and str(trained) not in str(motion.metadata)
        assert "p1" in api.styles(f"regressor:{trained}")

    @pytest.mark.parametrize("fps", [25.0, 30.0])
    def test_it_says_where_its_windows_begin(self, trained: Path, fps: float) -> None:
        method = METHODS.get("regressor").load(trained)
        motion = method.generate(Speech(sound(10.0)), method.load_style(None), fps=fps)
        expected = performing._starts(250, method.network.config.window)[1:] * fps / 25
        assert window_borders(motion) == expected.round().astype(int).tolist()
        short = method.generate(Speech(sound(0.5)), method.load_style(None), fps=fps)
        assert window_borders(short) == []


def test_tiny_is_enough_for_a_whole_training(corpus: Corpus, tmp_path: Path) -> None:
    header = api.train(TINY, corpus.folder, out=tmp_path, options=replace(QUICK, steps=2))
    assert header["out"] == str(tmp_path) and header["metrics"]["face_error"] > 0
