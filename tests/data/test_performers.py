"""Corpus `performers` on made-up people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import vowel

from kinevox.audio.wav import write_wav
from kinevox.data import Corpus
from kinevox.data.check import check_corpus
from kinevox.data.corpora import CORPORA, MakeOptions, _studio, _voices, performers
from kinevox.data.corpora._cast import DISTRIBUTIONS, draw_cast, sample_style
from kinevox.data.corpora._sentences import make_sentence
from kinevox.data.store import shard_is_finished
from kinevox.errors import AssetError, ConfigError
from kinevox.methods.articulate.style import StyleFactors
from kinevox.phones import Phones
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

COLUMNS = "path corpus speaker seconds transcript language licence split".split()
SYLLABLE = 0.3
OPTIONS = MakeOptions(hours=0.01, seed=3)


def quiet(*_: object) -> None:
    """Nobody watches the progress of a test."""


def ma_ma(seconds: float) -> np.ndarray:
    """Syllables of `SYLLABLE` seconds, silent for a third."""
    samples = vowel(seconds)
    at = np.arange(len(samples)) / SAMPLE_RATE % SYLLABLE
    return samples * np.clip((at - 0.1) * 40, 0, 1).astype(np.float32)


def ma_ma_phones(speech: Speech) -> Phones:
    starts = np.arange(0, speech.seconds - 0.05, SYLLABLE)
    starts = np.sort(np.concatenate([starts, starts + 0.1]))
    starts = starts[starts < speech.seconds - 0.01]
    labels = tuple("M" if k % 2 == 0 else "AA" for k in range(len(starts)))
    return Phones(labels, starts, np.append(starts[1:], speech.seconds), (), "aligned")


@pytest.fixture(scope="module")
def speech_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nine people, three a split, of two to five seconds and one of twenty; no programs."""
    folder = tmp_path_factory.mktemp("speech")
    rows = []
    for number in range(9):
        split = ("train", "valid", "test")[number % 3]
        for take in range(2):
            seconds = 20.0 if (number, take) == (0, 0) else 2.0 + 0.3 * number + take
            name = f"s{number}-{take}.wav"
            write_wav(folder / name, ma_ma(seconds)[None], SAMPLE_RATE)
            text = "Ma ma." if number % 2 else ""
            rows.append([name, "made-up", f"s{number}", seconds, text, "en", "CC0-1.0", split])
    write_manifest(folder, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_voices, "find_phones", ma_ma_phones)
        patch.setattr(_voices, "shutil", SimpleNamespace(which=lambda _: None))
        _forget()
        yield folder
    _forget()


def _forget() -> None:
    """What is kept per process would outlive the made-up world."""
    _voices.versions.cache_clear()
    performers._studio.cache_clear()


def write_manifest(folder: Path, rows: list[list]) -> None:
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


@pytest.fixture(scope="module")
def made(speech_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    CORPORA.get("performers").make(speech_folder, folder, OPTIONS, quiet)
    return Corpus.open(folder)


def test_the_corpus_is_what_was_asked_for(made: Corpus) -> None:
    assert 36 <= made.seconds < 36 + 3 * 12
    report = check_corpus(made)
    assert report.ok, report.findings
    assert set(report.splits) == {"train", "valid", "test"}
    styles = {}
    for record in made:
        assert record.speech.seconds >= 4.0
        assert len(record.speech.samples) == 640 * record.motion.num_frames
        assert styles.setdefault(record.style, record.factors) == record.factors
        assert {f.name for f in fields(StyleFactors)} == set(record.factors)
        assert "peak_db" in json.loads(record.metadata["augmentation"])
        assert record.metadata["licence"] == "CC0-1.0"
    assert len(styles) == len({json.dumps(dict(f)) for f in styles.values()}) >= 4
    header = json.loads((made.folder / "corpus.json").read_text())["made"]
    assert header["sources"][0]["name"] == "made-up"
    assert any("flite is not installed" in note for note in header["notes"])


def test_people_without_transcript_may_be_left_out(speech_folder: Path, tmp_path: Path) -> None:
    performers_of = CORPORA.get("performers")
    performers_of.make(speech_folder, tmp_path, replace(OPTIONS, transcribed=True), quiet)
    made = Corpus.open(tmp_path)
    assert set(made.index["speaker"]) <= {"s1", "s3", "s5", "s7"}
    told = json.loads((tmp_path / "corpus.json").read_text())["made"]["command"]
    assert told.endswith("--transcribed")
    with pytest.raises(ConfigError, match="transcribed True then, False now"):
        performers_of.make(speech_folder, tmp_path, OPTIONS, quiet)


def test_a_seed_is_a_corpus(made: Corpus, speech_folder: Path, tmp_path: Path) -> None:
    CORPORA.get("performers").make(speech_folder, tmp_path, OPTIONS, quiet)
    again = Corpus.open(tmp_path)
    for name, column in made.index.items():
        np.testing.assert_array_equal(column, again.index[name])
    for i in range(len(made)):
        np.testing.assert_array_equal(made.motion(i).values, again.motion(i).values)
        assert made.audio_path(i).read_bytes() == again.audio_path(i).read_bytes()


def test_what_is_missing_is_made_as_it_would_have_been(made: Corpus, speech_folder: Path) -> None:
    folder, before = made.folder, made[len(made) - 1]
    shard = int(made.index["shard"][-1])
    # As a killed process leaves it: no table, half a file with a name of its own.
    (folder / "shards" / f"{shard:05d}.parquet").unlink()
    (folder / "index.parquet").unlink()
    (folder / "shards" / ".00002.1a2b3c4d.parquet").write_bytes(b"PAR1")
    assert not shard_is_finished(folder, shard)
    first = (folder / "shards" / "00000.parquet").stat().st_mtime_ns
    CORPORA.get("performers").make(speech_folder, folder, OPTIONS, quiet)
    again = Corpus.open(folder)
    np.testing.assert_array_equal(again[len(again) - 1].motion.values, before.motion.values)
    assert (folder / "shards" / "00000.parquet").stat().st_mtime_ns == first


def test_a_folder_begun_otherwise_is_refused(made: Corpus, speech_folder: Path) -> None:
    with pytest.raises(ConfigError, match="seed 3 then, 4 now"):
        CORPORA.get("performers").make(speech_folder, made.folder, replace(OPTIONS, seed=4), quiet)


def test_a_folder_without_manifest_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"no manifest\.csv.*speaker, seconds, transcript"):
        CORPORA.get("performers").make(tmp_path, tmp_path / "out", OPTIONS, quiet)


def test_a_speaker_in_two_splits_is_refused(tmp_path: Path) -> None:
    row = ["a.wav", "x", "anna", 3.0, "", "en", "CC0", "train"]
    write_manifest(tmp_path, [row, [*row[:-1], "test"]])
    with pytest.raises(AssetError, match="'anna' is in splits"):
        CORPORA.get("performers").make(tmp_path, tmp_path / "out", OPTIONS, quiet)


def test_styles_are_drawn_within_their_ranges() -> None:
    assert {f.name for f in fields(StyleFactors)} == set(DISTRIBUTIONS)
    rng = np.random.default_rng(0)
    styles = [sample_style(rng) for _ in range(300)]  # the class checks the ranges
    for factor in fields(StyleFactors):
        values = np.array([getattr(style, factor.name) for style in styles])
        share = values.std() / (factor.metadata["high"] - factor.metadata["low"])
        assert 0.05 < share < 0.4, factor.name


def test_longer_corpora_have_more_performers_and_the_same_ones() -> None:
    short = draw_cast(0, {"train": 450.0, "valid": 1.0, "test": 1.0})
    long = draw_cast(0, {"train": 1e6, "valid": 1e6, "test": 1e6})
    assert [len(short[split]) for split in short] == [10, 2, 2]
    assert [len(long[split]) for split in long] == [9872, 64, 64]
    assert long["train"][:10] == short["train"] and long["test"][:2] == short["test"]
    other = draw_cast(1, {"train": 450.0, "valid": 1.0, "test": 1.0})
    assert other["train"][0].style != short["train"][0].style
    ids = [performer.id for cast in long.values() for performer in cast]
    assert len(ids) == len(set(ids))
    assert [p.id for p in long["train"][478:482]] == ["p0478", "p0479", "p0608", "p0609"]


def test_nobody_is_heard_too_often() -> None:
    def person(seconds: float, text: str) -> _voices.RecordedVoice:
        utterance = _voices.Utterance(Path("a.wav"), seconds, text, "en", "CC0-1.0")
        return _voices.RecordedVoice("someone", "train", "made-up", (utterance,))

    readers = [person(3000.0, "Ma ma."), person(1500.0, "Ma ma.")]
    others = [person(5.0, "") for _ in range(200)]
    programs = [
        _voices.SyntheticVoice(f"voice-{k}", "train", "flite", f"voice-{k}") for k in range(20)
    ]
    shares = _studio.voice_shares([*readers, *others, *programs])
    assert shares.sum() == pytest.approx(1.0)
    assert shares.max() <= _studio.LARGEST_SHARE + 1e-9
    assert shares[0] == pytest.approx(_studio.LARGEST_SHARE)
    assert shares[-1] > shares[5]
    np.testing.assert_allclose(_studio.voice_shares(readers), [0.5, 0.5])


def test_sentences_vary_and_are_whole() -> None:
    rng = np.random.default_rng(0)
    sentences = {make_sentence(rng) for _ in range(200)}
    assert len(sentences) > 190
    assert not any("{" in text or text[0].islower() or text[-1] not in ".?!" for text in sentences)
