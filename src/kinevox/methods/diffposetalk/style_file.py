"""Styles on disk: as `.style`, which is an npz, or any clip of motion."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kinevox.errors import ConfigError, MotionError
from kinevox.files import written_whole
from kinevox.methods.diffposetalk import Style
from kinevox.motion import Motion

if TYPE_CHECKING:
    from kinevox.methods.diffposetalk.style import StyleEncoder

_log = logging.getLogger(__name__)

SUFFIX = ".style"
_SEEN = {"head": "head", "eyes": "eyeLook", "lids": "eyeBlink", "brows": "brow", "jaw": "jaw"}
"""Parts that can be missing from a recording, by the beginnings of their channels."""
_VECTOR, _MANNER, _SECONDS, _ENCODER = "style", "manner", "seconds", "encoder"


def load_style(path: Path, encoder: StyleEncoder) -> Style:
    """A style from a file of it, or of motion.

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

        return style_from(encoder, read_motion(path))
    style, made_by = read_style(path)
    if made_by != encoder_digest(encoder) or len(style.vector) != encoder.config.width:
        raise MotionError(
            f"{path.name} was made by another style encoder (digest {made_by}, this one is "
            f"{encoder_digest(encoder)}); its {len(style.vector)} numbers mean nothing here. Make "
            "it again from the motion: `kinevox styles extract`."
        )
    from kinevox.methods.diffposetalk.manner import names_of

    measured, usual = len(style.manner), len(names_of(encoder.space.layout, encoder.columns))
    if measured not in (0, usual):
        raise MotionError(
            f"{path.name} holds {measured} measured numbers where this version of kinevox measures "
            f"{usual}. Make it again from the motion: `kinevox styles extract`."
        )
    return style


def style_from(encoder: StyleEncoder, *motions: Motion) -> Style:
    """The style that an encoder reads from one person's motion, and what can be measured there.

    Raises:
        MotionError: another layout, or all are too short.
    """
    from kinevox.methods.diffposetalk.manner import with_manner
    from kinevox.methods.diffposetalk.style import style_of

    if still := _still_parts(motions):
        _log.warning(
            "The example never moves its %s, so neither will the style, or hardly. If that was not "
            "recorded, take an example in which it was.",
            " and ".join(still),
        )
    return with_manner(encoder, style_of(encoder, *motions).tolist(), *motions)


def _still_parts(motions: Sequence[Motion]) -> list[str]:
    """What stays the same in all frames of all clips."""
    still = []
    for part, begins in _SEEN.items():
        moved = [
            np.ptp(motion[channel.name]) > 0
            for motion in motions
            for channel in motion.layout.channels
            if channel.name.startswith(begins)
        ]
        if moved and not any(moved):
            still.append(part)
    return still


def read_style(path: Path) -> tuple[Style, str]:
    """The style of a `.style` file, and the digest of the encoder that made it.

    Raises:
        MotionError: it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            vector, manner = (np.asarray(stored[n], np.float32) for n in (_VECTOR, _MANNER))
            seconds, made_by = float(stored[_SECONDS]), str(stored[_ENCODER])
        for numbers in (vector, manner):
            if numbers.ndim != 1 or not np.isfinite([*numbers, seconds]).all():
                raise ValueError(f"it holds numbers of shape {numbers.shape}, or not finite")
    except (OSError, EOFError, TypeError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise MotionError(f"{path.name} is no style file ({error}). Make it again.") from error
    return Style(tuple(vector.tolist()), tuple(manner.tolist()), seconds), made_by


def write_style(path: Path, style: Style, encoder: StyleEncoder) -> None:
    """Writes a style; only the encoder that made it knows what it means.

    Raises:
        ConfigError: another suffix, or nobody's style.
    """
    if path.suffix != SUFFIX:
        raise ConfigError(f"{path.name}: styles of diffposetalk are files *{SUFFIX}.")
    if not style.vector:
        raise ConfigError("Nobody in particular has no style to write.")
    stored = {
        _VECTOR: np.array(style.vector, np.float32),
        _MANNER: np.array(style.manner, np.float32),
        _SECONDS: np.array(style.seconds),
        _ENCODER: np.array(encoder_digest(encoder)),
    }
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
