"""Motion out of any GLB whose morph targets carry ARKit names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinevox import rotation
from kinevox.errors import AssetError, MotionError
from kinevox.export._clock import steady
from kinevox.export._curves import arkit_motion, known_curves
from kinevox.heads._gltf_file import GltfFile
from kinevox.motion import Motion
from kinevox.timebase import FPS


def read_motion(path: Path) -> Motion:
    """The first animation's weights, and the rotation of the node `head` where it has one.

    Raises:
        MotionError: not a GLB, or no animated target has an ARKit name.
    """
    try:
        return _motion(GltfFile(path), path)
    except (AssetError, KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, MotionError):
            raise
        raise MotionError(f"No motion can be read from {path.name}: {error}.") from error


def _motion(file: GltfFile, path: Path) -> Motion:
    document = file.document
    if not document.get("animations"):
        raise MotionError(f"{path.name} holds no animation.")
    animation = document["animations"][0]
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    turn: tuple[np.ndarray, np.ndarray] | None = None
    for channel in animation["channels"]:
        target = channel["target"]
        node = document["nodes"][target["node"]] if "node" in target else {}
        is_head = target["path"] == "rotation" and node.get("name", "").lower() == "head"
        if target["path"] != "weights" and not is_head:
            continue
        sampler = animation["samplers"][channel["sampler"]]
        times = file.accessor(sampler["input"])[:, 0]
        output = file.accessor(sampler["output"])
        if sampler.get("interpolation") == "CUBICSPLINE":
            # Each key is an in-tangent, a value and an out-tangent.
            output = output.reshape(len(times), 3, -1)[:, 1]
        keys = output.reshape(len(times), -1)
        if is_head:
            turn = times, keys
            continue
        names = document["meshes"][node["mesh"]].get("extras", {}).get("targetNames", [])
        if len(names) == keys.shape[1]:
            for name, column in known_curves(names).items():
                curves.setdefault(name, (times, keys[:, column]))
    if not curves:
        raise MotionError(f"{path.name}: no animated morph target has an ARKit name.")

    times = np.unique(np.concatenate([keys for keys, _ in curves.values()]))
    weights = np.stack([np.interp(times, *curve) for curve in curves.values()], axis=1)
    turns = np.tile([1.0, 0.0, 0.0, 0.0], (len(times), 1))
    if turn is not None:
        turns = _turns_at(times, *turn)
    fps, weights, turns = steady(times, weights, turns, default_fps=FPS)
    columns = {name: i for i, name in enumerate(curves)}
    return arkit_motion(columns, weights, rotation.axis_angle_from_quaternion(turns), fps, path)


def _turns_at(times: np.ndarray, keys: np.ndarray, xyzw: np.ndarray) -> np.ndarray:
    """Quaternions (wxyz) at `times` from those at `keys`."""
    wxyz = np.roll(xyzw, 1, axis=-1)
    wxyz = wxyz / np.linalg.norm(wxyz, axis=-1, keepdims=True)
    before = np.clip(np.searchsorted(keys, times, side="right") - 1, 0, len(keys) - 1)
    after = np.minimum(before + 1, len(keys) - 1)
    span = np.where(after > before, keys[after] - keys[before], 1.0)
    fraction = np.clip((times - keys[before]) / span, 0, 1)
    return rotation.slerp(wxyz[before], wxyz[after], fraction)
