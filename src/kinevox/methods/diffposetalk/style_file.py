"""Styles on disk: one vector as `.style`, which is an npz, or any clip of motion."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kinevox.errors import ConfigError, MotionError
from kinevox.files import written_whole

if TYPE_CHECKING:
    from kinevox.methods.diffposetalk.style import StyleEncoder

SUFFIX = ".style"
_VECTOR, _ENCODER = "style", "encoder"


def load_vector(path: Path, encoder: StyleEncoder) -> tuple[float, ...]:
    """A style vector from a file of it, or of motion.

    Raises:
        MotionError: neither, or a style that another encoder made.
    """
    if path.name.endswith(".style.json"):
        raise MotionError(
            f"{path.name} is a style of articulate. Add --method articulate, or give a clip of "
            "motion or a .style file."
        )
    if path.suffix != SUFFIX:
        from kinevox.export import read_motion
        from kinevox.methods.diffposetalk.style import style_of

        return tuple(style_of(encoder, read_motion(path)).tolist())
    vector, made_by = read_style(path)
    if made_by != encoder_digest(encoder) or len(vector) != encoder.config.width:
        raise MotionError(
            f"{path.name} was made by another style encoder (digest {made_by}, this one is "
            f"{encoder_digest(encoder)}); its {len(vector)} numbers mean nothing here. Make it "
            "again from the motion: `kinevox styles extract`."
        )
    return vector


def read_style(path: Path) -> tuple[tuple[float, ...], str]:
    """The numbers of a `.style` file, and the digest of the encoder that made them.

    Raises:
        MotionError: it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            vector, made_by = np.asarray(stored[_VECTOR], np.float32), str(stored[_ENCODER])
        if vector.ndim != 1 or not np.isfinite(vector).all():
            raise ValueError(f"it holds numbers of shape {vector.shape}, or not finite")
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise MotionError(f"{path.name} is no style file ({error}). Make it again.") from error
    return tuple(vector.tolist()), made_by


def write_style(path: Path, vector: tuple[float, ...], encoder: StyleEncoder) -> None:
    """Writes a style vector; only the encoder that made it knows what it means.

    Raises:
        ConfigError: another suffix, or no vector.
    """
    if path.suffix != SUFFIX:
        raise ConfigError(f"{path.name}: styles of diffposetalk are files *{SUFFIX}.")
    if not vector:
        raise ConfigError("Nobody in particular has no style to write.")
    stored = {_VECTOR: np.array(vector, np.float32), _ENCODER: np.array(encoder_digest(encoder))}
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **stored)


def encoder_digest(encoder: StyleEncoder) -> str:
    """Sixteen characters that change with what an encoder makes of motion.

    Weights count as they are in half precision, so that a packed encoder stays the same one.
    """
    statistics, digest = encoder.space.statistics, hashlib.sha256()
    config = encoder.config
    digest.update(repr((encoder.space.layout.name, config.clip, config.positions)).encode())
    for part in (statistics.mean, statistics.std):
        digest.update(np.ascontiguousarray(part, np.float32).tobytes())
    for name, weight in sorted(encoder.state_dict().items()):
        digest.update(name.encode() + weight.half().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
