"""A head from one line of text, as a command line gives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kinevox.errors import ConfigError
from kinevox.heads._base import Head
from kinevox.motion import IDENTITY, Motion

_KIND_OF_FILE = {
    ".glb": "gltf",
    ".gltf": "gltf",
    ".vrm": "gltf",
    ".npz": "flame",
    ".pkl": "flame",
}
"""Which head reads a file given without a name; `name:file` reaches any other."""


def load_head(text: str, motion: Motion | None = None) -> Head:
    """A head by name, with options or a file behind a colon, or by file alone.

    Examples are `anny`, `anny:age=0.9,gender=0`, `avatar.glb` and `flame:model.pkl`.

    Args:
        motion: Made for this head. FLAME then has as many expressions as it and its person's
            shape, where these are known.

    Raises:
        UnknownNameError: no such head.
        ConfigError: an option is not written as name=number.
        AssetError: the file is missing or is not such a head.
    """
    from kinevox.heads import HEADS

    name, _, rest = text.partition(":")
    if name not in HEADS.names():
        name, rest = _KIND_OF_FILE.get(Path(text).suffix.lower(), name), text
    build = HEADS.get(name)
    if not rest:
        return build()
    if name == "flame" and motion is not None:
        return build(rest, **_person(motion))
    return build(**_options(rest)) if "=" in rest else build(rest)


def _person(motion: Motion) -> dict[str, Any]:
    """What motion of FLAME says about the FLAME it was made for."""
    if "jaw_x" not in motion.layout.names:
        return {}
    expressions = motion.layout.group("expression")
    shape = json.loads(motion.metadata.get(IDENTITY, "[]"))
    return {
        "num_expressions": expressions.stop - expressions.start,
        "identity": np.array(shape, dtype=np.float32),
    }


def _options(text: str) -> dict[str, float]:
    options = {}
    for item in text.split(","):
        name, _, value = item.partition("=")
        try:
            options[name.strip()] = float(value)
        except ValueError:
            raise ConfigError(
                f"Head option '{item}' is not understood; write name=number, e.g. age=0.9."
            ) from None
    return options
