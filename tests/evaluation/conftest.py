"""A corpus of made-up phones over a vowel, acted out by the rules, small enough to measure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from synthetic import vowel

from kinevox.cache import cache_dir
from kinevox.data import Record
from kinevox.data.store import finish, write_shard
from kinevox.methods import METHODS
from kinevox.methods.articulate.style import StyleFactors
from kinevox.motion import ARKIT
from kinevox.phones import SILENCE, Phones
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

SECONDS = 4.0
STYLES = {
    "p0": StyleFactors(jaw_gain=1.4, smile=0.4, head_amplitude=1.6, pitch_bias=0.1),
    "p1": StyleFactors(jaw_gain=0.7, smile=-0.3, head_amplitude=0.5, yaw_bias=0.2),
    "p2": StyleFactors(lip_gain=1.5, squint=0.4, brow_height=0.4, tilt_bias=-0.1),
    "p8": StyleFactors(jaw_gain=1.2, smile=0.2),
    "p9": StyleFactors(jaw_gain=0.8, smile=-0.1),
}


def spoken(seed: int) -> Speech:
    """Phones in random order, a bilabial now and then; the vowel swells with them."""
    rng = np.random.default_rng(seed)
    ends = 0.3 + np.cumsum(rng.uniform(0.08, 0.2, 100))
    ends = np.concatenate([[0.3], ends[ends < SECONDS - 0.3], [SECONDS]])
    labels = rng.choice("AA IY UW EH S T K L M B P".split(), len(ends) - 2).tolist()
    phones = Phones((SILENCE, *labels, SILENCE), np.concatenate([[0.0], ends[:-1]]), ends)
    times = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    loud = [0.0, *rng.uniform(0.2, 1.0, len(labels)), 0.0]
    gain = np.interp(times, (phones.starts + phones.ends) / 2, loud)
    return Speech((gain * vowel(SECONDS)).astype(np.float32), transcript="made up", phones=phones)


def acted(number: int, split: str, style: str) -> Record:
    speech = spoken(number)
    factors = STYLES[style]
    motion = METHODS.get("articulate").generate(speech, factors, seed=1000 + number, fps=25.0)
    return Record(
        id=f"{split}-{number}",
        split=split,
        speaker=f"{split}-voice-{number % 2}",
        style=style,
        speech=speech,
        motion=motion,
        factors=dataclasses.asdict(factors),
        metadata={"language": "en", "licence": "CC0-1.0"},
    )


@pytest.fixture(scope="session")
def act() -> Callable[[int, str, str], Record]:
    """Makes a clip from its number, split and performer."""
    return acted


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips of three performers to test on, four of two others to train on."""
    folder = tmp_path_factory.mktemp("corpus")
    tested = [acted(k, "test", f"p{k % 3}") for k in range(6)]
    trained = [acted(10 + k, "train", f"p{8 + k % 2}") for k in range(4)]
    write_shard(folder, 0, tested + trained)
    finish(folder, "made-up", ARKIT, 25.0, {"command": "a test", "performer": "rules"})
    return folder


@pytest.fixture
def fresh_cache(
    anny_head: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """No result is there yet; the head, which takes a minute, stays."""
    heads = cache_dir("heads").resolve()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "heads").symlink_to(heads)
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))
    return monkeypatch
