"""Phones as the speech encoder hears them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import vowel

from kinevox.audio.encoders.speech import ENCODER, Speech
from kinevox.phones import SILENCE, Phones
from kinevox.phones.hear import likeliest, phone_scores, told_phones
from kinevox.timebase import SAMPLE_RATE


def heard(samples: np.ndarray, encoder: Speech) -> Phones:
    return told_phones(encoder.encode(samples), encoder, len(samples) / SAMPLE_RATE)


@given(st.integers(0, 2**31), st.floats(0, 5))
@settings(max_examples=40, deadline=None)
def test_no_path_is_better(seed: int, reluctance: float) -> None:
    """Against all paths there are."""
    scores = np.random.default_rng(seed).normal(size=(5, 3)).astype(np.float32)

    def worth(path: tuple[int, ...]) -> float:
        changes = int(np.count_nonzero(np.diff(path)))
        return float(scores[np.arange(5), list(path)].sum()) - reluctance * changes

    best = max(map(worth, product(range(3), repeat=5)))
    assert worth(tuple(likeliest(scores, reluctance))) == pytest.approx(best, abs=1e-4)


def test_without_reluctance_every_frame_decides_for_itself() -> None:
    scores = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    assert (likeliest(scores, 0.0) == scores.argmax(1)).all()


def test_nothing_is_heard_in_nothing() -> None:
    assert len(likeliest(np.zeros((0, 4), np.float32), 1.0)) == 0
    assert len(heard(np.zeros(0, np.float32), ENCODER.debug())) == 0


def test_phones_cover_the_recording() -> None:
    samples = vowel(3.07)
    phones = heard(samples, ENCODER.debug())
    assert phones.origin == "recognized"
    assert phones.starts[0] == 0
    assert phones.seconds == pytest.approx(3.07, abs=1e-3)
    assert np.allclose(phones.starts[1:], phones.ends[:-1])


def test_scores_are_probabilities() -> None:
    encoder = ENCODER.debug()
    scores = phone_scores(encoder.encode(vowel(2.0)), encoder)
    assert len(scores) == 200
    assert np.allclose(np.exp(scores).sum(1), 1, atol=1e-5)


def test_silence_is_silent() -> None:
    """With the weights of the package."""
    phones = heard(np.zeros(16_000, np.float32), ENCODER.load(None))
    assert set(phones.labels) == {SILENCE}
