"""A corpus small enough to train on within seconds: the jaw follows how loud a vowel is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from synthetic import vowel

from kinevox.data import Corpus, Record
from kinevox.data.store import finish, write_shard
from kinevox.methods.regressor.config import RegressorConfig
from kinevox.motion import ARKIT, Motion, MotionLayout
from kinevox.speech import Speech
from kinevox.training import TrainingOptions

TINY = RegressorConfig(width=16, layers=1, heads=2, window=40)
QUICK = TrainingOptions(
    steps=6, batch=4, warmup=2, average=8, workers=0, log_every=2, validate_every=3, save_every=2
)
"""A network and a training for tests."""

PERFORMERS = {"train": ("p0", "p1", "p2"), "valid": ("p3",), "test": ("p4",)}


def toy_corpus(
    folder: Path, clips: int = 12, layout: MotionLayout = ARKIT, fps: float = 25.0
) -> Corpus:
    """Clips of 1 to 6 seconds; three quarters of them to train on."""
    splits = [("train", "train", "train", "valid")[k % 4] for k in range(clips)]
    write_shard(folder, 0, [toy_record(k, split, layout, fps) for k, split in enumerate(splits)])
    finish(folder, "toy", layout, fps, {"command": "a test"})
    return Corpus.open(folder)


def toy_record(number: int, split: str, layout: MotionLayout, fps: float) -> Record:
    rng = np.random.default_rng(number)
    style = PERFORMERS[split][number % len(PERFORMERS[split])]
    frames = int((1 + number * 5 % 6) * fps)
    open_jaw = np.repeat(rng.random(-(-frames // 5)) > 0.4, 5)[:frames] * 1.0
    open_jaw = np.convolve(open_jaw, [0.25, 0.5, 0.25], "same")
    sound = vowel(frames / fps)
    gain = np.interp(np.arange(len(sound)) * fps / 16_000, np.arange(frames), open_jaw)
    values = np.zeros((frames, layout.num_channels), np.float32)
    values[:, 0] = 0.1 * int(style[1])
    if layout is ARKIT:
        values[:, layout.index("jawOpen")] = 0.6 * open_jaw
    return Record(
        id=f"clip-{number:03d}",
        split=split,
        speaker=f"{split}-{number % 2}",
        style=style,
        speech=Speech((sound * gain).astype(np.float32)),
        motion=Motion(values, fps, layout),
        metadata={"licence": "CC0-1.0", "language": "en"},
    )
