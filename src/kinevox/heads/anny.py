"""Anny: the default head, all 52 ARKit expressions, shaped by a phenotype.

Building it once takes torch, the `anny` package and about a minute; the result is kept as plain
arrays, so every later load is a file read that imports neither.

Source: Bregier et al. 2025, "Human Mesh Modeling for Anny Body", arXiv 2511.03589.
"""

from __future__ import annotations

import dataclasses
import logging
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from kinevox import arkit
from kinevox.cache import cache_dir
from kinevox.errors import ConfigError, UnknownNameError
from kinevox.files import written_whole
from kinevox.heads._base import BlendshapeHead, Part, Regions
from kinevox.motion import ARKIT

_log = logging.getLogger(__name__)

_BAKE_VERSION = 9
"""Raised whenever the arrays of a head change, so that older cache files are not read."""

_CREDITS = {
    "Anny": "Copyright (C) 2025 NAVER Corp., Apache-2.0, https://github.com/naver/anny",
    "MakeHuman": "base mesh and expressions, CC0, https://static.makehumancommunity.org",
}


@dataclass(frozen=True)
class Phenotype:
    """What the person looks like; every field lies in [0, 1].

    Raises:
        ConfigError: fields lie outside their range; all of them are listed.
    """

    gender: float = 0.7
    """0 male, 1 female."""
    age: float = 0.7
    """0 baby, 1/3 child, 2/3 young adult, 1 old."""
    muscle: float = 0.5
    weight: float = 0.45
    height: float = 0.5
    proportions: float = 0.75
    """0 uncommon, 1 ideal proportions."""

    def __post_init__(self) -> None:
        given = dataclasses.asdict(self)
        wrong = [f"{name}={value}" for name, value in given.items() if not 0 <= value <= 1]
        if wrong:
            raise ConfigError(f"Phenotype values must lie in [0, 1]; got {', '.join(wrong)}.")

    @property
    def key(self) -> str:
        """A short text that is the same for the same phenotype, to a thousandth."""
        values = dataclasses.asdict(self).values()
        return "-".join(f"{round(1000 * value):04d}" for value in values)


def load_anny(**phenotype: float) -> BlendshapeHead:
    """The Anny head for a phenotype, e.g. `load_anny(gender=0, age=0.8)`.

    Args:
        phenotype: Fields of `Phenotype`; the default is a young adult.

    Raises:
        UnknownNameError: `Phenotype` has no such field.
        ConfigError: a value lies outside [0, 1].
    """
    fields = [field.name for field in dataclasses.fields(Phenotype)]
    for name in phenotype:
        if name not in fields:
            raise UnknownNameError("phenotype option of head 'anny'", name, fields)
    person = Phenotype(**phenotype)
    name = f"anny-{version('anny')}-{_BAKE_VERSION}-{person.key}.npz"
    path = cache_dir("heads") / name
    try:
        return _read(path)
    except FileNotFoundError:
        _log.info("Building the Anny head; the first time on a machine takes about a minute.")
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        _log.warning("%s cannot be read; building the Anny head again.", path)
        path.unlink(missing_ok=True)
    from filelock import FileLock

    from kinevox.heads._anny_bake import bake

    # Processes that start together build it once: the others wait and read.
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            with written_whole(path) as temporary:
                np.savez(temporary, allow_pickle=False, **bake(person))
    return _read(path)


HEAD = load_anny


def _read(path: Path) -> BlendshapeHead:
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    return BlendshapeHead(
        name="anny",
        layout=ARKIT,
        template=arrays["template"],
        triangles=arrays["triangles"],
        shape_names=arkit.NAMES,
        shapes=arrays["shapes"],
        parts=tuple(
            Part(str(name), int(start), int(stop))
            for name, (start, stop) in zip(arrays["part_names"], arrays["part_bounds"], strict=True)
        ),
        regions=Regions(arrays["lips"], arrays["inner_lip_pairs"], arrays["upper_face"]),
        colors=arrays["colors"],
        credits=_CREDITS,
    )
