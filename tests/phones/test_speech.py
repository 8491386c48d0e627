"""Phones of sound: recognised, aligned, cached; real speech where it is at hand."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from synthetic import vowel

from kinevox.phones import SILENCE, Word, find_phones
from kinevox.phones.align import align_phones
from kinevox.phones.pronounce import spoken_words
from kinevox.phones.recognize import cut_at_pauses, recognize_phones
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE


def assert_covers(phones, samples):
    assert phones.starts[0] == 0
    assert np.array_equal(phones.ends[:-1], phones.starts[1:])
    assert phones.ends[-1] == pytest.approx(len(samples) / SAMPLE_RATE)


def hummed(seconds: float) -> np.ndarray:
    """Vowels of 0.7 s with rests of 0.3 s between."""
    rest = np.zeros(int(0.3 * SAMPLE_RATE), np.float32)
    return np.tile(np.concatenate([vowel(0.7), rest]), round(seconds))


def test_a_vowel_is_heard_between_silences():
    samples = np.pad(vowel(0.6), SAMPLE_RATE // 2)
    phones = recognize_phones(samples)
    assert_covers(phones, samples)
    assert phones.origin == "recognized"
    assert phones.labels[0] == phones.labels[-1] == SILENCE
    sounding = [label for label in phones.labels if label != SILENCE]
    assert any(label[0] in "AEIOU" for label in sounding)
    assert phones.starts[1] == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("num_samples", [1, 100, 3200, 160_000])
def test_silence_rests(num_samples):
    samples = np.zeros(num_samples, np.float32)
    assert recognize_phones(samples).labels == (SILENCE,)


def test_a_text_over_silence_does_no_harm():
    samples = np.zeros(SAMPLE_RATE, np.float32)
    assert_covers(align_phones(samples, "Hello world, this is far too much text."), samples)


def test_pieces_keep_to_their_lengths_and_meet_in_rests():
    samples = hummed(70)
    cuts = cut_at_pauses(samples, 8, 20)
    assert cuts[0] == 0 and cuts[-1] == len(samples)
    lengths = np.diff(cuts) / SAMPLE_RATE
    assert lengths.max() <= 20 and lengths[:-1].min() >= 8
    assert all(np.abs(samples[cut - 80 : cut + 80]).max() == 0 for cut in cuts[1:-1])


def test_the_number_of_workers_changes_nothing():
    samples = hummed(24)
    one, two = recognize_phones(samples, workers=1), recognize_phones(samples, workers=2)
    assert one.labels == two.labels and np.array_equal(one.starts, two.starts)


@pytest.mark.parametrize("text", ["Москва - столица GPS России", "今天天气很好", "!?", "   "])
def test_other_scripts_are_recognised(text):
    samples = vowel(0.5)
    phones = align_phones(samples, text)
    assert phones.origin == "recognized"
    assert_covers(phones, samples)


def test_given_phones_win_and_are_fitted(tmp_path, monkeypatch):
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path))
    given = recognize_phones(vowel(0.5))
    speech = Speech(vowel(1.0), phones=given, transcript="ah")
    assert find_phones(speech).seconds == 1.0
    assert not list(tmp_path.rglob("*.json"))


def test_cache_is_used_and_a_broken_one_is_mended(tmp_path, monkeypatch):
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path))
    speech = Speech(vowel(0.5))
    first = find_phones(speech)
    (kept,) = tmp_path.rglob("*.json")
    data = json.loads(kept.read_text())
    data["words"] = [{"text": "marker", "start": 0.0, "end": 0.1}]
    kept.write_text(json.dumps(data))
    assert find_phones(speech).words == (Word("marker", 0.0, 0.1),)
    kept.write_text('{"phones": [')
    assert find_phones(speech).labels == first.labels
    assert json.loads(kept.read_text())["words"] == []
    find_phones(Speech(vowel(0.5), transcript="ah"))
    assert len(list(tmp_path.rglob("*.json"))) == 2


def test_importing_stays_light():
    code = "import sys, kinevox.phones; print({'torch', 'pocketsphinx', 'av'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def sentences(shared_dir, count):
    from kinevox.audio.read import read_audio

    folder = shared_dir / "data" / "speech"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as table:
        rows = [
            row
            for row in csv.DictReader(table)
            if row["split"] == "test" and row["language"] == "en" and row["transcript"]
        ]
    for row in rows[:: max(len(rows) // count, 1)]:
        yield read_audio(folder / row["path"]), row["transcript"]


@pytest.mark.shared
def test_real_sentences_align_word_for_word(shared_dir):
    found = wanted = closures = closed = 0
    for samples, transcript in sentences(shared_dir, 6):
        phones = align_phones(samples, transcript)
        assert_covers(phones, samples)
        assert phones.origin == "aligned"
        words = spoken_words(transcript)
        wanted += len(words)
        found += len(phones.words)
        closures += sum(word[0] in "pbm" and word[:2] not in ("ps", "ph") for word in words)
        closed += sum(
            bool({"P", "B", "M"} & set(np.array(phones.labels)[inside]))
            for word in phones.words
            if word.text[0] in "pbm" and word.text[:2] not in ("ps", "ph")
            for inside in [(phones.starts >= word.start - 0.02) & (phones.starts < word.end)]
        )
    assert found >= 0.9 * wanted
    assert closed >= 0.97 * closures
