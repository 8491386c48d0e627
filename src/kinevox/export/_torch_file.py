"""Tensors from a file of `torch.save`, without torch and without running anything that is in it.

Such a file is a zip: `NAME/data.pkl` describes tensors, `NAME/data/KEY` holds their numbers. The
description is a pickle and could call any function it names; this reader knows the two or three
names that plain tensors need and refuses every other.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from kinevox.errors import MotionError

_KINDS = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
}


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a file by name; a single one is called `tensor`.

    Raises:
        MotionError: no such file, or it holds anything but tensors of floats.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (description,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            folder = description.removesuffix("data.pkl")
            reader = _TensorReader(io.BytesIO(archive.read(description)), archive, folder)
            value = reader.load()
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise MotionError(
            f"{path.name} is not a file of torch.save ({error}). Files older than torch 1.6 must "
            "be loaded and saved again."
        ) from None
    except Exception as error:
        # A hostile description can raise anything; whatever it is, the file is not usable.
        raise MotionError(
            f"{path.name} is not a file of plain tensors: {error}. Nothing in it was run."
        ) from None
    found = value if isinstance(value, dict) else {"tensor": value}
    tensors = {str(name): item for name, item in found.items() if isinstance(item, np.ndarray)}
    if not tensors:
        raise MotionError(f"{path.name} holds a {type(value).__name__}; expected tensors.")
    return tensors


class _TensorReader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile, folder: str):
        super().__init__(file)
        self._archive, self._folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> np.ndarray:
        _, kind, key, _, count = pid
        content = self._archive.read(f"{self._folder}data/{key}")
        return np.frombuffer(content, kind, count=int(count))


def _tensor(
    storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> np.ndarray:
    """A view of the numbers, copied; every element must lie inside them."""
    places = np.array(offset)
    for length, step in zip(size, stride, strict=True):
        places = places[..., None] + np.arange(length) * step
    if places.size and not 0 <= places.min() <= places.max() < len(storage):
        raise pickle.UnpicklingError("a tensor reaches beyond its numbers")
    return storage[places]
