"""A folder of videos -> a folder of captures, side by side in processes or on many machines.

    out/
      NAME.npz              one capture per video, in the same sub-folders
      manifest.jsonl        one line per video: what became of it, and why

A line is added as soon as a video is done, so the same call goes on where it stopped: a video is
captured again only when its file or the options changed, its capture is gone, or it failed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from kinevox.capture._base import Capture
from kinevox.capture._capture import TrackerChoice, capture_video, mediapipe_tracker
from kinevox.capture.capture_file import write_capture
from kinevox.capture.video import SUFFIXES
from kinevox.errors import ConfigError, KinevoxError, MissingExtraError
from kinevox.files import written_whole
from kinevox.timebase import FPS

MANIFEST = "manifest.jsonl"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FolderOptions:
    """How every video of a folder is captured; see `capture_video`."""

    person: int | None = None
    fps: float = FPS
    field_of_view: float | None = None
    task: str | None = None
    tracker: Callable[[str | None], TrackerChoice] = field(default=mediapipe_tracker, repr=False)
    """Makes the tracker of a task file; a function that worker processes can import."""


@dataclass(frozen=True)
class Entry:
    """What became of one video: a line of the manifest."""

    video: str
    """Path within the folder."""
    capture: str
    """Path within the folder of captures; empty when there is none."""
    reason: str
    """Why there is none."""
    made_of: str
    """Size and time of the video, and the options: when they change, it is captured again."""
    facts: dict[str, float] = field(default_factory=dict)
    """Of the capture: see `capture_facts`."""


def capture_facts(capture: Capture) -> dict[str, float]:
    """How good a capture is, in a few numbers."""
    seen = capture.confidence > 0
    return {
        "seconds": round(capture.motion.seconds, 3),
        "seen": round(float(seen.mean()), 4),
        "confidence": round(float(capture.confidence[seen].mean()), 3) if seen.any() else 0.0,
        "error_pixels": round(_median(capture.error_pixels), 3),
        "error": round(_median(capture.error), 4),
        "face_pixels": round(_median(capture.face_pixels), 1),
        "shots": len(capture.shots),
    }


def capture_folder(
    folder: str | Path,
    out: str | Path,
    options: FolderOptions | None = None,
    *,
    workers: int = 1,
    ray: str | None = None,
    progress: Progress | None = None,
) -> list[Entry]:
    """Captures every video in a folder and in the folders within it.

    Args:
        workers: Processes that work side by side.
        ray: Address of a Ray cluster to work on instead; every machine needs kinevox and must
            see both folders under the same paths.

    Returns:
        What became of each video, in the order of their names.

    Raises:
        ConfigError: there is no video in the folder, two would share a capture, or the call is
            wrong.
    """
    if workers < 1:
        raise ConfigError(f"workers is {workers}; at least one process is needed.")
    root, target, options = Path(folder).resolve(), Path(out).resolve(), options or FolderOptions()
    videos = _videos(root, target)
    target.mkdir(parents=True, exist_ok=True)
    entries = {entry.video: entry for entry in read_manifest(target)}
    jobs = [_Job(root, target, video, _made_of(root / video, options), options) for video in videos]
    missing = [job for job in jobs if not _is_done(job, entries.get(job.video))]
    done = len(jobs) - len(missing)
    tell = progress or (lambda stage, done, total: None)
    tell(f"Capturing {root.name}", done, len(jobs))
    with (target / MANIFEST).open("a", encoding="utf-8") as manifest:
        for entry in _worked_off(missing, workers, ray, tell):
            entries[entry.video] = entry
            manifest.write(_line(entry))
            manifest.flush()
            done += 1
            tell(f"Capturing {root.name}", done, len(jobs))
    kept = [entries[video] for video in videos]
    with written_whole(target / MANIFEST) as temporary:
        temporary.write_text("".join(map(_line, kept)), encoding="utf-8")
    return kept


def read_manifest(out: str | Path) -> list[Entry]:
    """The manifest of a folder of captures; a line that was cut short by a crash is left out."""
    path = Path(out) / MANIFEST
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    entries = []
    for line in lines:
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return entries


@dataclass(frozen=True)
class _Job:
    """One video, as a worker gets it."""

    root: Path
    target: Path
    video: str
    made_of: str
    options: FolderOptions

    @property
    def capture(self) -> str:
        return Path(self.video).with_suffix(".npz").as_posix()


def _work(job: _Job, progress: Progress | None = None) -> Entry:
    options = job.options
    try:
        capture, _ = capture_video(
            job.root / job.video,
            person=options.person,
            fps=options.fps,
            field_of_view=options.field_of_view,
            tracker=options.tracker(options.task),
            progress=progress,
        )
        write_capture(capture, job.target / job.capture)
    except MissingExtraError:
        raise
    except (KinevoxError, OSError) as error:
        return Entry(job.video, "", str(error).replace("\n", " "), job.made_of)
    except Exception as error:  # One odd file among thousands must not end the rest.
        return Entry(job.video, "", f"unexpected {type(error).__name__}: {error}", job.made_of)
    return Entry(job.video, job.capture, "", job.made_of, capture_facts(capture))


def _worked_off(
    jobs: Sequence[_Job], workers: int, ray: str | None, tell: Progress
) -> Iterator[Entry]:
    """Entries in the order in which they are finished."""
    if ray is not None:
        yield from _on_cluster(jobs, ray)
    elif workers == 1 or len(jobs) < 2:
        for number, job in enumerate(jobs, start=1):
            place = f"[{number}/{len(jobs)}] "
            yield _work(job, lambda stage, *counts, place=place: tell(place + stage, *counts))
    else:
        yield from _in_processes(jobs, workers)


def _in_processes(jobs: Sequence[_Job], workers: int) -> Iterator[Entry]:
    workers = min(workers, len(jobs))
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread)
    with pool:
        try:
            for job in as_completed([pool.submit(_work, job) for job in jobs]):
                yield job.result()
        except BrokenProcessPool:
            raise KinevoxError(
                "A worker ended abruptly, perhaps for lack of memory. What was captured stays; "
                "the same command goes on. Try fewer --workers."
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _on_cluster(jobs: Sequence[_Job], address: str) -> Iterator[Entry]:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("Capturing on many machines", "ray") from None
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"No Ray cluster answers at '{address}' ({reason}). Start one with: ray start --head"
        ) from error
    try:
        work = ray.remote(num_cpus=1, max_retries=2)(_work_alone)
        waiting = [work.remote(job) for job in jobs]
        while waiting:
            ready, waiting = ray.wait(waiting)
            yield from ray.get(ready)
    finally:
        ray.shutdown()


def _work_alone(job: _Job) -> Entry:
    _one_thread()
    return _work(job)


def _one_thread() -> None:
    """Side by side, processes with one thread each are fastest."""
    import torch

    torch.set_num_threads(1)


def _videos(root: Path, target: Path) -> list[str]:
    if not root.is_dir():
        raise ConfigError(f"{root} is not a folder.")
    videos = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not path.name.startswith(".")
        and target not in path.parents
    )
    if not videos:
        raise ConfigError(f"{root} holds no video. Looked for {', '.join(SUFFIXES)}.")
    captures: dict[Path, str] = {}
    for video in videos:
        other = captures.setdefault(Path(video).with_suffix(""), video)
        if other != video:
            raise ConfigError(f"{other} and {video} would share one capture; rename one of them.")
    return videos


def _made_of(video: Path, options: FolderOptions) -> str:
    state = video.stat()
    chosen = [options.person, options.fps, options.field_of_view, options.task]
    return f"{state.st_size} bytes, {state.st_mtime_ns}, {json.dumps(chosen)}"


def _is_done(job: _Job, entry: Entry | None) -> bool:
    return (
        entry is not None
        and entry.made_of == job.made_of
        and bool(entry.capture)
        and (job.target / entry.capture).is_file()
    )


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False) + "\n"


def _median(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0
