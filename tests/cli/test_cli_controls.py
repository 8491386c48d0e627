"""Controls of `kinevox animate` on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import vowel

from kinevox.audio.wav import write_wav
from kinevox.cli._words import pose, span
from kinevox.cli.main import main
from kinevox.errors import ConfigError
from kinevox.export import read_motion


def test_words() -> None:
    assert span("2.0:3.5", "--regenerate") == (2.0, 3.5)
    assert span("8:", "--regenerate") == (8.0, float("inf"))
    assert span(":1.5", "--regenerate") == (0.0, 1.5)
    assert pose("1.2=smile.npz") == (1.2, "smile.npz")
    assert pose("1.2=a/clip.npz@0.8") == (1.2, "a/clip.npz@0.8")
    assert pose("0=jawOpen:0.3,jawLeft:0.1") == (0.0, {"jawOpen": 0.3, "jawLeft": 0.1})


@pytest.mark.parametrize("word", ["2.0", "2.0-3.5", ":", "2:x"])
def test_spans_that_are_none(word: str) -> None:
    with pytest.raises(ConfigError, match="--regenerate is"):
        span(word, "--regenerate")


@pytest.mark.parametrize("word", ["smile.npz", "soon=smile.npz", "1.2=", "1.2"])
def test_poses_that_are_none(word: str) -> None:
    with pytest.raises(ConfigError, match="--pose is"):
        pose(word)


def test_a_take_is_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "ah.wav", vowel(2.0)[None], 16_000)
    animate = ["animate", "ah.wav", "--method", "articulate"]
    assert main([*animate, "-o", "a.npz", "--mouth", "1.2", "--head-motion", "0"]) == 0
    edit = ["--take", "a.npz", "--regenerate", "0.5:1.0", "--pose", "0.8=jawOpen:0.5"]
    assert main([*animate, "-o", "b.npz", *edit]) == 0
    take, made = read_motion("a.npz"), read_motion("b.npz")
    assert made["jawOpen"][20] == np.float32(0.5)
    assert made.values[25:].tobytes() == take.values[25:].tobytes()
    assert main([*animate, "-o", "c.npz", "--regenerate", "0.5:1.0"]) == 2
    assert main([*animate, "-o", "c.npz", "--steps", "4"]) == 2
