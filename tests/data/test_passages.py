"""Clips made of recordings: every phone keeps its sound, however they are joined and cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinevox.data.corpora._passages import LONGEST, SHORTEST, compose, cut, room_tone, stretched
from kinevox.phones import Phones, Word
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

LEVELS = {"SIL": 0.0, "AA": 0.2, "M": 0.4, "IY": 0.6}
"""Each phone sounds like a constant of its own, so a sample says which phone it is of."""


def telling_speech(seconds: float, seed: int = 0) -> Speech:
    rng = np.random.default_rng(seed)
    count = round(seconds / 0.2)
    labels = tuple(np.array(list(LEVELS))[np.arange(count) % 4].tolist())
    edges = np.linspace(0, seconds, count + 1) + np.pad(rng.uniform(-0.05, 0.05, count - 1), 1)
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    for label, start, end in zip(labels, edges[:-1], edges[1:], strict=True):
        samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] = LEVELS[label]
    words = tuple(
        Word(f"w{k}", edges[k], edges[k + 3]) for k in range(1, count - 3, 4)
    )  # each word is the sounds between two silences
    return Speech(samples, None, "w", Phones(labels, edges[:-1], edges[1:], words, "aligned"))


def check_every_phone(speech: Speech) -> None:
    phones = speech.phones
    assert phones is not None
    assert phones.starts[0] == 0 and phones.seconds == pytest.approx(speech.seconds)
    np.testing.assert_allclose(phones.starts[1:], phones.ends[:-1], atol=1e-6)
    heard = speech.samples[((phones.starts + phones.ends) / 2 * SAMPLE_RATE).astype(int)]
    long = phones.ends - phones.starts > 0.05
    loudest = max(abs(heard.max()), 1e-9)
    expected = np.array([LEVELS[label] for label in phones.labels])
    # Joined recordings are brought to one level, so ratios count.
    np.testing.assert_allclose(heard[long] / loudest, expected[long] / expected.max(), atol=0.15)


@settings(max_examples=12)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.integers(0, 99))
def test_short_recordings_are_joined(rounds: list[int], seed: int) -> None:
    # Whole rounds of the four phones, so that all recordings are about equally loud.
    parts = [telling_speech(0.8 * count, k) for k, count in enumerate(rounds)]
    clip = compose(iter(parts), np.random.default_rng(seed))
    assert SHORTEST - 1e-3 <= clip.seconds <= LONGEST + 0.05
    check_every_phone(clip)


@settings(max_examples=12)
@given(st.floats(LONGEST + 0.1, 30.0), st.integers(0, 99))
def test_long_recordings_are_cut_at_pauses(seconds: float, seed: int) -> None:
    clip = compose(iter([telling_speech(seconds, seed)]), np.random.default_rng(seed))
    assert SHORTEST <= clip.seconds <= LONGEST
    check_every_phone(clip)
    assert clip.transcript == " ".join(w.text for w in clip.phones.words)


def test_only_whole_words_stay() -> None:
    speech = telling_speech(6.0)
    inner = speech.phones.words[1]
    clip = cut(speech, inner.start - 0.05, speech.phones.words[3].start + 0.1)
    assert clip.transcript == "w5 w9"
    assert clip.phones.words[0].start == pytest.approx(0.05)
    check_every_phone(clip)


def test_slower_speech_has_later_phones() -> None:
    phones = telling_speech(4.0).phones
    slower = stretched(phones, 1.1)
    np.testing.assert_allclose(slower.ends, 1.1 * phones.ends)
    assert slower.words[1].start == pytest.approx(1.1 * phones.words[1].start)


def test_room_tone_is_as_loud_as_the_quiet_moments() -> None:
    rng = np.random.default_rng(0)
    hiss = 0.01 * rng.standard_normal(2 * SAMPLE_RATE)
    hiss[SAMPLE_RATE // 2 :] += 0.3 * np.sin(np.arange(1.5 * SAMPLE_RATE) * 0.1)
    tone = room_tone(hiss.astype(np.float32), SAMPLE_RATE, rng)
    assert len(tone) == SAMPLE_RATE
    assert tone.std() == pytest.approx(0.01, rel=0.25)
