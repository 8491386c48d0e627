"""kinevox's own clip file: every layout, every bit, no pickle.

A plain npz with `values` (frames, channels) float32, `fps`, the layout as JSON (names, groups,
units, ranges, rotations), the metadata as JSON, and a version number.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kinevox.errors import MotionError
from kinevox.export._archive import array_names, read_arrays
from kinevox.export._base import Animation, Exporter
from kinevox.files import written_whole
from kinevox.motion import ARKIT, Channel, Motion, MotionLayout, Rotation, body_layout, flame_layout

VERSION = 1


def write(animation: Animation, path: Path) -> None:
    """Writes the motion with its own and the animation's metadata."""
    motion = animation.motion
    motion = motion.replace(metadata={**motion.metadata, **animation.metadata})
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **clip_arrays(motion))


def clip_arrays(motion: Motion) -> dict[str, np.ndarray]:
    """What a clip file holds; other arrays may lie beside these."""
    return {
        "version": np.array(VERSION),
        "fps": np.array(motion.fps, np.float64),
        "values": motion.values,
        "layout": np.array(json.dumps(_layout_fields(motion.layout))),
        "metadata": np.array(json.dumps(dict(motion.metadata))),
    }


def read(path: Path) -> Motion:
    """Reads a clip file.

    Raises:
        MotionError: not a clip file, of a newer version, or its channels are not those that its
            layout has in this version of kinevox.
    """
    arrays = read_arrays(path)
    try:
        version, fps = int(arrays["version"]), float(arrays["fps"])
        values, fields = arrays["values"], json.loads(str(arrays["layout"]))
        metadata = {str(k): str(v) for k, v in json.loads(str(arrays["metadata"])).items()}
    except KeyError as error:
        held = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise MotionError(
            f"{path.name} is not a kinevox clip: it lacks {error}; and no other npz that is known "
            f"by its names (docs/formats.md). It holds {held}."
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise MotionError(f"{path.name} is not a kinevox clip: {error}.") from error
    if version > VERSION:
        raise MotionError(
            f"{path.name} has version {version}, this kinevox reads up to {VERSION}. "
            "Update kinevox."
        )
    if values.dtype != np.float32:
        raise MotionError(f"{path.name}: values are {values.dtype}; expected float32.")
    return Motion(values, fps, _layout(fields, path), metadata)


def _layout_fields(layout: MotionLayout) -> dict[str, Any]:
    """The layout as JSON has it: unbounded ranges become null."""
    channels = [asdict(channel) for channel in layout.channels]
    for channel in channels:
        channel["low"] = channel["low"] if np.isfinite(channel["low"]) else None
        channel["high"] = channel["high"] if np.isfinite(channel["high"]) else None
    rotations = [asdict(turn) for turn in layout.rotations]
    return {"name": layout.name, "channels": channels, "rotations": rotations}


def _layout(fields: Any, path: Path) -> MotionLayout:
    """The layout in the file; one that kinevox knows must be what kinevox knows."""
    try:
        name = str(fields["name"])
        channels = tuple(
            Channel(
                **channel
                | {
                    "low": -np.inf if channel["low"] is None else channel["low"],
                    "high": np.inf if channel["high"] is None else channel["high"],
                }
            )
            for channel in fields["channels"]
        )
        rotations = tuple(Rotation(**turn) for turn in fields["rotations"])
    except (KeyError, TypeError) as error:
        raise MotionError(f"{path.name}: the layout is incomplete ({error}).") from error
    layout = MotionLayout(name, channels, rotations)
    known = _known_layout(layout)
    if known is not None and known.names != layout.names:
        odd = next((a for a, b in zip(layout.names, known.names, strict=False) if a != b), "none")
        raise MotionError(
            f"{path.name}: the {len(layout.names)} channels of layout '{name}' are not this "
            f"version's {len(known.names)}; the first odd one is '{odd}'."
        )
    return known or layout


def _known_layout(layout: MotionLayout) -> MotionLayout | None:
    if layout.name == "arkit":
        return ARKIT
    if layout.name == "flame":
        return flame_layout(50)
    if layout.name == "flame100":
        return flame_layout(100)
    if layout.name == "body":
        joints = tuple(name[:-2] for name in layout.names if name.endswith("_0"))
        return body_layout(joints)
    return None


def recognizes(path: Path) -> bool:
    """Whether it is an npz with a layout and values."""
    return {"layout", "values"} <= array_names(path)


EXPORTER = Exporter(
    suffixes=(".npz",),
    summary="kinevox clip: any layout, bit for bit, with metadata",
    write=write,
    read=read,
    recognizes=recognizes,
)
