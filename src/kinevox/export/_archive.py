"""Plain npz archives from anywhere: never unpickled, broken ones named as such."""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from kinevox.errors import MotionError

_BROKEN = (OSError, ValueError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error)
"""What numpy raises on files that are no npz, are cut short, or hold pickled objects."""


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays by name.

    Raises:
        MotionError: not a readable npz, or it holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except _BROKEN as error:
        raise MotionError(f"{path.name} is not a readable npz: {error}.") from error


def array_names(path: Path) -> frozenset[str]:
    """Names of the arrays, none when the file is not an npz."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return frozenset(archive.files)
    except _BROKEN:
        return frozenset()
