"""Pieces of a long recording decoded side by side.

PocketSphinx holds Python's lock, so threads do not help; each worker is a small process that
reads pieces from its standard input and answers with phones. (`multiprocessing` would run the
caller's own script again in every child.) If a process cannot be had, the work is done here.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
from jaxtyping import Float

from kinevox.phones import json_times
from kinevox.phones._base import Phones
from kinevox.timebase import SAMPLE_RATE

_WORTH_A_PROCESS = 20.0
"""Recordings up to this length are decoded right here [s]."""
_MOST_WORKERS = 4
_HEADER = struct.Struct("<II")


@dataclass(frozen=True, eq=False)
class Job:
    """A piece of sound, and its words when they are known."""

    samples: Float[np.ndarray, " samples"]
    words: tuple[str, ...] | None = None


def decode(job: Job) -> Phones:
    """Phones of one piece."""
    from kinevox.phones.align import align_piece
    from kinevox.phones.recognize import recognize_piece

    return align_piece(job.samples, job.words) if job.words else recognize_piece(job.samples)


def decode_all(jobs: Sequence[Job], workers: int | None = None) -> list[Phones]:
    """Phones of every piece, in order."""
    workers = min(workers or min(_cores(), _MOST_WORKERS), len(jobs))
    seconds = sum(len(job.samples) for job in jobs) / SAMPLE_RATE
    if workers < 2 or seconds <= _WORTH_A_PROCESS:
        return [decode(job) for job in jobs]
    idle: SimpleQueue[_Worker] = SimpleQueue()
    team = [_Worker() for _ in range(workers)]
    for worker in team:
        idle.put(worker)

    def run(job: Job) -> Phones:
        worker = idle.get()
        try:
            return worker.decode(job)
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(run, jobs))
    finally:
        for worker in team:
            worker.close()


class _Worker:
    """One child process; falls back to this process once the child is lost."""

    def __init__(self) -> None:
        # The child finds the package where this process found it.
        self._process: subprocess.Popen[bytes] | None
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError:
            self._process = None

    def decode(self, job: Job) -> Phones:
        if self._process is None:
            return decode(job)
        to_child, from_child = self._process.stdin, self._process.stdout
        assert to_child is not None and from_child is not None
        try:
            words = json.dumps(job.words).encode()
            sound = np.ascontiguousarray(job.samples, dtype="<f4").tobytes()
            to_child.write(_HEADER.pack(len(words), len(sound)) + words + sound)
            to_child.flush()
            return json_times.from_json(from_child.readline())
        except (OSError, ValueError):
            self.close()
            return decode(job)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _serve() -> None:
    """Body of a worker process: answers pieces until its input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while header := source.read(_HEADER.size):
        num_words, num_sound = _HEADER.unpack(header)
        words = json.loads(source.read(num_words))
        samples = np.frombuffer(source.read(num_sound), dtype="<f4")
        phones = decode(Job(samples, None if words is None else tuple(words)))
        sink.write(json_times.to_json(phones).encode() + b"\n")
        sink.flush()


if __name__ == "__main__":
    _serve()
