"""Plain npz archives from anywhere: never unpickled, broken ones named as such."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from kinevox.errors import MotionError

_BROKEN = (OSError, ValueError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error)
"""What numpy raises on files that are no npz, are cut short, or hold pickled objects."""


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Arrays by name: all, or those of `names` that are there.

    Raises:
        MotionError: not a readable npz, or what is read are pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            wanted = [name for name in archive.files if names is None or name in names]
            arrays = {name: archive[name] for name in wanted}
    except _BROKEN as error:
        raise MotionError(f"{path.name} is not a readable npz: {error}.") from error
    # A zip can hold other things, which numpy hands out as bytes.
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def array_names(path: Path) -> frozenset[str]:
    """Names of the arrays, none when the file is not an npz."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return frozenset(archive.files)
    except _BROKEN:
        return frozenset()
