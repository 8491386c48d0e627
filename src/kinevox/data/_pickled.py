"""Pickles of plain numbers and text, read without running anything that is in them.

Several corpora of the field are handed round as pickles. A pickle can call any function it names;
this reader knows only what arrays, dictionaries, lists, numbers and text need.
"""

from __future__ import annotations

import importlib
import io
import pickle
from typing import Any

import numpy as np

from kinevox.errors import AssetError


def _encode(text: str, encoding: str) -> bytes:
    """By which protocol 2 stores bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"asks for the text encoding {encoding!r}")
    return text.encode("latin1")


_KNOWN = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}
_OF_NUMPY = {"_reconstruct": "multiarray", "scalar": "multiarray", "_frombuffer": "numeric"}
"""Functions by which numpy stores arrays and numbers, and their module in its core."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        home = _OF_NUMPY.get(name)
        if home and module in (f"numpy.core.{home}", f"numpy._core.{home}"):
            core = "numpy.core" if np.__version__.startswith("1.") else "numpy._core"
            return getattr(importlib.import_module(f"{core}.{home}"), name)
        raise pickle.UnpicklingError(f"names {module}.{name}")


def read_plain(content: bytes, where: str) -> dict[Any, Any]:
    """A pickled dictionary of arrays, dictionaries, lists, numbers and text.

    Args:
        where: The file, and the place in it, for messages.

    Raises:
        AssetError: not such a pickle, or it names anything else; nothing was run.
    """
    try:
        # Some were made by Python 2, whose byte strings are latin1 to Python 3.
        value = _PlainUnpickler(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:
        raise AssetError(
            f"{where} is not a pickle of plain data: {error}. Nothing in it was run."
        ) from None
    if not isinstance(value, dict):
        raise AssetError(f"{where} holds a {type(value).__name__}, expected a dictionary.")
    return value
