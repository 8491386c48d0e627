"""Clips of any length, no two lines the same sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import vowel

from kinevox.audio.flac import write_flac
from kinevox.audio.read import read_audio
from kinevox.bench.material import gather
from kinevox.errors import ConfigError


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "ah.flac", tmp_path / "oh.flac"]
    for path, gain in zip(paths, (1.0, 0.5), strict=True):
        write_flac(path, gain * vowel(1.0))
    paths[0].with_suffix(".txt").write_text("one two three four")
    return paths


def test_lines_have_the_length_asked_for(recordings: list[Path], tmp_path: Path) -> None:
    material = gather(recordings)
    for seconds in (0.5, 1.0, 7.3):
        samples = read_audio(material.line(tmp_path, seconds, 0))
        assert len(samples) == round(16_000 * seconds)
        assert np.abs(samples).max() > 0.2


def test_words_go_with_the_sound(recordings: list[Path], tmp_path: Path) -> None:
    material = gather(recordings)

    def words(seconds: float) -> str:
        return material.line(tmp_path, seconds, 0).with_suffix(".txt").read_text()

    assert words(1.0) == "one two three four"
    assert words(0.5) == "one two"
    assert words(2.6 + 0.5) == "one two three four one two"


def test_lines_of_a_batch_differ(recordings: list[Path], tmp_path: Path) -> None:
    material = gather(recordings[:1])
    first, second = (read_audio(material.line(tmp_path, 1.0, i)) for i in (0, 1))
    assert not np.array_equal(first, second)


def test_without_recordings_the_example_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KINEVOX_SHARED", raising=False)
    assert gather().source == "examples/speech.flac, repeated as needed"


def test_nothing_to_speak_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KINEVOX_SHARED", raising=False)
    monkeypatch.setattr("kinevox.__file__", str(tmp_path / "lib" / "kinevox" / "__init__.py"))
    with pytest.raises(ConfigError, match="--speech"):
        gather()


@pytest.mark.shared
def test_shared_readers_take_turns(shared_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEVOX_SHARED", str(shared_dir))
    material = gather()
    assert "17 readers" in material.source
    folders = [recording.path.parent for recording in material.recordings[:17]]
    assert len(set(folders)) == 17
    assert all(recording.transcript for recording in material.recordings)
