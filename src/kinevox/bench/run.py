"""Runs a plan: a fresh process for every case, so that memory and loading times are its own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kinevox.bench.machine import examine, load_average
from kinevox.bench.material import Material
from kinevox.bench.plan import SHORTEST, Case, Plan, Setup, all_told, clock_length
from kinevox.bench.result import Comparison, Part, Report, Result
from kinevox.errors import KinevoxError

HEAD = "anny"
SIZE = 512
"""Width and height of the rendered picture [pixels]."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Progress = Callable[[str, int, int], None]


def run(plan: Plan, material: Material, progress: Progress) -> Report:
    """Measures every case; one that fails is reported and the others go on."""
    report = Report(plan.command(), material.source, examine())
    with tempfile.TemporaryDirectory(prefix="kinevox-bench-") as name:
        folder = Path(name)
        if plan.compare is not None:
            a, b = map(all_told, plan.compare)
            found = []
            for number, seconds in enumerate(plan.lengths):
                tell = _telling(progress, clock_length(seconds), number, len(plan.lengths))
                found.append(_compared(plan, a, b, seconds, material, folder, tell))
            return dataclasses.replace(report, comparisons=found)
        cases = plan.cases()
        results = []
        for number, case in enumerate(cases):
            tell = _telling(progress, str(case), number, len(cases))
            results.append(_measured(plan, case, material, folder, tell))
        return dataclasses.replace(report, cases=results)


def _measured(
    plan: Plan, case: Case, material: Material, folder: Path, tell: Callable[[str], None]
) -> Result:
    tell("preparing speech")
    lines = [material.line(folder, case.clip_seconds, i) for i in range(case.batch_size)]
    request = {
        "setup": dataclasses.asdict(case.setup),
        "clip_seconds": case.clip_seconds,
        "lines": list(map(str, lines)),
        "warm_up": str(material.line(folder, SHORTEST, case.batch_size)),
        "repeats": plan.repeats,
        "frames": plan.frames,
        "head": HEAD,
        "size": SIZE,
    }
    load = load_average()
    try:
        told = _asked(request, case.setup.threads, tell)
    except _Failed as error:
        return Result(case, error=str(error), load_average=load)
    parts = {"whole": Part(**told.pop("whole")), "again": Part(**told.pop("again"))}
    stages = [Part(**part) for part in told.pop("stages")]
    return Result(case, load_average=load, stages=stages, **parts, **told)


def _compared(
    plan: Plan,
    a: Setup,
    b: Setup,
    seconds: float,
    material: Material,
    folder: Path,
    tell: Callable[[str], None],
) -> Comparison:
    tell("preparing speech")
    request = {
        "compare": [dataclasses.asdict(setup) for setup in (a, b)],
        "clip_seconds": seconds,
        "lines": [str(material.line(folder, seconds, 0))],
        "warm_up": str(material.line(folder, SHORTEST, 1)),
        "repeats": plan.repeats,
    }
    load = load_average()
    try:
        told = _asked(request, max(a.threads, b.threads), tell)
    except _Failed as error:
        return Comparison(a, b, seconds, error=str(error), load_average=load)
    parts = [Part(**part) for part in told["parts"]]
    return Comparison(a, b, seconds, None, load, parts, told["packages"])


class _Failed(KinevoxError):
    """The measured process could not do its work."""


def _asked(request: Mapping[str, Any], threads: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The result of one request, from a process of its own."""
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
    # The child finds the package, and methods of other packages, where this process found them.
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(
            [sys.executable, "-m", "kinevox.bench._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment,
            text=True,
            encoding="utf-8",
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            try:
                json.dump(request, process.stdin)
                process.stdin.close()
                for line in process.stdout:
                    ((kind, value),) = json.loads(line).items()
                    if kind == "doing":
                        tell(value)
                    elif kind == "error":
                        raise _Failed(value)
                    else:
                        return value
            except BaseException:
                process.kill()
                raise
        complaints.seek(0)
        last = complaints.read().decode(errors="replace").strip().splitlines()[-1:]
    raise _Failed(" ".join([f"the process ended with code {process.returncode}", *last]))


def _telling(progress: Progress, what: str, number: int, count: int) -> Callable[[str], None]:
    return lambda text: progress(f"{what}: {text}", number, count)
