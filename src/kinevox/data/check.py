"""Is a corpus what it claims to be? Lengths, sync, ranges, silence, leaks between splits, speed."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox.data.record import SPLITS, Record
from kinevox.data.store import Corpus
from kinevox.errors import KinevoxError
from kinevox.motion import Motion
from kinevox.timebase import SAMPLE_RATE, num_frames

MAX_LAG = 12
"""Lags up to this are looked at [frames]."""
SYNC_FRAMES = 2
"""Mouth and sound of a corpus agree to within this [frames]."""
LEAST_CORRELATION = 0.1
"""Mean over clips; speech of one corpus against the motion of another is near 0."""
SILENT_DB = -50.0
"""A clip whose loudest sample is below this is silent [dB re full scale]."""
STILL = 1e-3
"""A mouth that moves less than this (standard deviation) does not move."""
OUTSIDE = 0.02
"""Weights may leave their range by this much."""

_MOUTHS = ("jawOpen", "jaw_x")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    told: str
    """The figure, or what is wrong and where."""


@dataclass(frozen=True)
class Report:
    """What `check_corpus` found."""

    name: str
    splits: dict[str, dict[str, float]]
    """Clips, hours, speakers and styles of each split."""
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)


def check_corpus(
    corpus: Corpus, progress: Callable[[str, int, int], None] = lambda *_: None
) -> Report:
    """Reads every clip once and looks at it."""
    index = corpus.index
    problems: dict[str, list[str]] = defaultdict(list)
    sync = _Sync()
    loading = 0.0
    for i, record, seconds in _loaded(corpus, problems):
        loading += seconds
        if record is not None:
            _look_at(record, corpus, problems)
            sync.add(record)
        if i % 50 == 0:
            progress(f"Checking {corpus.name}", i, len(corpus))
    speed = corpus.seconds / max(loading, 1e-9)
    findings = [
        _counted("readable", problems["unreadable"]),
        _counted("sound as long as motion", problems["length"]),
        _counted("values in range", problems["range"]),
        _counted("sound in every clip", problems["silent"]),
        _counted("the mouth moves", problems["still"]),
        _counted("phones cover the clip", problems["phones"]),
        sync.finding(),
        _counted("ids are unique", [k for k, n in Counter(index["id"].tolist()).items() if n > 1]),
        _leaks("speakers in one split", index["speaker"], index["split"]),
        _leaks("styles in one split", index["style"], index["split"]),
        Finding("loading", speed > 1, f"{speed:.0f} times real time, one process"),
    ]
    return Report(corpus.name, _splits(corpus), tuple(findings))


def mouth_of(motion: Motion) -> Float[np.ndarray, " frames"] | None:
    """How far the mouth is open, where the layout has a channel for it."""
    return next((motion[name] for name in _MOUTHS if name in motion.layout.names), None)


def loudness_of(
    samples: Float[np.ndarray, " samples"], count: int, fps: float
) -> Float[np.ndarray, " frames"]:
    """Loudness around the start of each frame: root mean square to the power of 0.6."""
    width = SAMPLE_RATE / fps
    power = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    edges = np.clip((np.arange(count + 1) - 0.5) * width, 0, len(samples)).astype(int)
    return (np.diff(power[edges]) / width) ** 0.3


def _loaded(
    corpus: Corpus, problems: dict[str, list[str]]
) -> Iterator[tuple[int, Record | None, float]]:
    for i in range(len(corpus)):
        start = time.perf_counter()
        try:
            record = corpus[i]
        except (KinevoxError, KeyError, OSError) as error:
            problems["unreadable"].append(f"{corpus.index['id'][i]} ({error})")
            record = None
        yield i, record, time.perf_counter() - start


def _look_at(record: Record, corpus: Corpus, problems: dict[str, list[str]]) -> None:
    motion, samples = record.motion, record.speech.samples
    frames = num_frames(len(samples), SAMPLE_RATE, corpus.fps)
    if abs(frames - motion.num_frames) > 1:
        problems["length"].append(f"{record.id} ({motion.num_frames} frames, sound for {frames})")
    low, high = np.array([(c.low, c.high) for c in motion.layout.channels]).T
    beyond = np.maximum(motion.values - high, low - motion.values).max(axis=0)
    if beyond.max() > OUTSIDE:
        worst = int(beyond.argmax())
        name = motion.layout.names[worst]
        problems["range"].append(f"{record.id} ({name} by {beyond[worst]:.2f})")
    peak = 20 * np.log10(np.abs(samples).max() + 1e-9)
    if peak < SILENT_DB:
        problems["silent"].append(f"{record.id} (peak {peak:.0f} dB)")
    mouth = mouth_of(motion)
    if mouth is not None and mouth.std() < STILL:
        problems["still"].append(record.id)
    phones = record.speech.phones
    if phones is not None and abs(phones.seconds - record.speech.seconds) > 0.05:
        problems["phones"].append(f"{record.id} ({phones.seconds - record.speech.seconds:+.2f} s)")


class _Sync:
    """Loudness against mouth at all lags, per clip and summed over clips.

    One clip says little, since closed vowels are loud and the mouth moves before it sounds; the
    mean over a corpus says to a frame whether the two belong together.
    """

    def __init__(self) -> None:
        self._curves: list[Float[np.ndarray, " lags"]] = []

    def add(self, record: Record) -> None:
        mouth = mouth_of(record.motion)
        if mouth is None or mouth.std() < STILL or len(mouth) < 4 * MAX_LAG:
            return
        loud = loudness_of(record.speech.samples, len(mouth), record.motion.fps)
        if loud.std() > 0:
            self._curves.append(_correlations(mouth, loud))

    def finding(self) -> Finding:
        if not self._curves:
            return Finding("mouth follows sound", True, "this layout has no channel to tell")
        mean = np.mean(self._curves, axis=0)
        lag = int(mean.argmax()) - MAX_LAG
        middle = np.array([curve[MAX_LAG] for curve in self._curves])
        told = (
            f"correlation {mean.max():.2f} at a lag of {lag:+d} frames "
            f"(positive: the mouth is late); {np.mean(middle < 0):.1%} of clips below 0"
        )
        follows = abs(lag) <= SYNC_FRAMES and float(mean.max()) > LEAST_CORRELATION
        return Finding("mouth follows sound", follows, told)


def _correlations(
    mouth: Float[np.ndarray, " frames"], loud: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, " lags"]:
    """Correlation of the mouth with the sound `lag` frames before, for -MAX_LAG to MAX_LAG."""
    inner = slice(MAX_LAG, len(mouth) - MAX_LAG)
    here = mouth[inner].astype(np.float64)
    shifted = [
        loud[MAX_LAG - lag : len(loud) - MAX_LAG - lag] for lag in range(-MAX_LAG, MAX_LAG + 1)
    ]
    here = (here - here.mean()) / (here.std() + 1e-9)
    return np.array([np.mean(here * (x - x.mean()) / (x.std() + 1e-9)) for x in shifted])


def _splits(corpus: Corpus) -> dict[str, dict[str, float]]:
    found = {}
    for split in SPLITS:
        here = corpus.index["split"] == split
        if here.any():
            found[split] = {
                "clips": int(here.sum()),
                "hours": float(corpus.index["frames"][here].sum() / corpus.fps / 3600),
                "speakers": len(set(corpus.index["speaker"][here].tolist())),
                "styles": len(set(corpus.index["style"][here].tolist())),
            }
    return found


def _counted(what: str, wrong: list[str]) -> Finding:
    if not wrong:
        return Finding(what, True, "all clips")
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return Finding(what, False, f"not {', '.join(wrong[:3])}{more}")


def _leaks(what: str, names: np.ndarray, splits: np.ndarray) -> Finding:
    where = defaultdict(set)
    for name, split in zip(names.tolist(), splits.tolist(), strict=True):
        where[name].add(split)
    return _counted(what, [f"{n} ({', '.join(sorted(s))})" for n, s in where.items() if len(s) > 1])
