"""Styles on disk: one vector as `.style`, which is an npz, or any clip of motion."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox.errors import MotionError
from kinevox.files import written_whole
from kinevox.methods.diffposetalk.style import StyleEncoder, style_of

SUFFIX, KEY = ".style", "style"


def read_style(path: Path, encoder: StyleEncoder) -> tuple[float, ...]:
    """A style vector from a file of it, or of motion.

    Raises:
        MotionError: neither, or for another encoder.
    """
    if path.suffix != SUFFIX:
        from kinevox.export import read_motion

        return tuple(style_of(encoder, read_motion(path)).tolist())
    try:
        with np.load(path, allow_pickle=False) as stored:
            vector = np.asarray(stored[KEY], np.float32)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise MotionError(f"{path.name} is no style file ({error}). Make it again.") from error
    width = encoder.config.width
    if vector.shape != (width,) or not np.isfinite(vector).all():
        raise MotionError(
            f"{path.name} holds {vector.shape} numbers; this model takes {width} finite ones, made "
            "by its own style encoder."
        )
    return tuple(vector.tolist())


def write_style(path: Path, vector: Float[np.ndarray, " style"]) -> None:
    """Writes a style vector; only the encoder that made it knows what it means."""
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **{KEY: np.asarray(vector, np.float32)})
