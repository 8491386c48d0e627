"""Corpus `video`: talking people, captured from videos with sound.

Every video is captured once; what comes out is kept in `captures/` of the corpus, so a maker that
is stopped goes on with the next video, and videos that are added later are the only ones captured.
The corpus is then gathered anew: sound is moved where it is surely late or early, stretches in
which the face is not seen well are left out, long ones are cut in their pauses. `dropped.csv` says
what is missing and why.
"""

from __future__ import annotations

import csv
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from kinevox import __version__
from kinevox.capture import Capture
from kinevox.capture.capture_file import read_capture
from kinevox.capture.folder import capture_folder
from kinevox.data.corpora._base import CLIPS_PER_SHARD, MakeOptions, Progress, slug
from kinevox.data.corpora._footage import Footage, find_footage, read_footage_speech
from kinevox.data.corpora._passages import cut
from kinevox.data.corpora._sync import Curve, Sync, judged, lag_curves
from kinevox.data.corpora._usable import Span, spans, why_not
from kinevox.data.record import Record
from kinevox.data.store import finish, write_shard
from kinevox.errors import AssetError, KinevoxError
from kinevox.files import written_whole
from kinevox.heads import Head, load_head
from kinevox.metrics._vertices import mouth_opening
from kinevox.motion import ARKIT
from kinevox.phones import find_phones
from kinevox.speech import Speech
from kinevox.timebase import FPS

ALONE = 20
"""Pieces from which on the sync of a video is judged by itself; shorter ones are judged together
with the others of their folder."""
_UNTRUSTED = "recognized"
"""Origin of phones that are good for sync, but not to measure lips by."""


@dataclass(frozen=True)
class Drop:
    """Something that did not become a clip."""

    file: str
    start: float | None
    """[s]; None for a whole video."""
    end: float | None
    reason: str


@dataclass(frozen=True)
class _Seen:
    """A captured video."""

    reason: str = ""
    """Why it cannot be used; empty if it can."""
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True)
class Video:
    """The maker."""

    summary: str = "talking people, captured from videos with sound"
    source: str = "videos, one folder per speaker, perhaps speakers.csv and transcripts"

    def make(self, source: Path, out: Path, options: MakeOptions, progress: Progress) -> None:
        """Captures what is missing, then gathers the corpus.

        Raises:
            AssetError: no videos, or none that can be used.
            ConfigError: the table of speakers is not what it should be, or two videos differ in
                their suffix only.
            MissingExtraError: the tracker is not installed.
        """
        footage = find_footage(source, options.speakers, options.split)
        captures = out / "captures"
        entries = capture_folder(source, captures, workers=options.workers, progress=progress)
        failed = {Path(entry.video).with_suffix("").as_posix(): entry.reason for entry in entries}
        seen = {v.name: _Seen(failed[v.name]) for v in footage if failed[v.name]}
        progress("Listening", len(seen), len(footage))
        rest = [video for video in footage if video.name not in seen]
        for video, result in _all_seen(rest, captures, options.workers):
            seen[video.name] = result
            progress("Listening", len(seen), len(footage))
        sync = _sync_of(footage, seen)
        drops: list[Drop] = []
        shutil.rmtree(out / "shards", ignore_errors=True)
        shutil.rmtree(out / "audio", ignore_errors=True)
        records = _records(footage, captures, seen, sync, drops)
        clips = 0
        while chunk := list(islice(records, CLIPS_PER_SHARD)):
            write_shard(out, clips // CLIPS_PER_SHARD, chunk)
            clips += len(chunk)
            progress(f"Gathering, {clips} clips", 0, 0)
        _write_drops(out / "dropped.csv", drops)
        if not clips:
            told = "; ".join(f"{d.file}: {d.reason}" for d in drops[:3])
            raise AssetError(f"No video in {source} can be used. {told}. See {out}/dropped.csv.")
        made = {
            "command": "kinevox corpus make video",
            "kinevox": __version__,
            "videos": len(footage),
            "dropped": dict(Counter("videos" if d.start is None else "stretches" for d in drops)),
            "sync": {name: found.told for name, found in sorted(sync.items())},
            "sources": [{"name": "video", "licence": "as that of the videos", "clips": clips}],
        }
        finish(out, "video", ARKIT, FPS, made)


CORPUS = Video()


def _all_seen(
    footage: Sequence[Footage], captures: Path, workers: int
) -> Iterator[tuple[Footage, _Seen]]:
    if workers == 1 or len(footage) < 2:
        for video in footage:
            yield video, _see(video, captures)
        return
    with ProcessPoolExecutor(min(workers, len(footage)), get_context("spawn")) as pool:
        jobs = {pool.submit(_see, video, captures): video for video in footage}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _see(video: Footage, captures: Path) -> _Seen:
    """Looks at a captured video, and at whether its sound fits."""
    try:
        speech = read_footage_speech(video.path)
        captured = _captured(video, captures)
        opening = mouth_opening(_head(), captured.motion)
        if reason := why_not(captured, opening, speech):
            return _Seen(reason)
        known = np.where(np.isfinite(captured.face_pixels), opening, np.nan)
        return _Seen(curves=tuple(lag_curves(known, find_phones(speech))))
    except (KinevoxError, OSError) as error:
        return _Seen(str(error) or type(error).__name__)


def _captured(video: Footage, captures: Path) -> Capture:
    return read_capture(captures / f"{video.name}.npz")


@lru_cache(maxsize=1)
def _head() -> Head:
    """The head whose lips are measured, once per process."""
    return load_head("anny")


def _sync_of(footage: Sequence[Footage], seen: dict[str, _Seen]) -> dict[str, Sync]:
    """The verdict by name of a long video, or by folder for the others, whose names end in `/`."""
    pooled: dict[str, list[Curve]] = defaultdict(list)
    for video in footage:
        pooled[_judged_with(video, seen)] += seen[video.name].curves
    return {name: judged(curves) for name, curves in pooled.items()}


def _judged_with(video: Footage, seen: dict[str, _Seen]) -> str:
    alone = len(seen[video.name].curves) >= ALONE
    return video.name if alone else f"{video.camera}/"


def _records(
    footage: Sequence[Footage],
    captures: Path,
    seen: dict[str, _Seen],
    sync: dict[str, Sync],
    drops: list[Drop],
) -> Iterator[Record]:
    """All clips; what is none is added to `drops`."""
    for video in footage:
        found = sync[_judged_with(video, seen)]
        reason = seen[video.name].reason
        if not reason and found.verdict == "hopeless":
            reason = f"sound and lips do not belong together ({found.told})"
        if reason:
            drops.append(Drop(video.name, None, None, reason))
            continue
        captured = _captured(video, captures)
        speech = read_footage_speech(video.path)
        phones = find_phones(speech)
        speech = replace(speech, phones=phones)
        number = 0
        for span in spans(captured, phones, found.correction):
            if span.reason:
                times = span.start / FPS, span.stop / FPS
                drops.append(Drop(video.name, *times, span.reason))
                continue
            yield _record(video, number, span, captured, speech, found)
            number += 1


def _record(
    video: Footage, number: int, span: Span, captured: Capture, speech: Speech, sync: Sync
) -> Record:
    frames = slice(span.start, span.stop)
    lag = sync.correction
    clip = cut(speech, span.start / FPS + lag, span.stop / FPS + lag)
    assert speech.phones is not None
    if speech.phones.origin == _UNTRUSTED:
        clip = replace(clip, phones=None, transcript=None)
    motion = captured.motion
    return Record(
        id=f"{slug(video.name.replace('/', '-'))}-{number:03d}",
        split=video.split,
        speaker=video.speaker,
        style=video.speaker,
        speech=clip,
        motion=motion.replace(values=motion.values[frames]),
        metadata={
            "source": "video",
            "file": video.name,
            "start": f"{span.start / FPS:.2f}",
            "sync": sync.verdict,
            "sound_moved_ms": f"{1e3 * lag:.0f}",
            "face_pixels": f"{np.nanmedian(captured.face_pixels[frames]):.0f}",
            "error": f"{np.nanmedian(captured.error[frames]):.4f}",
            "confidence": f"{captured.confidence[frames].mean():.2f}",
        },
    )


def _write_drops(path: Path, drops: Sequence[Drop]) -> None:
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["file", "start", "end", "reason"])
        for drop in drops:
            times = ["" if t is None else f"{t:.2f}" for t in (drop.start, drop.end)]
            writer.writerow([drop.file, *times, drop.reason])
