"""The sound beside an animation: most motion formats cannot hold it, so a wav shares the name."""

from __future__ import annotations

from pathlib import Path

from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

_SOUND_RATE = 48_000
"""Rate of sound taken from the recording itself [Hz]."""


_SOUNDS = (".wav", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".aac", ".mov", ".mp4")
"""Suffixes of recordings that lie beside motion."""


def sound_beside(path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """The recording of the same base name: `take.wav` for `take.csv`; None when there is none."""
    base = path.with_name(_base_name(path, suffixes))
    found = (base.with_name(base.name + suffix) for suffix in _SOUNDS)
    return next((sound for sound in found if sound.is_file() and sound != path), None)


def write_sound(speech: Speech | None, path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """Writes `line.wav` for `line.glb`, in the recording's quality; None without speech.

    Where that wav is the recording itself, it stays as it is.
    """
    if speech is None:
        return None
    target = path.with_name(_base_name(path, suffixes) + ".wav")
    if speech.path is not None and target.exists() and target.samefile(speech.path):
        return target
    from kinevox.audio.read import channel_blocks
    from kinevox.audio.wav import write_wav

    if speech.path is None:
        write_wav(target, speech.samples[None], SAMPLE_RATE)
    else:
        # Block by block, so an hour of sound never lies in memory as a whole.
        write_wav(target, channel_blocks(speech.path, _SOUND_RATE), _SOUND_RATE)
    return target


def _base_name(path: Path, suffixes: tuple[str, ...]) -> str:
    suffix = max((s for s in suffixes if path.name.lower().endswith(s)), key=len, default="")
    return path.name[: len(path.name) - len(suffix)]
