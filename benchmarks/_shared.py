"""What the benchmark scripts have in common: where the data lies and what machine this is."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import numpy as np


def shared_folder(part: str) -> Path:
    """A folder of the shared data, or a clear exit."""
    root = os.environ.get("KINEVOX_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    folder = Path(root) / "data" / part
    if not folder.is_dir():
        sys.exit(f"{folder} does not exist. Set KINEVOX_SHARED to the folder that holds data/.")
    return folder


def machine() -> str:
    """One line about the machine, for results."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        name = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def mean_with_interval(values: np.ndarray) -> tuple[float, float]:
    """Mean and half width of its 95 % confidence interval (normal approximation)."""
    return float(np.mean(values)), float(1.96 * np.std(values, ddof=1) / np.sqrt(len(values)))
