"""`corpus check` passes what is sound and finds what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_head, toy_motion, vowel

from kinevox.data import Corpus, Record
from kinevox.data.check import Report, check_corpus
from kinevox.data.sheet import show_corpus
from kinevox.data.store import finish, write_shard
from kinevox.errors import ConfigError
from kinevox.motion import ARKIT
from kinevox.speech import Speech


def speaking(number: int, split: str = "train", late: int = 0) -> Record:
    """The mouth opens with the sound, `late` frames after it."""
    rng = np.random.default_rng(number)
    opening = np.convolve(rng.random(120) < 0.12, np.hanning(7), "same").clip(0, 1)
    gain = np.interp(np.arange(120 * 640) / 640, np.arange(120), opening)
    samples = (vowel(4.8) * gain).astype(np.float32)
    motion = toy_motion(120, seed=number).with_channels(jawOpen=np.roll(opening, late))
    return Record(f"clip-{number:03d}", split, f"s-{split}", f"p-{split}", Speech(samples), motion)


Make = Callable[[list[Record]], Report]


@pytest.fixture
def checked(tmp_path: Path) -> Make:
    def make(records: list[Record]) -> Report:
        write_shard(tmp_path, 0, records)
        finish(tmp_path, "toy", ARKIT, 25.0, {})
        return check_corpus(Corpus.open(tmp_path))

    return make


def failed(report: Report) -> dict[str, str]:
    return {finding.what: finding.told for finding in report.findings if not finding.ok}


def test_a_sound_corpus_passes(checked: Make) -> None:
    report = checked([speaking(k, split) for k, split in enumerate(["train", "valid", "test"] * 2)])
    assert report.ok, failed(report)
    assert report.splits["valid"] == {
        "clips": 2, "hours": pytest.approx(9.6 / 3600), "speakers": 1, "styles": 1,
    }  # fmt: skip


@pytest.mark.parametrize("late", [-5, 5, 9])
def test_a_shift_between_sound_and_mouth_is_found(checked: Make, late: int) -> None:
    report = checked([speaking(k, late=late) for k in range(4)])
    assert f"lag of {late:+d} frames" in failed(report)["mouth follows sound"]


def test_everything_wrong_is_named(checked: Make) -> None:
    fine = speaking(0)
    short = replace(speaking(1), speech=Speech(fine.speech.samples[:-6400]))
    silent = replace(speaking(2), speech=Speech(fine.speech.samples * 1e-4))
    wild = replace(
        speaking(3), motion=fine.motion.with_channels(mouthPucker=np.linspace(0, 1.5, 120))
    )
    still = replace(speaking(4), motion=fine.motion.with_channels(jawOpen=0.0))
    leaked = replace(speaking(5, "test"), speaker="s-train", style="p-train")
    told = failed(checked([fine, short, silent, wild, still, leaked]))
    assert set(told) == {
        "sound as long as motion",
        "sound in every clip",
        "values in range",
        "the mouth moves",
        "speakers in one split",
        "styles in one split",
    }
    assert "clip-001 (120 frames, sound for 110)" in told["sound as long as motion"]
    assert "clip-003 (mouthPucker by 0.50)" in told["values in range"]
    assert "s-train (test, train)" in told["speakers in one split"]


def test_a_lost_recording_is_unreadable(tmp_path: Path, checked: Make) -> None:
    checked([speaking(0), speaking(1)])
    (tmp_path / "audio" / "00000" / "clip-001.flac").unlink()
    assert "clip-001" in failed(check_corpus(Corpus.open(tmp_path)))["readable"]


def test_the_same_id_twice_is_found(tmp_path: Path) -> None:
    write_shard(tmp_path, 0, [speaking(0)])
    write_shard(tmp_path, 1, [speaking(0)])
    finish(tmp_path, "toy", ARKIT, 25.0, {})
    assert "clip-000" in failed(check_corpus(Corpus.open(tmp_path)))["ids are unique"]


def test_the_sheet_shows_faces_and_curves(tmp_path: Path) -> None:
    from PIL import Image

    write_shard(tmp_path, 0, [speaking(k, split) for k, split in enumerate(["train", "test"])])
    finish(tmp_path, "toy", ARKIT, 25.0, {})
    show_corpus(Corpus.open(tmp_path), toy_head(), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (4 * 360, 360)
        assert np.asarray(sheet).std() > 10


def test_the_sheet_wants_a_head_of_its_layout(tmp_path: Path) -> None:
    from kinevox.motion import flame_layout

    write_shard(tmp_path, 0, [speaking(0)])
    finish(tmp_path, "toy", ARKIT, 25.0, {})
    other = replace(
        toy_head(), layout=flame_layout(50), shapes=np.zeros((0, 96, 3), np.float32), shape_names=()
    )
    with pytest.raises(ConfigError, match="layout 'flame'"):
        show_corpus(Corpus.open(tmp_path), other, tmp_path / "sheet.png")
