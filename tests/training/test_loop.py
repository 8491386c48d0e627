"""The training loop: what it promises about interruption, reproduction and mistakes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from synthetic_corpus import QUICK, TINY, toy_corpus

from kinevox import api
from kinevox.cli.main import main
from kinevox.data import Corpus
from kinevox.errors import AssetError, ConfigError, KinevoxError
from kinevox.methods.regressor.config import RegressorConfig
from kinevox.motion import flame_layout
from kinevox.training.loop import train
from kinevox.training.options import TrainingOptions


def assert_same_result(one: Path, other: Path) -> None:
    """The same weights, averages and optimizer, bit for bit."""
    first, second = (load_file(folder / "state.safetensors") for folder in (one, other))
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    best = [next((folder / "best").glob("*.safetensors")) for folder in (one, other)]
    assert best[0].name == best[1].name
    assert best[0].read_bytes() == best[1].read_bytes()


def words(stage: RegressorConfig, options: TrainingOptions, corpus: Path, out: Path) -> list[str]:
    """The same training as a command."""
    flags = ["train", "regressor", "--corpus", str(corpus), "--out", str(out)]
    for prefix, values in (("", asdict(options)), ("network.", asdict(stage))):
        for name, value in values.items():
            if not isinstance(value, bool):
                flags += [f"--{prefix}{name.replace('_', '-')}", str(value)]
    return flags


def test_killed_at_once_and_resumed_it_ends_the_same(corpus: Corpus, tmp_path: Path) -> None:
    stage = replace(TINY, dropout=0.2)
    options = replace(QUICK, steps=40, save_every=4, validate_every=20, workers=1)
    train(stage, corpus, tmp_path / "whole", replace(options, workers=0))

    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "kinevox.cli.main"]
    process = subprocess.Popen(
        [*command, *words(stage, options, corpus.folder, killed)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
    )
    while not (killed / "state.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr.read().decode()
    state = json.loads(_state(killed)["state"])
    assert 0 < state["step"] < options.steps

    train(stage, corpus, killed, options)
    assert_same_result(tmp_path / "whole", killed)


@pytest.mark.parametrize("stop_after", [1, 2, 3, 5])
def test_stopped_anywhere_and_resumed_it_ends_the_same(
    run: Path, corpus: Corpus, tmp_path: Path, stop_after: int
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done == stop_after * QUICK.batch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TINY, corpus, tmp_path, QUICK, stop)
    train(TINY, corpus, tmp_path, QUICK)
    assert_same_result(run, tmp_path)


def test_a_finished_training_stays_as_it_is(run: Path, corpus: Corpus) -> None:
    before = (run / "state.safetensors").read_bytes()
    header = train(TINY, corpus, run, QUICK)
    assert (run / "state.safetensors").read_bytes() == before
    assert header["metrics"]["face_error"] > 0


def test_more_steps_go_on(corpus: Corpus, tmp_path: Path) -> None:
    train(TINY, corpus, tmp_path, replace(QUICK, steps=2))
    train(TINY, corpus, tmp_path, replace(QUICK, steps=4))
    assert json.loads(_state(tmp_path)["state"])["samples_seen"] == 4 * QUICK.batch


def test_another_seed_is_another_result(run: Path, corpus: Corpus, tmp_path: Path) -> None:
    train(TINY, corpus, tmp_path, replace(QUICK, seed=1))
    ours, theirs = (load_file(f / "state.safetensors") for f in (tmp_path, run))
    assert not torch.equal(ours["network.near.weight"], theirs["network.near.weight"])


def test_bf16_keeps_weights_in_full_precision(
    run: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Also on processors that would have to emulate it.
    monkeypatch.setattr("kinevox.nn.precision._has_bf16", lambda device: True)
    train(TINY, corpus, tmp_path, replace(QUICK, bf16=True))
    ours, theirs = (load_file(f / "state.safetensors") for f in (tmp_path, run))
    assert {value.dtype for value in ours.values()} == {torch.float32}
    weight = "network.near.weight"
    assert not torch.equal(ours[weight], theirs[weight])
    torch.testing.assert_close(ours[weight], theirs[weight], atol=3e-3, rtol=0)


def test_a_folder_holds_one_training(run: Path, corpus: Corpus) -> None:
    with pytest.raises(ConfigError, match=r"batch: 4 there, 8 now.*another --out"):
        train(TINY, corpus, run, replace(QUICK, batch=8))
    with pytest.raises(ConfigError, match="'width': 16"):
        train(replace(TINY, width=32), corpus, run, QUICK)


def test_another_corpus_or_layout_is_another_training(run: Path, tmp_path: Path) -> None:
    other = toy_corpus(tmp_path, clips=4, layout=flame_layout(50))
    with pytest.raises(ConfigError, match="data digest"):
        train(TINY, other, run, QUICK)


def test_any_layout_can_be_trained(tmp_path: Path) -> None:
    other = toy_corpus(tmp_path / "corpus", clips=4, layout=flame_layout(50))
    header = train(TINY, other, tmp_path / "run", replace(QUICK, steps=1))
    assert header["space"]["layout"] == "flame" and "jaw_error" in header["metrics"]


def test_captured_people_are_mixed_in(corpus: Corpus, tmp_path: Path) -> None:
    people = toy_corpus(tmp_path / "people", clips=5)
    alone, together = tmp_path / "alone", tmp_path / "together"
    train(TINY, corpus, alone, QUICK)
    header = api.train(
        TINY, corpus.folder, out=together, options=QUICK, mix=people.folder, mix_every=3
    )
    assert header["data"]["mixed"]["every"] == 3
    assert header["data"]["mixed"]["splits"]["train"]["clips"] == 4
    card = (together / "best" / "card.md").read_text()
    assert "One sample in 3 is of the split `train` of another corpus" in card
    ours, theirs = (load_file(run / "state.safetensors") for run in (alone, together))
    assert any(not torch.equal(value, theirs[name]) for name, value in ours.items())
    with pytest.raises(ConfigError, match="mixed in one of: 3 there, 4 now"):
        api.train(TINY, corpus.folder, out=together, options=QUICK, mix=people.folder, mix_every=4)
    with pytest.raises(ConfigError, match=r"mixed in: .* there, None now"):
        train(TINY, corpus, together, QUICK)
    with pytest.raises(ConfigError, match="mix_every is 3, but no corpus is mixed in"):
        api.train(TINY, corpus.folder, out=alone, options=QUICK, mix_every=3)


def test_a_corpus_without_validation_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="no split 'valid'"):
        train(TINY, corpus.split("train"), tmp_path, QUICK)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_state_is_named(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "state.safetensors").write_bytes(b"garbage")
    with pytest.raises(AssetError, match=r"state\.safetensors is no state of this training"):
        train(TINY, corpus, tmp_path, QUICK)


@dataclass(frozen=True)
class Diverging(RegressorConfig):
    def loss(self, network, batch, generator) -> Mapping[str, torch.Tensor]:
        terms = super().loss(network, batch, generator)
        return {**terms, "pose": terms["pose"] * float("nan")}


def test_divergence_is_an_error(corpus: Corpus, tmp_path: Path) -> None:
    stage = Diverging(**asdict(TINY))
    with pytest.raises(KinevoxError, match=r"no number after 0 samples \(pose nan, velocity"):
        train(stage, corpus, tmp_path, QUICK)
    assert not (tmp_path / "state.safetensors").exists()


def test_scalars_are_named(run: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(run / "log")).Reload()
    tags = set(log.Tags()["scalars"])
    assert {"train/loss", "train/pose", "train/velocity", "valid/face_error"} <= tags
    assert [event.step for event in log.Scalars("train/loss")] == [8, 16, 24]


def test_dry_run_prints_everything_and_does_nothing(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = words(TINY, QUICK, corpus.folder, tmp_path / "run")
    assert main([*flags, "--dry-run", "--bf16"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["network"] == {"name": "regressor", "config": asdict(TINY)}
    assert printed["options"] == {**asdict(QUICK), "bf16": True}
    assert printed["data"]["splits"]["train"]["styles"] == 3
    assert not (tmp_path / "run").exists()


def test_the_command_trains(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = words(TINY, replace(QUICK, steps=1), corpus.folder, tmp_path / "run")
    assert main(flags) == 0
    assert Path(capsys.readouterr().out.strip()) == tmp_path / "run" / "best"
    assert (tmp_path / "run" / "best" / "card.md").is_file()


def test_an_unknown_network_is_suggested(corpus: Corpus) -> None:
    with pytest.raises(KinevoxError, match="Did you mean 'regressor'"):
        api.train("regresor", corpus.folder)


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"steps": -1}, {"cooldown": 1.5}, {"warmup": -1}])
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TrainingOptions(**wrong)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    options = TrainingOptions(steps=100, warmup=10, cooldown=0.2, learning_rate=1.0)
    rates = [options.learning_rate_at(step) for step in range(101)]
    assert rates[0] == 0.1 and rates[9:81] == [1.0] * 72 and rates[90] == 0.5 and rates[100] == 0


def _state(folder: Path) -> Mapping[str, str]:
    from safetensors import safe_open

    with safe_open(folder / "state.safetensors", "pt") as file:
        return file.metadata()
