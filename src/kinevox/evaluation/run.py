"""All contestants on all clips, in several processes; what is there already stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import lru_cache, partial
from multiprocessing import get_context

from kinevox.errors import ConfigError
from kinevox.evaluation.judge import Judge
from kinevox.evaluation.plan import Plan
from kinevox.evaluation.results import Results, Takes, summarized
from kinevox.evaluation.styles import describe_clips, describe_others

Progress = Callable[[str, int, int], None]


def measure(plan: Plan, workers: int = 1, progress: Progress | None = None) -> Results:
    """Makes every result that is missing, then averages.

    Raises:
        KinevoxError: the plan does not fit the corpus, or a contestant failed; what was measured
            until then stays.
    """
    if workers < 1:
        raise ConfigError(f"workers is {workers}; at least one process is needed.")
    tell = progress or (lambda stage, done, total: None)
    tell("Opening the corpus", 0, 0)
    judge = Judge(plan)
    missing = {clip: judge.missing(clip) for clip in judge.chosen.measured}
    done, total = 0, sum(missing.values())
    for _ in _made(judge, [clip for clip, count in missing.items() if count], workers, missing):
        done += 1
        tell(f"Measuring {plan.corpus}", done, total)
    tell("Averaging", 0, 0)
    return _gathered(judge, tell)


def _made(
    judge: Judge, clips: Sequence[int], workers: int, missing: dict[int, int]
) -> Iterator[None]:
    """Yields once for every result."""
    if workers == 1 or len(clips) < 2:
        for clip in clips:
            yield from judge.complete(clip)
        return
    with (
        _one_thread_each(),
        ProcessPoolExecutor(min(workers, len(clips)), get_context("spawn")) as pool,
    ):
        jobs = {
            pool.submit(_complete, judge.plan, tuple(judge.codes.items()), clip): clip
            for clip in clips
        }
        try:
            for job in as_completed(jobs):
                job.result()
                yield from [None] * missing[jobs[job]]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@lru_cache(maxsize=1)
def _judge(plan: Plan, codes: tuple[tuple[str, str], ...]) -> Judge:
    """Once per process."""
    return Judge(plan, dict(codes))


def _complete(plan: Plan, codes: tuple[tuple[str, str], ...], clip: int) -> None:
    for _ in _judge(plan, codes).complete(clip):
        pass


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that start meanwhile use one thread; side by side that is fastest."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _gathered(judge: Judge, tell: Progress) -> Results:
    measured = judge.chosen.measured
    gallery = describe_clips(
        judge.clips, judge.chosen.gallery, partial(tell, "Looking at performers")
    )
    training = describe_others(
        judge.corpus, judge.plan.split, partial(tell, "Looking at other performers")
    )
    takes = {}
    for name, contestant in judge.contestants.items():
        tell(f"Averaging {name}", 0, 0)
        rows = [
            [judge.result(contestant, clip, seed) for clip in measured]
            for seed in judge.seeds(contestant)
        ]
        several = len(rows) > 1
        takes[name] = Takes(
            rows, [judge.diversity(contestant, clip) for clip in measured] if several else []
        )
    return summarized(judge, takes, gallery, training)
