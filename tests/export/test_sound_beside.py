"""A wav of the same base name lies beside every format that cannot hold sound."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from synthetic import toy_head, toy_motion, vowel

from kinevox.audio.wav import write_wav
from kinevox.errors import KinevoxError
from kinevox.export import Animation, write
from kinevox.speech import Speech


@pytest.mark.parametrize(
    "name", ["line.glb", "line.dense.glb", "line.usda", "line.csv", "line.json"]
)
def test_speech_from_memory(tmp_path: Path, name: str):
    write(Animation(toy_motion(), toy_head, Speech(vowel(1.0))), tmp_path / name)
    with wave.open(str(tmp_path / "line.wav")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (16_000, 16_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "line.wav"])


def test_a_recording_keeps_its_quality(tmp_path: Path):
    source = tmp_path / "take.wav"
    write_wav(source, vowel(1.0, 44_100)[None].repeat(2, axis=0), 44_100)
    write(Animation(toy_motion(), toy_head, Speech(vowel(1.0), source)), tmp_path / "line.json")
    with wave.open(str(tmp_path / "line.wav")) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (48_000, 2)
        assert sound.getnframes() == pytest.approx(48_000, abs=2)
    assert json.loads((tmp_path / "line.json").read_text())["trackPath"] == "line.wav"


def test_the_recording_itself_is_never_overwritten(tmp_path: Path):
    source = tmp_path / "line.wav"
    write_wav(source, vowel(0.5, 8_000)[None], 8_000)
    before = source.read_bytes()
    write(Animation(toy_motion(), toy_head, Speech(vowel(0.5), source)), tmp_path / "line.glb")
    assert source.read_bytes() == before


@pytest.mark.parametrize("suffix", [".glb", ".usdc", ".csv", ".json"])
def test_without_its_sound_a_file_is_not_written_at_all(tmp_path: Path, suffix: str):
    speech = Speech(vowel(0.5), tmp_path / "gone.wav")
    with pytest.raises(KinevoxError, match=r"gone\.wav"):
        write(Animation(toy_motion(), toy_head, speech), tmp_path / f"line{suffix}")
    assert list(tmp_path.iterdir()) == []
