"""Peak memory of a process and of its helpers.

Linux tells the high-water mark of resident memory as VmHWM. `ru_maxrss` will not do there: it
survives exec, so a helper would be said to need what its parent held when it was started. Other
systems offer nothing else, and nothing at all about helpers that still run.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import TracebackType

_EVERY = 0.2
"""Helpers are looked at this often [s]; a mark that rises later is missed."""


def peak_mb(process: str = "self") -> float:
    """Most memory that a process ever held [MB of 1024 x 1024 bytes]; 0 when it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024
    except (OSError, StopIteration):
        return _maxrss_mb() if process == "self" else 0.0


class HelperWatch:
    """Watches the processes that this one starts, while the block runs (Linux)."""

    peak_mb = 0.0
    """Most that helpers of one time held together [MB], each at its own peak."""

    def __enter__(self) -> HelperWatch:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        known: set[str] = set()
        while not self._done.wait(_EVERY):
            marks = {child: peak_mb(child) for child in _children("self")}
            # A helper that is just being started still wears the memory of its parent (vfork).
            settled = sum(mark for child, mark in marks.items() if child in known)
            self.peak_mb, known = max(self.peak_mb, settled), set(marks)


def _children(process: str) -> list[str]:
    try:
        lists = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:
        return []
    direct = [child for listed in lists for child in listed.split()]
    return direct + [grandchild for child in direct for grandchild in _children(child)]


def _maxrss_mb() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    maxrss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
