"""Reading a user's FLAME file without running anything that is in it.

FLAME is published as a Python 2 pickle that names numpy, scipy and chumpy objects. A pickle can
call any function it names, so this reader knows the handful of names such a file needs, replaces
those of scipy and chumpy by stand-ins that only hold data, and refuses every other name.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import logging
import pickle
import zipfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from kinevox.cache import cache_dir
from kinevox.errors import AssetError
from kinevox.files import written_whole

_log = logging.getLogger(__name__)

NUM_IDENTITY = 300
"""FLAME 2020 and 2023: the first columns of `shapedirs` are identity, the rest expression."""

_FORMAT = "kinevox-flame-1"


@dataclass(frozen=True, eq=False)
class FlameModel:
    """The arrays of FLAME (Li et al. 2017), in meters, y up."""

    template: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    identity: Float[np.ndarray, "vertices 3 identities"]
    expression: Float[np.ndarray, "vertices 3 expressions"]
    pose_correctives: Float[np.ndarray, "vertices 3 features"]
    joint_regressor: Float[np.ndarray, "joints vertices"]
    parents: Int[np.ndarray, " joints"]
    """Parent of each joint, -1 for the root. Order: root, neck, jaw, left eye, right eye."""
    skinning_weights: Float[np.ndarray, "vertices joints"]


def read_flame(path: Path) -> FlameModel:
    """The model in a FLAME pickle, an npz with the same keys or a converted file.

    A pickle is converted once; the result is cached under the hash of the file's content.

    Raises:
        AssetError: no such file, not FLAME, or it names something this reader refuses.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AssetError(
            f"{path} cannot be read ({error.strerror}). Download FLAME 2020 or 2023 from "
            "https://flame.is.tue.mpg.de and give the path of its .pkl file."
        ) from None
    if zipfile.is_zipfile(path):
        return _read_npz(path)
    cached = cache_dir("flame") / f"{hashlib.sha256(content).hexdigest()[:24]}.npz"
    if cached.exists():
        try:
            return _read_npz(cached)
        except AssetError:
            _log.warning("%s is damaged; converting %s again.", cached, path)
    model = _model(read_pickle(content, path), path)
    write_flame(model, cached)
    return model


def write_flame(model: FlameModel, path: Path) -> None:
    """Save as npz without pickle; `read_flame` takes it like the original."""
    with written_whole(path) as temporary:
        np.savez(temporary, format=_FORMAT, **asdict(model))


def _read_npz(path: Path) -> FlameModel:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise AssetError(f"{path} is not a readable npz of plain arrays: {error}.") from None
    if "format" not in arrays:
        return _model(arrays, path)
    names = [field.name for field in fields(FlameModel)]
    if str(arrays["format"]) != _FORMAT or not set(names) <= set(arrays):
        raise AssetError(
            f"{path} has format '{arrays['format']}', expected '{_FORMAT}'. "
            "Convert the original FLAME file again."
        )
    return FlameModel(**{name: arrays[name] for name in names})


def _model(raw: dict[str, Any], path: Path) -> FlameModel:
    """Check the keys and shapes of a published file and name its arrays.

    Raises:
        AssetError: keys are missing or shapes do not fit; everything wrong is listed.
    """
    needed = (
        *("v_template", "f", "shapedirs", "posedirs"),
        *("J_regressor", "kintree_table", "weights"),
    )
    missing = [key for key in needed if key not in raw]
    if missing:
        raise AssetError(
            f"{path} is not a FLAME model: it lacks {', '.join(missing)}. Expected the "
            "generic_model.pkl of FLAME 2020 or flame2023.pkl."
        )
    arrays = {key: _plain(raw[key], key, path) for key in needed}
    template = arrays["v_template"]
    parents = np.atleast_2d(arrays["kintree_table"])[0].astype(np.int64)
    v, j = len(template), len(parents)
    expected = {
        "v_template": (v, 3),
        "shapedirs": (v, 3, max(NUM_IDENTITY + 1, arrays["shapedirs"].shape[-1])),
        "posedirs": (v, 3, 9 * (j - 1)),
        "J_regressor": (j, v),
        "weights": (v, j),
    }
    wrong = [
        f"{key} is {arrays[key].shape}, expected {shape}"
        for key, shape in expected.items()
        if arrays[key].shape != shape
    ]
    wrong += [
        f"{key} has values that are not finite" for key in expected if not _finite(arrays[key])
    ]
    if j != 5:
        wrong.append(f"it has {j} joints, expected 5 (root, neck, jaw, two eyes)")
    triangles = arrays["f"].astype(np.int64)
    if (
        triangles.ndim != 2
        or triangles.shape[1] != 3
        or not 0 <= triangles.min() <= triangles.max() < v
    ):
        wrong.append(f"f does not list triangles of {v} vertices")
    if wrong:
        raise AssetError(f"{path} is not a usable FLAME model: {'; '.join(wrong)}.")
    # The root's parent is stored as the largest 32-bit number.
    parents[0] = -1
    single = {key: array.astype(np.float32) for key, array in arrays.items()}
    return FlameModel(
        template=single["v_template"],
        triangles=triangles,
        identity=single["shapedirs"][..., :NUM_IDENTITY],
        expression=single["shapedirs"][..., NUM_IDENTITY:],
        pose_correctives=single["posedirs"],
        joint_regressor=single["J_regressor"],
        parents=parents,
        skinning_weights=single["weights"],
    )


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind in "iuf" and bool(np.isfinite(array).all())


def _plain(value: Any, key: str, path: Path) -> np.ndarray:
    """The numbers inside an array or one of the stand-ins."""
    if isinstance(value, _Sparse):
        value = value.dense()
    elif isinstance(value, _Chumpy):
        value = value.__dict__.get("x")
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise AssetError(f"'{key}' in {path} holds no plain numbers but {type(value).__name__}.")
    return array


# --- The restricted reader -------------------------------------------------------------------


class _Refused(pickle.UnpicklingError):
    """The file asks for something that a FLAME file does not need."""


class _Chumpy:
    """Stands in for every chumpy class; keeps what the file says about it, does nothing."""


class _Sparse:
    """Stands in for scipy's compressed-column matrix."""

    def dense(self) -> np.ndarray:
        state = self.__dict__
        parts = [state[name] for name in ("data", "indices", "indptr")]
        shape = state.get("_shape", state.get("shape"))
        return scipy.sparse.csc_matrix(tuple(parts), shape=shape).toarray()


def _reconstruct(cls: type, base: type, state: object) -> object:
    """`copyreg._reconstructor` for stand-ins alone."""
    if cls not in (_Chumpy, _Sparse):
        raise _Refused(f"asks to rebuild {cls!r}")
    return cls()


def _encode(text: str, encoding: str) -> bytes:
    """`_codecs.encode`, by which newer pickles store bytes."""
    if encoding != "latin1":
        raise _Refused(f"asks for the text encoding {encoding!r}")
    return text.encode("latin1")


_NUMPY_NAMES = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): "multiarray" for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): "multiarray" for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): "numeric" for core in ("core", "_core")},
}
_STAND_INS: dict[tuple[str, str], object] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("copy_reg", "_reconstructor"): _reconstruct,
    ("copyreg", "_reconstructor"): _reconstruct,
    ("__builtin__", "object"): object,
    ("builtins", "object"): object,
    ("_codecs", "encode"): _encode,
    ("scipy.sparse.csc", "csc_matrix"): _Sparse,
    ("scipy.sparse._csc", "csc_matrix"): _Sparse,
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _STAND_INS:
            return _STAND_INS[module, name]
        if (module, name) in _NUMPY_NAMES:
            return getattr(_numpy_core(_NUMPY_NAMES[module, name]), name)
        if module.split(".")[0] == "chumpy":
            return _Chumpy
        raise _Refused(f"names {module}.{name}")


def _numpy_core(module: str) -> Any:
    try:
        return importlib.import_module(f"numpy._core.{module}")
    except ImportError:  # numpy 1
        return importlib.import_module(f"numpy.core.{module}")


def read_pickle(content: bytes, path: Path) -> dict[str, Any]:
    """A pickled dictionary of arrays; nothing named in it is executed.

    Raises:
        AssetError: it is not such a pickle, or it names something outside the known few.
    """
    try:
        # FLAME was pickled by Python 2, whose byte strings are latin1 to Python 3.
        value = _RestrictedUnpickler(io.BytesIO(content), encoding="latin1").load()
    except _Refused as refusal:
        raise AssetError(
            f"{path} {refusal}, which a FLAME file has no reason to contain. It was not loaded "
            "and nothing in it was run."
        ) from None
    except Exception as error:
        raise AssetError(f"{path} is neither a pickle nor an npz: {error}.") from None
    if not isinstance(value, dict):
        raise AssetError(f"{path} holds a {type(value).__name__}, expected a dictionary of arrays.")
    return value
