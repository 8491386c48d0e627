"""Checkpoints: whole, readable without trust, and refused when they are not ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from synthetic_corpus import TINY

from kinevox.data import Corpus
from kinevox.errors import AssetError
from kinevox.training.checkpoint import read_checkpoint, read_header, write_checkpoint
from kinevox.training.loop import space_of

FACTS = {"training": {"samples_seen": 12}, "metrics": {"face_error": 1.0}}


@pytest.fixture
def best(run: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(run / "best", tmp_path / "best"))


def edit(best: Path, change: Callable[[dict], object]) -> None:
    path = best / "checkpoint.json"
    header = json.loads(path.read_text())
    change(header)
    path.write_text(json.dumps(header))


def test_reloaded_equals_saved(corpus: Corpus, tmp_path: Path) -> None:
    space = space_of(corpus)
    stage = replace(TINY, window=60)
    network = stage.build(space)
    torch.nn.init.normal_(network.out.weight)
    write_checkpoint(tmp_path, stage, space, network, FACTS)
    read = read_checkpoint(tmp_path, TINY)
    assert read.stage == stage and not read.network.training
    for name, value in network.state_dict().items():
        assert torch.equal(read.network.state_dict()[name], value)
    assert (read.space.layout, read.space.fps) == (space.layout, space.fps)
    assert read.space.styles == space.styles == ("p0", "p1", "p2")
    np.testing.assert_array_equal(read.space.statistics.mean, space.statistics.mean)
    np.testing.assert_array_equal(read.space.statistics.std, space.statistics.std)
    assert read.header["metrics"] == FACTS["metrics"]


def test_a_failed_write_leaves_the_older_one(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = space_of(corpus)
    write_checkpoint(tmp_path, TINY, space, TINY.build(space), FACTS)
    before = read_checkpoint(tmp_path, TINY)

    def killed(*args: object, **options: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(json, "dumps", killed)
    later = {**FACTS, "training": {"samples_seen": 99}}
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path, TINY, space, TINY.build(space), later)
    monkeypatch.undo()
    again = read_checkpoint(tmp_path, TINY)
    assert again.header == before.header
    torch.testing.assert_close(again.network.state_dict(), before.network.state_dict())
    write_checkpoint(tmp_path, TINY, space, TINY.build(space), later)
    assert len(list(tmp_path.iterdir())) == 2, "older weights are removed"


def test_a_run_or_its_checkpoint_may_be_named(run: Path) -> None:
    assert read_header(run) == read_header(run / "best")


def test_everything_needed_is_noted(run: Path) -> None:
    _, header = read_header(run)
    assert header["network"]["config"]["width"] == TINY.width
    assert header["space"]["layout"] == "arkit" and header["space"]["sample_rate"] == 16_000
    assert {"kinevox", "code", "data", "metrics", "training"} <= header.keys()
    assert header["training"]["options"]["seed"] == header["training"]["seed"] == 0


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"holds no checkpoint .*kinevox train"):
        read_checkpoint(tmp_path, TINY)


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"format": "theirs"}', "\x00\x01"])
def test_foreign_json(best: Path, content: str) -> None:
    (best / "checkpoint.json").write_text(content)
    with pytest.raises(AssetError, match=r"checkpoint\.json"):
        read_checkpoint(best, TINY)


def test_a_newer_version(best: Path) -> None:
    edit(best, lambda header: header.update(version=9))
    with pytest.raises(AssetError, match=r"version 9.*Update"):
        read_checkpoint(best, TINY)


def test_another_network(best: Path) -> None:
    edit(best, lambda header: header["network"].update(name="artalk"))
    with pytest.raises(AssetError, match="holds network 'artalk', not 'regressor'"):
        read_checkpoint(best, TINY)


def test_another_layout(best: Path) -> None:
    edit(best, lambda header: header["space"]["channels"].reverse())
    with pytest.raises(AssetError, match="layout 'arkit' has other channels here"):
        read_checkpoint(best, TINY)


def test_an_unknown_option(best: Path) -> None:
    edit(best, lambda header: header["network"]["config"].update(depth=3))
    with pytest.raises(AssetError, match="depth"):
        read_checkpoint(best, TINY)


def test_other_weights(best: Path) -> None:
    (weights,) = best.glob("*.safetensors")
    tensors = load_file(weights)
    tensors["out.bias"] = torch.zeros(7)
    save_file(tensors, weights)
    with pytest.raises(AssetError, match=r"out\.bias"):
        read_checkpoint(best, TINY)


def test_cut_weights(best: Path) -> None:
    (weights,) = best.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(AssetError, match="SafetensorError"):
        read_checkpoint(best, TINY)


def test_missing_weights(best: Path) -> None:
    (weights,) = best.glob("*.safetensors")
    weights.unlink()
    with pytest.raises(AssetError, match=f"lacks {weights.name}"):
        read_checkpoint(best, TINY)
