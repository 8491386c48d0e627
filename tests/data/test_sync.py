"""How late is the sound? Found to within a frame, and left alone where nothing can be told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinevox.audio.read import read_audio
from kinevox.data.corpora._sync import RATE, Sync, expected_opening, judged, lag_curves
from kinevox.phones import Phones, find_phones
from kinevox.speech import Speech

SECONDS = 6.0
LABELS = "AA AE IY UW EH M B P S T K N L R W AO OW AY".split()


def talk(seed: int, seconds: float = SECONDS) -> Phones:
    """Somebody says something."""
    rng = np.random.default_rng(seed)
    edges = np.concatenate([[0.0], 0.3 + np.cumsum(rng.uniform(0.05, 0.18, int(20 * seconds)))])
    edges = np.append(edges[edges < seconds - 0.3], seconds)
    inner = rng.choice(LABELS, len(edges) - 3).tolist()
    return Phones(("SIL", *inner, "SIL"), edges[:-1], edges[1:])


def lips(phones: Phones, late: float, seed: int, noise: float = 0.5) -> np.ndarray:
    """Captured lips of somebody whose sound is `late` [s]: what is heard was said before."""
    curve = expected_opening(phones, int(SECONDS * RATE))
    ticks = np.arange(len(curve)) / RATE
    frames = np.arange(0, SECONDS, 0.04)
    shake = noise * curve.std() * np.random.default_rng(seed).standard_normal(len(frames))
    return 1e-3 * (np.interp(frames + late, ticks, curve) + shake)


def found(late: float, clips: int = 6, first: int = 0, wrong: int = 0) -> Sync:
    """The verdict on some clips; `wrong` counts on in what is said, so that lips say else."""
    return judged(
        [
            curve
            for k in range(first, first + clips)
            for curve in lag_curves(lips(talk(k + wrong), late, k), talk(k))
        ]
    )


@settings(max_examples=20)
@given(st.integers(-34, 34), st.integers(0, 50))
def test_known_lags_are_found(hundredths: int, first: int) -> None:
    late = hundredths / 100
    sync = found(late, first=first)
    assert abs(sync.lag - late) <= 0.02
    assert sync.correction == (sync.lag if sync.verdict == "moved" else 0)
    if abs(late) >= 0.09:
        assert sync.verdict == "moved"
    if abs(late) <= 0.02:
        assert sync.verdict == "in step"


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_sound_of_something_else_is_never_moved(first: int, clips: int) -> None:
    sync = found(0.0, clips, first, wrong=20_000)
    assert sync.verdict == ("hopeless" if clips >= 5 else "unsure"), sync.told


def test_little_says_nothing() -> None:
    assert found(0.2, clips=1).verdict == "unsure"
    assert judged([]).correction == 0


def test_lips_that_are_still_or_unseen_do_not_count() -> None:
    phones = talk(0)
    assert lag_curves(np.full(150, 1e-3), phones) == []
    unseen = lips(phones, 0.0, 0)
    unseen[40] = np.nan
    assert len(lag_curves(unseen, phones)) == 1


@pytest.mark.shared
@pytest.mark.parametrize("late", [-0.24, -0.08, 0.0, 0.12])
def test_real_sound_that_was_moved_is_found(late: float, shared_dir: Path) -> None:
    folder = shared_dir / "data" / "landmarks" / "grid_s1"
    clips = [row["clip"] for row in json.loads((folder / "manifest.json").read_text())][::67]
    with np.load(folder / "landmarks_delta.npz", allow_pickle=False) as store:
        ids = store["ids"].tolist()
        middle = [ids.index(13), ids.index(14)]
        points = [store[clip][:, middle, :2].cumsum(axis=0, dtype=np.int64) / 64 for clip in clips]
    curves = []
    for clip, pair in zip(clips, points, strict=True):
        sound = read_audio(folder / f"{clip}.ogg")
        gap = np.zeros(round(abs(late) * 16_000), np.float32)
        moved = (
            np.concatenate([gap, sound[: len(sound) - len(gap)]])
            if late > 0
            else np.concatenate([sound[len(gap) :], gap])
        )
        opening = 1.4e-3 * np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1)
        curves += lag_curves(opening, find_phones(Speech(moved)))
    sync = judged(curves)
    assert abs(sync.lag - late) <= 0.04
    assert sync.verdict == ("moved" if late else "in step"), sync.told
