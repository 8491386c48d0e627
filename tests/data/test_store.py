"""Corpora on disk, through `Corpus.open`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import toy_motion, vowel

from kinevox.data import Corpus, Record
from kinevox.data.store import finish, shard_is_finished, write_shard
from kinevox.errors import AssetError
from kinevox.motion import ARKIT
from kinevox.phones import Phones, Word
from kinevox.speech import Speech


def record(number: int, split: str = "train") -> Record:
    phones = Phones(
        ("SIL", "AA"),
        np.array([0.0, 0.2]),
        np.array([0.2, 1.2]),
        (Word("ah", 0.2, 1.2),),
        "aligned",
    )
    return Record(
        id=f"clip-{number:03d}",
        split=split,
        speaker=f"s{number % 2}",
        style=f"p{number % 3}",
        speech=Speech(vowel(1.2), transcript="Ah!", phones=phones),
        motion=toy_motion(30, seed=number),
        factors={"smile": 0.1 * number},
        metadata={"language": "en", "licence": "CC0-1.0"},
    )


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    write_shard(tmp_path, 0, [record(k) for k in range(3)])
    write_shard(tmp_path, 1, [record(k, "test") for k in range(3, 5)])
    finish(tmp_path, "toy", ARKIT, 25.0, {"command": "a test"})
    return Corpus.open(tmp_path)


def test_records_come_back_as_they_were(corpus):
    assert len(corpus) == 5 and corpus.name == "toy" and corpus.seconds == pytest.approx(6.0)
    for number, read in enumerate(corpus):
        wrote = record(number, read.split)
        assert (read.id, read.speaker, read.style) == (wrote.id, wrote.speaker, wrote.style)
        np.testing.assert_array_equal(read.motion.values, wrote.motion.values)
        np.testing.assert_allclose(read.speech.samples, wrote.speech.samples, atol=1 / 32768)
        assert read.factors == wrote.factors and read.metadata == wrote.metadata
        assert read.speech.transcript == "Ah!" and read.speech.phones.words[0].text == "ah"
        np.testing.assert_array_equal(read.speech.phones.ends, wrote.speech.phones.ends)


def test_a_sliver_of_silence_survives(tmp_path):
    """Aligners work in steps of 10 ms; what remains of a clip may be microseconds."""
    ends = np.array([1.19998, 1.2])
    phones = Phones(("AA", "SIL"), np.array([0.0, ends[0]]), ends)
    wrote = replace(record(0), speech=Speech(vowel(1.2), phones=phones))
    write_shard(tmp_path, 0, [wrote])
    finish(tmp_path, "toy", ARKIT, 25.0, {"command": "a test"})
    np.testing.assert_array_equal(Corpus.open(tmp_path)[0].speech.phones.ends, ends)


def test_splits_select(corpus):
    assert [r.id for r in corpus.split("test")] == ["clip-003", "clip-004"]
    with pytest.raises(AssetError, match=r"no split 'valid'\. It has: train, test"):
        corpus.split("valid")


def test_unfinished_corpus_says_what_is_missing(tmp_path):
    write_shard(tmp_path, 0, [record(0)])
    assert shard_is_finished(tmp_path, 0) and not shard_is_finished(tmp_path, 1)
    with pytest.raises(AssetError, match=r"lacks corpus\.json and index\.parquet"):
        Corpus.open(tmp_path)


def test_a_broken_record_leaves_the_shard_unfinished(tmp_path):
    def records():
        yield record(0)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_shard(tmp_path, 0, records())
    assert not shard_is_finished(tmp_path, 0)


def test_a_newer_corpus_is_refused(corpus):
    header = corpus.folder / "corpus.json"
    header.write_text(header.read_text().replace('"version": 1', '"version": 9'))
    with pytest.raises(AssetError, match="version 9"):
        Corpus.open(corpus.folder)


def test_corpora_of_the_cache_are_known_by_name(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "corpora").mkdir(parents=True)
    (tmp_path / "cache" / "corpora" / "mine").symlink_to(corpus.folder)
    monkeypatch.chdir(tmp_path)
    assert len(Corpus.open("mine")) == len(corpus)
    assert len(Corpus.open("cache/corpora/mine")) == len(corpus)
    with pytest.raises(AssetError, match="corpora/yours is not a finished corpus"):
        Corpus.open("yours")
    with pytest.raises(AssetError, match=r"^some/where is not a finished corpus"):
        Corpus.open("some/where")
