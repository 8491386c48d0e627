"""The process that is measured: `python -m kinevox.bench._worker`, one case, then it ends.

Reads a request as JSON from standard input and answers on standard output, one JSON document a
line: {"doing": text} while it works, then {"result": ...} or {"error": text}. Nothing of kinevox
that costs time is imported before the clock runs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from kinevox.bench.memory import HelperWatch, peak_mb
from kinevox.timing import OTHER, Spent, clocks, timed

Tell = Callable[[str], None]
Request = Mapping[str, Any]

_CHUNK = 32
"""Frames that are posed at once, as the renderer does."""
_KEPT = ("heads", "flame", "runs")
"""Folders of the cache that every case may use: built heads and trained runs."""


def main() -> None:
    # Whatever libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(kind: str, value: Any) -> None:
        answers.write(json.dumps({kind: value}) + "\n")
        answers.flush()

    request = json.load(sys.stdin)
    try:
        work = _compare if "compare" in request else _measure
        send("result", work(request, lambda text: send("doing", text)))
    except Exception as error:
        send("error", f"{type(error).__name__}: {error}")


def _measure(request: Request, tell: Tell) -> dict[str, Any]:
    _limit_cores(request["setup"]["threads"])
    tell("loading")
    start = perf_counter()
    perform = _performer(request["setup"])
    loaded = perf_counter()
    with _cold_cache():
        perform([request["warm_up"]])
    start_seconds = {
        "import_seconds": loaded - start,
        "first_call_seconds": perf_counter() - loaded,
    }

    runs: list[dict[str, Spent]] = []
    cached: list[dict[str, Spent]] = []
    motion = None
    with HelperWatch() as helpers:
        for repeat in range(request["repeats"]):
            tell(f"run {repeat + 1} of {request['repeats']}")
            with _cold_cache():
                for spent_by_run in (runs, cached):
                    with timed() as spent:
                        motion = perform(request["lines"])
                    spent_by_run.append(spent)
    seconds = request["clip_seconds"] * len(request["lines"])
    memory = {"motion": peak_mb(), "motion_helpers": helpers.peak_mb}
    stages = [_part(name, seconds, [run[name] for run in runs]) for name in runs[0]]
    failures: dict[str, str] = {}
    if request["frames"]:
        start = perf_counter()
        _load_head(request["head"])
        start_seconds["head_seconds"] = perf_counter() - start
        for work in (_posing, _exports, _drawing):
            tell(work.__name__.strip("_"))
            try:
                stages += work(request, motion)
            except Exception as error:
                failures[work.__name__.strip("_")] = f"{type(error).__name__}: {error}"
        memory["everything"] = peak_mb()
    return {
        "start": start_seconds,
        "whole": _part("audio to motion", seconds, list(map(_total, runs))),
        "again": _part("audio to motion, cached", seconds, list(map(_total, cached))),
        "stages": stages,
        "failures": failures,
        "memory_mb": memory,
        "packages": _packages(),
    }


def _compare(request: Request, tell: Tell) -> dict[str, Any]:
    setups = request["compare"]
    performers = [_performer(setup) for setup in setups]
    spent_by_setup: list[list[Spent]] = [[], []]
    # The first round warms up and does not count.
    for repeat in range(request["repeats"] + 1):
        tell(f"pair {repeat} of {request['repeats']}" if repeat else "warming up")
        for setup, perform, all_spent in zip(setups, performers, spent_by_setup, strict=True):
            _limit_cores(setup["threads"])
            with _cold_cache(), timed() as spent:
                perform(request["lines"] if repeat else [request["warm_up"]])
            if repeat:
                all_spent.append(_total(spent))
    return {
        "parts": [
            _part(name, request["clip_seconds"], all_spent)
            for name, all_spent in zip("AB", spent_by_setup, strict=True)
        ],
        "packages": _packages(),
    }


def _performer(setup: Mapping[str, Any]) -> Callable[[list[str]], Any]:
    """Turns files into motion as `kinevox animate` does; gives the first one back."""
    from kinevox import api

    api.styles(setup["method"])

    def perform(lines: list[str]) -> Any:
        words = str(Path(lines[0]).parent / "{name}.txt") if setup["transcript"] else None
        batch = api.animate_all(
            lines,
            method=setup["method"],
            style=setup["style"],
            fps=setup["fps"],
            transcript=words,
        )
        for failure in batch.failures:
            raise failure.error
        return batch.takes[0].motion

    return perform


def _posing(request: Request, motion: Any) -> list[dict[str, Any]]:
    few = _first_frames(request, motion)
    head = _load_head(request["head"])

    def pose() -> None:
        for first in range(0, few.num_frames, _CHUNK):
            head.vertices(few.replace(values=few.values[first : first + _CHUNK]))

    pose()
    return [_part("head vertices", few.seconds, [_timed(pose) for _ in _repeats(request)])]


def _exports(request: Request, motion: Any) -> list[dict[str, Any]]:
    from kinevox import api

    runs: list[dict[str, Spent]] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in _repeats(request):
            outputs = [Path(folder) / "line.csv", Path(folder) / "line.glb"]
            with timed() as spent:
                api.convert(motion, outputs, audio=request["lines"][0], head=request["head"])
            runs.append(spent)
    names = [name for name in runs[0] if name.startswith("export")]
    return [_part(name, motion.seconds, [run[name] for run in runs]) for name in names]


def _drawing(request: Request, motion: Any) -> list[dict[str, Any]]:
    """Setting up the scene ends with the first frame; the others are the stage's speed."""
    from kinevox import api

    few = _first_frames(request, motion)
    preparing: list[Spent] = []
    drawing: list[Spent] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in _repeats(request):
            ticks = [clocks()]

            def note(stage: str, done: int, total: int, ticks: list = ticks) -> None:
                if done == 1:
                    ticks.append(clocks())

            path = Path(folder) / "line.mp4"
            api.render(few, path, head=request["head"], size=request["size"], progress=note)
            ticks.append(clocks())
            for spent, (before, after) in (
                (preparing, ticks[:2]),
                (drawing, ticks[1:]),
            ):
                spent.append(Spent(after[0] - before[0], after[1] - before[1]))
    seconds = (few.num_frames - 1) / few.fps
    return [_part("scene set-up, once", few.seconds, preparing), _part("render", seconds, drawing)]


def _first_frames(request: Request, motion: Any) -> Any:
    return motion.replace(values=motion.values[: request["frames"]])


def _load_head(head: str) -> Any:
    from kinevox.heads import load_head

    return load_head(head)


def _repeats(request: Request) -> range:
    return range(request["repeats"])


def _timed(work: Callable[[], None]) -> Spent:
    with timed() as spent:
        work()
    return spent[OTHER]


def _total(spent: Mapping[str, Spent]) -> Spent:
    every = spent.values()
    return Spent(sum(stage.wall for stage in every), sum(stage.cpu for stage in every))


def _part(name: str, speech_seconds: float, repeats: list[Spent]) -> dict[str, Any]:
    return {
        "name": name,
        "speech_seconds": speech_seconds,
        "wall": [spent.wall for spent in repeats],
        "cpu": [spent.cpu for spent in repeats],
    }


@contextmanager
def _cold_cache() -> Iterator[None]:
    """An empty cache but for what is built or trained once on a machine."""
    from kinevox.cache import cache_dir

    given, kept = os.environ.get("KINEVOX_CACHE"), cache_dir()
    with tempfile.TemporaryDirectory() as folder:
        for name in _KEPT:
            if (kept / name).is_dir():
                _link(kept / name, Path(folder) / name)
        os.environ["KINEVOX_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("KINEVOX_CACHE")
            if given is not None:
                os.environ["KINEVOX_CACHE"] = given


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source, target_is_directory=True)
    except OSError:  # Windows asks for a privilege.
        shutil.copytree(source, target)


def _limit_cores(count: int) -> None:
    """Every thread of this process, and every helper it starts, shares the first `count` cores."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = set(sorted(_ALL_CORES)[:count])
    tasks = Path("/proc/self/task")
    for task in tasks.iterdir() if tasks.is_dir() else ():
        os.sched_setaffinity(int(task.name), cores)
    os.sched_setaffinity(0, cores)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


_ALL_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else frozenset()


def _packages() -> dict[str, str]:
    from kinevox.bench.machine import loaded_packages

    return loaded_packages()


if __name__ == "__main__":
    main()
