"""Where the time goes: named stages, timed only while somebody listens.

    with timed() as spent:
        ...                    # inside the library: with stage("phones"): ...
    spent["phones"].wall

A stage inside another is taken off the outer one, and what belongs to no stage is `OTHER`, so the
stages add up to the whole. Only the thread that listens is timed, yet the processor time of all
its process's threads counts, and that of helper processes that have ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

try:
    import resource
except ImportError:  # Windows
    resource = None

OTHER = "other"
"""What the time outside of all stages is called."""


@dataclass
class Spent:
    """Time spent in one stage."""

    wall: float = 0.0
    """As a clock on the wall sees it [s]."""
    cpu: float = 0.0
    """Time of all processors, in user code and in the system [s]."""


@contextmanager
def timed() -> Iterator[dict[str, Spent]]:
    """Yields the time spent per stage, complete when the block ends."""
    laps = _Laps()
    token = _listener.set(laps)
    laps.enter(OTHER)
    try:
        yield laps.spent
    finally:
        laps.leave()
        _listener.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Names the work of the block; about a microsecond when nobody listens."""
    laps = _listener.get()
    if laps is None:
        yield
        return
    laps.enter(name)
    try:
        yield
    finally:
        laps.leave()


class _Laps:
    """A stopwatch whose time always goes to the innermost open stage."""

    def __init__(self) -> None:
        self.spent: dict[str, Spent] = {}
        self._open: list[str] = []
        self._wall, self._cpu = clocks()

    def enter(self, name: str) -> None:
        self._lap()
        self.spent.setdefault(name, Spent())
        self._open.append(name)

    def leave(self) -> None:
        self._lap()
        self._open.pop()

    def _lap(self) -> None:
        wall, cpu = clocks()
        if self._open:
            spent = self.spent[self._open[-1]]
            spent.wall += wall - self._wall
            spent.cpu += cpu - self._cpu
        self._wall, self._cpu = wall, cpu


_listener: ContextVar[_Laps | None] = ContextVar("kinevox_timing", default=None)


def clocks() -> tuple[float, float]:
    """Time on the wall, and processor time of this process and its ended helpers [s]."""
    if resource is None:
        return time.perf_counter(), time.process_time()
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.perf_counter(), sum(usage.ru_utime + usage.ru_stime for usage in usages)
