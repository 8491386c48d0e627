"""Weights to give away: small, complete, and without names of this machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from synthetic import vowel
from synthetic_weights import FACTS, tiny_diffposetalk

from kinevox.audio.encoders import ENCODERS, load_encoder, speech
from kinevox.audio.encoders.speech.weights import write_weights
from kinevox.cli.main import main
from kinevox.errors import AssetError
from kinevox.methods import METHODS, load_method
from kinevox.speech import Speech
from kinevox.training.checkpoint import read_header, write_checkpoint
from kinevox.training.pack import pack


def test_half_as_large_and_the_same_to_rounding(tmp_path: Path) -> None:
    whole = tiny_diffposetalk(tmp_path / "run" / "best")
    files = pack(tmp_path / "run", tmp_path / "out")
    assert [path.name for path in files] == ["card.md", "checkpoint.json", weights_of(whole).name]
    before, after = weights_of(whole), weights_of(tmp_path / "out")
    assert after.stat().st_size < 0.6 * before.stat().st_size
    assert {value.dtype for value in load_file(after).values()} == {torch.float16}
    packed = METHODS.get("diffposetalk").load(tmp_path / "out").network
    for name, value in load_file(before).items():
        read = packed.state_dict()[name]
        assert read.dtype == torch.float32
        torch.testing.assert_close(read, value, rtol=1e-3, atol=1e-6)
    card = (tmp_path / "out" / "card.md").read_text()
    assert "a machine" in card and "CC0-1.0" in card


def test_no_path_of_this_machine_is_told(tmp_path: Path) -> None:
    """Neither those in the configuration nor any other: the whole header is looked at."""
    own = write_speech(tmp_path / "hears")
    run = tiny_diffposetalk(
        tmp_path / "run", style_run=str(tmp_path / "style"), encoder=f"speech:{own}", features=16
    )
    pack(run, tmp_path / "out")
    config = read_header(tmp_path / "out")[1]["network"]["config"]
    assert config["style_run"] == "style" and config["encoder"] == "speech"
    for name in ("checkpoint.json", "card.md"):
        assert str(tmp_path) not in (tmp_path / "out" / name).read_text()


def test_trainings_before_it_are_told(tmp_path: Path) -> None:
    """By whatever way weights came, once each; what is gone is left out."""
    style = str(tiny_diffposetalk(tmp_path / "style"))
    first = str(tiny_diffposetalk(tmp_path / "first", style_run="gone"))
    second = str(tiny_diffposetalk(tmp_path / "second", style_run=style, from_run=first))
    third = tiny_diffposetalk(tmp_path / "third", style_run=style, from_run=second)
    pack(third, tmp_path / "out")
    earlier = read_header(tmp_path / "out")[1]["earlier"]
    assert [one["run"] for one in earlier] == ["second", "first", "style"]
    card = (tmp_path / "out" / "card.md").read_text()
    assert "| second | diffposetalk | toy | 64 |" in card and str(tmp_path) not in card


def test_packed_weights_tell_of_trainings_that_are_gone(tmp_path: Path) -> None:
    first = tiny_diffposetalk(tmp_path / "first")
    second = tiny_diffposetalk(tmp_path / "second", from_run=str(first))
    pack(second, tmp_path / "packed")
    shutil.rmtree(first)
    third = tiny_diffposetalk(tmp_path / "third", from_run=str(tmp_path / "packed"))
    pack(third, tmp_path / "out")
    earlier = read_header(tmp_path / "out")[1]["earlier"]
    assert [one["run"] for one in earlier] == ["packed", "first"]


def test_a_speech_encoder_of_ones_own_comes_along(tmp_path: Path) -> None:
    own = write_speech(tmp_path / "hears")
    run = tiny_diffposetalk(tmp_path / "run", encoder=f"speech:{own}", features=16)
    pack(run, tmp_path / "out")
    (own / "speech.safetensors").unlink()
    again = pack(tmp_path / "out", tmp_path / "again")
    assert tmp_path / "again" / "encoder" / "speech.safetensors" in again
    method = load_method(f"diffposetalk:{tmp_path / 'again'}")
    style = method.load_style(None)
    assert method.generate(Speech(vowel(1.0)), style, seed=0, fps=25.0).num_frames == 25


def test_the_speech_encoder_of_the_package_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write_speech(tmp_path / "hears")
    monkeypatch.setattr(speech, "WEIGHTS", own / "speech.safetensors")
    monkeypatch.setattr("kinevox.training.pack.SPEECH_WEIGHTS", own / "speech.safetensors")
    run = tiny_diffposetalk(tmp_path / "run", encoder=f"speech:{own}", features=16)
    pack(run, tmp_path / "out")
    assert not (tmp_path / "out" / "encoder").exists()
    encoder = METHODS.get("diffposetalk").load(tmp_path / "out").network.config.encoder
    assert load_encoder(encoder).digest == load_encoder(f"speech:{own}").digest


def test_named_styles_come_along_and_older_ones_go(tmp_path: Path) -> None:
    run = tiny_diffposetalk(tmp_path / "run")
    (tmp_path / "out" / "styles").mkdir(parents=True)
    (tmp_path / "out" / "styles" / "old.style").touch()
    pack(run, tmp_path / "out")
    assert not (tmp_path / "out" / "styles").exists()
    (run / "styles").mkdir()
    (run / "styles" / "new.style").touch()
    pack(run, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "styles").iterdir()] == ["new.style"]


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tiny_diffposetalk(tmp_path / "run")
    assert main(["weights", "pack", str(run), "-o", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert told.out.strip() == str(tmp_path / "out")
    assert "MB  checkpoint.json" in told.err and "in all" in told.err
    assert main(["weights", "pack", str(tmp_path / "out"), "-o", str(tmp_path / "out")]) == 1
    assert "Give another folder" in capsys.readouterr().err


def test_what_was_not_trained_here_is_not_packed(tmp_path: Path) -> None:
    network = METHODS.get("diffposetalk").debug().network
    told = {"training": FACTS["training"], "data": {"name": "somebody's"}}
    write_checkpoint(tmp_path / "theirs", network.config, network.space, network, told)
    with pytest.raises(AssetError, match="not ours"):
        pack(tmp_path / "theirs", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def weights_of(folder: Path) -> Path:
    header = json.loads((folder / "checkpoint.json").read_text())
    return folder / header["weights"]


def write_speech(folder: Path) -> Path:
    """A run of the speech encoder."""
    write_weights(folder / "speech.safetensors", ENCODERS.get("speech").debug().network, {})
    return folder
