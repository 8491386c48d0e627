"""Metrics on the rule-based performer, whose style and phones are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from synthetic import vowel

from kinevox.heads import Head, load_head
from kinevox.methods import METHODS
from kinevox.methods.articulate.style import StyleFactors
from kinevox.metrics import head_pose, lips, style
from kinevox.motion import Motion
from kinevox.phones import Phones
from kinevox.speech import Speech

METHOD = METHODS.get("articulate")


@pytest.fixture(scope="module")
def anny() -> Head:
    return load_head("anny")


def _speech(seed: int, seconds: float = 8.0) -> Speech:
    """Made-up phones over a vowel, a bilabial now and then, a pause at both ends."""
    rng = np.random.default_rng(seed)
    ends = np.concatenate([[0.4], 0.4 + np.cumsum(rng.uniform(0.07, 0.16, 200))])
    ends = np.append(ends[ends < seconds - 0.4], seconds)
    spoken = rng.choice("AA IY UW EH S T K L M B P".split(), len(ends) - 2)
    labels = ("SIL", *map(str, spoken), "SIL")
    phones = Phones(labels, np.concatenate([[0.0], ends[:-1]]), ends)
    return Speech(vowel(seconds), phones=phones)


def _perform(speech: Speech, factors: StyleFactors, seed: int) -> Motion:
    return METHOD.generate(speech, factors, seed=seed, fps=25.0)


def test_closures_are_found_and_explained_and_a_late_face_loses_them(anny: Head) -> None:
    speech = _speech(0)
    motion = _perform(speech, StyleFactors(), 0)
    late = motion.replace(values=np.roll(motion.values, 5, axis=0))
    assert speech.phones is not None
    right = lips.evaluate(anny, motion, motion, speech.phones)
    wrong = lips.evaluate(anny, motion, late, speech.phones)
    assert right["closure_recall"] == 1
    assert right["closure_precision"] > 0.9
    assert wrong["closure_recall"] < 0.7
    assert wrong["closure_precision"] < right["closure_precision"]
    assert wrong["mouth_opening_lag_ms"] == pytest.approx(200, abs=5)


def test_blinks_are_counted_as_asked_for() -> None:
    speech = _speech(1, seconds=30.0)
    for rate, allowed in ((0.0, 0.0), (30.0, 8.0)):
        motion = _perform(speech, dataclasses.replace(StyleFactors(), blink_rate=rate), 0)
        assert head_pose.blinks_per_minute(motion) == pytest.approx(rate, abs=allowed)


def _performances(names: range, clip: int) -> style.Described:
    rows = []
    for name in names:
        rng = np.random.default_rng(name)
        drawn = {
            item.name: rng.uniform(item.metadata["low"], item.metadata["high"])
            for item in dataclasses.fields(StyleFactors)
        }
        motion = _perform(_speech(clip, 6.0), StyleFactors(**drawn), 1000 * name + clip)
        rows.append(style.motion_style_features(motion))
    return style.Described(np.array(rows), [f"p{name}" for name in names])


def test_performers_are_told_apart_by_features_that_nobody_trained() -> None:
    gallery, probes = (_performances(range(10), clip) for clip in (0, 1))
    scores = style.evaluate(probes, gallery)
    assert scores["style_top1"] >= 0.8
    assert scores["style_cosine"] > 0.3
