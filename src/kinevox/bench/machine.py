"""What a measurement was made on: machine, libraries, version."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import kinevox
from kinevox.bench.plan import usable_cores


@dataclass(frozen=True)
class Machine:
    """Hardware and software of one run."""

    cpu: str
    cores: int
    """Cores that may be used."""
    memory_gb: float
    """Main memory [GB of 1024^3 bytes]; 0 when unknown."""
    system: str
    python: str
    kinevox: str
    commit: str
    """Git commit of a checkout, `+` when its sources differ; empty for an installed package."""


def examine() -> Machine:
    """The machine this runs on."""
    return Machine(
        cpu=_cpu(),
        cores=usable_cores(),
        memory_gb=round(_memory_gb(), 1),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        kinevox=kinevox.__version__,
        commit=_commit(),
    )


def load_average() -> float | None:
    """Processes that were running or waiting to, over the last minute; None where unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def loaded_packages() -> dict[str, str]:
    """Versions of kinevox's dependencies that this process has imported."""
    from importlib.metadata import packages_distributions

    named = {_plain(re.split(r"[^\w.-]", need)[0]) for need in requires("kinevox") or ()}
    loaded = {name.partition(".")[0] for name in sys.modules}
    found = {
        distribution: version(distribution)
        for module, distributions in packages_distributions().items()
        if module in loaded
        for distribution in distributions
        if _plain(distribution) in named
    }
    # PyVista draws with VTK, which is what matters for time.
    if "vtkmodules" in loaded:
        found |= _versions(["vtk"])
    return dict(sorted(found.items()))


def _versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        return _said(["sysctl", "-n", "machdep.cpu.brand_string"])
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    except (AttributeError, ValueError, OSError):
        return 0.0


def _commit() -> str:
    root = Path(kinevox.__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    commit = _said(["git", "-C", str(root), "rev-parse", "--short=10", "HEAD"])
    changed = _said(["git", "-C", str(root), "status", "--porcelain", "--", "src"])
    return commit + "+" * bool(changed)


def _said(command: Sequence[str]) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
