"""What was measured, and how it is written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from kinevox.bench.machine import Machine
from kinevox.bench.plan import Case, Setup

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Part:
    """One stage, or the whole, of one case: the same work several times over."""

    name: str
    speech_seconds: float
    """Speech, or the time of the frames, that the work was done for [s]."""
    wall: Sequence[float]
    """Time on the wall of each repeat [s]."""
    cpu: Sequence[float]
    """Time of all processors of each repeat [s]."""

    @property
    def real_time_factor(self) -> float:
        """Median seconds on the wall per second of speech."""
        return median(self.wall) / self.speech_seconds

    @property
    def cpu_factor(self) -> float:
        """Median processor seconds per second of speech."""
        return median(self.cpu) / self.speech_seconds

    @property
    def times_real_time(self) -> float:
        return 1 / self.real_time_factor

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "speech_seconds": self.speech_seconds,
            "wall_seconds": _spread(self.wall),
            "cpu_seconds": _spread(self.cpu),
            "real_time_factor": round(self.real_time_factor, 6),
            "cpu_seconds_per_second": round(self.cpu_factor, 6),
            "times_real_time": round(self.times_real_time, 2),
        }


@dataclass(frozen=True)
class Result:
    """What became of one case."""

    case: Case
    error: str | None = None
    """Why it failed; nothing was measured then."""
    load_average: float | None = None
    """Before the case started."""
    start: Mapping[str, float] = field(default_factory=dict)
    """`import_seconds`, `first_call_seconds` and `head_seconds`."""
    whole: Part | None = None
    """Audio file to motion, nothing remembered from before."""
    again: Part | None = None
    """The same call once more, with phones in the cache."""
    stages: Sequence[Part] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    """Stages after the motion that failed, and why."""
    memory_mb: Mapping[str, float] = field(default_factory=dict)
    """`motion`, `motion_helpers` and `everything` [MB]."""
    packages: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        setup = dataclasses.asdict(self.case.setup)
        told: dict[str, Any] = {
            "case": {
                **setup,
                "clip_seconds": self.case.clip_seconds,
                "batch_size": self.case.batch_size,
            },
            "status": "ok" if self.error is None else "failed",
            "error": self.error,
            "load_average": self.load_average,
        }
        if self.whole is None or self.again is None:
            return told
        return told | {
            "start": {key: round(value, 4) for key, value in self.start.items()},
            "audio_to_motion": self.whole.to_json(),
            "audio_to_motion_cached": self.again.to_json(),
            "first_frame_seconds": round(median(self.whole.wall), 4),
            "stages": [part.to_json() for part in self.stages],
            "failed_stages": dict(self.failures),
            "peak_memory_mb": {key: round(value, 1) for key, value in self.memory_mb.items()},
        }


@dataclass(frozen=True)
class Comparison:
    """Two setups in turn, A B A B ..., in one process."""

    a: Setup
    b: Setup
    clip_seconds: float
    error: str | None = None
    load_average: float | None = None
    parts: Sequence[Part] = ()
    """A and B, audio file to motion."""
    packages: Mapping[str, str] = field(default_factory=dict)

    def ratios(self, clock: str = "wall") -> list[float]:
        """A / B of every pair, by the clock `wall` or `cpu`."""
        a, b = (getattr(part, clock) for part in self.parts)
        return [one / other for one, other in zip(a, b, strict=True)]

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "a": dataclasses.asdict(self.a),
            "b": dataclasses.asdict(self.b),
            "clip_seconds": self.clip_seconds,
            "status": "ok" if self.error is None else "failed",
            "error": self.error,
            "load_average": self.load_average,
        }
        if self.error is None:
            told["audio_to_motion"] = [part.to_json() for part in self.parts]
            for clock in ("wall", "cpu"):
                low, middle, high = quartiles(self.ratios(clock))
                told[f"{clock}_ratio"] = {
                    "lower_quartile": round(low, 4),
                    "median": round(middle, 4),
                    "upper_quartile": round(high, 4),
                }
        return told


@dataclass(frozen=True)
class Report:
    """One run of `kinevox bench`."""

    command: str
    speech: str
    """What the clips were made of."""
    machine: Machine
    cases: Sequence[Result] = ()
    comparisons: Sequence[Comparison] = ()

    @property
    def failed(self) -> bool:
        """Whether anything could not be measured."""
        broken = any(case.error or case.failures for case in self.cases)
        return broken or any(comparison.error for comparison in self.comparisons)

    @property
    def packages(self) -> dict[str, str]:
        """Versions of the libraries that took part."""
        found = (one.packages for one in (*self.cases, *self.comparisons))
        return {name: version for packages in found for name, version in sorted(packages.items())}

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "kinevox bench",
            "version": FORMAT_VERSION,
            "command": self.command,
            "speech": self.speech,
            "machine": dataclasses.asdict(self.machine),
            "packages": self.packages,
            "cases": [case.to_json() for case in self.cases],
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile; all the same for a single value."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def _spread(values: Sequence[float]) -> dict[str, Any]:
    return {
        "median": round(median(values), 5),
        "low": round(min(values), 5),
        "high": round(max(values), 5),
        "repeats": len(values),
    }
