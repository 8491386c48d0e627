"""What is to be measured: a plan is unfolded into cases, one fresh process each."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from dataclasses import dataclass

from kinevox.errors import ConfigError, UnknownNameError
from kinevox.methods import METHODS
from kinevox.timebase import FPS

SHORTEST = 1.0
"""Shortest clip that is measured [s]."""
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True)
class Setup:
    """One way to make motion."""

    method: str = "articulate"
    style: str | None = None
    fps: float = FPS
    threads: int = 0
    """Processor cores that may be used; 0 means all."""
    transcript: bool = False
    """Whether the words are given, so that phones are aligned and not recognised."""

    def __str__(self) -> str:
        shown = {**dataclasses.asdict(self), "transcript": "yes" if self.transcript else "no"}
        return ",".join(f"{key}={value}" for key, value in shown.items() if value is not None)


@dataclass(frozen=True)
class Case:
    """One measurement."""

    setup: Setup
    clip_seconds: float
    batch_size: int = 1
    """Lines of that length given in one call."""

    def __str__(self) -> str:
        setup = self.setup
        lines = f"{self.batch_size} x " if self.batch_size > 1 else ""
        told = [
            setup.method,
            lines + clock_length(self.clip_seconds),
            _counted(setup.threads, "core"),
        ]
        return ", ".join(told + ["with words"] * setup.transcript)


@dataclass(frozen=True)
class Plan:
    """Everything one run measures.

    Raises:
        UnknownNameError: no such method.
        ConfigError: a number is out of range; all such are listed.
    """

    lengths: tuple[float, ...] = (4.0, 60.0)
    """Lengths of the clips [s]."""
    methods: tuple[str, ...] = ("articulate",)
    threads: tuple[int, ...] = (0,)
    """Processor cores that may be used; 0 means all."""
    batch_sizes: tuple[int, ...] = (1,)
    """Lines given in one call."""
    transcript: bool = False
    repeats: int = 5
    frames: int = 100
    """Frames that are posed and drawn at most; 0 leaves posing, files and drawing out."""
    compare: tuple[Setup, Setup] | None = None

    def __post_init__(self) -> None:
        pair = self.compare or ()
        for method in (*self.methods, *(setup.method for setup in pair)):
            name = re.split("[:@]", method, maxsplit=1)[0]
            if name not in METHODS.names():
                raise UnknownNameError("method", name, METHODS.names())
        cores = usable_cores()
        wrong = [f"length {s:g} s: at least {SHORTEST:g} s" for s in self.lengths if s < SHORTEST]
        wrong += [f"batch of {n}: at least 1" for n in self.batch_sizes if n < 1]
        wrong += [
            f"threads {n}: 1 to the {cores} cores of this machine, or 0 for all"
            for n in (*self.threads, *(setup.threads for setup in pair))
            if not 0 <= n <= cores
        ]
        wrong += ["repeats: at least 1"] * (self.repeats < 1)
        wrong += ["frames: 0 or more"] * (self.frames < 0)
        wrong += ["lengths: at least one"] * (not self.lengths)
        if wrong:
            raise ConfigError(f"This cannot be measured. {'; '.join(wrong)}.")

    def cases(self) -> list[Case]:
        """All combinations, shortest clips first."""
        combined = itertools.product(self.lengths, self.methods, self.threads, self.batch_sizes)
        return [
            Case(all_told(Setup(method, None, FPS, threads, self.transcript)), seconds, lines)
            for seconds, method, threads, lines in combined
        ]

    def command(self) -> str:
        """The command that measures this, with every option that matters."""
        words = ["kinevox bench --lengths", *(f"{seconds:g}" for seconds in self.lengths)]
        if self.compare is not None:
            words += ["--compare", *map(str, self.compare), "--repeats", str(self.repeats)]
            return " ".join(words)
        words += ["--methods", *self.methods, "--threads", *map(str, self.threads)]
        words += ["--batch-sizes", *map(str, self.batch_sizes)]
        words += ["--transcript"] * self.transcript
        words += ["--repeats", str(self.repeats), "--frames", str(self.frames)]
        return " ".join(words)


def parse_setup(text: str) -> Setup:
    """A setup as written on the command line: `method=articulate,style=calm,threads=1`.

    Raises:
        UnknownNameError: no such key.
        ConfigError: a value does not fit its key.
    """
    kinds = {"method": str, "style": str, "fps": float, "threads": int}
    values = {}
    for item in filter(None, text.split(",")):
        key, _, value = (part.strip() for part in item.partition("="))
        if key not in (*kinds, "transcript") and "@" in values.get("method", ""):
            # Options of a method have commas of their own.
            values["method"] += f",{item}"
            continue
        if key not in (*kinds, "transcript"):
            raise UnknownNameError("configuration key", key, [*kinds, "transcript"])
        try:
            values[key] = _YES_NO[value] if key == "transcript" else kinds[key](value)
        except (ValueError, KeyError):
            raise ConfigError(
                f"'{item}' is not understood. Write for instance "
                "method=articulate,style=calm,fps=25,threads=1,transcript=yes."
            ) from None
    return Setup(**values)


def all_told(setup: Setup) -> Setup:
    """The same with the number of threads spelled out."""
    return dataclasses.replace(setup, threads=setup.threads or usable_cores())


def clock_length(seconds: float) -> str:
    """A length in its natural unit: 4 s, 10 min, 1 h."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
