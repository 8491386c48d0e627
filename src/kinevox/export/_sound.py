"""The sound beside an animation: most motion formats cannot hold it, so a wav shares the name."""

from __future__ import annotations

from pathlib import Path

from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

_SOUND_RATE = 48_000
"""Rate of sound taken from the recording itself [Hz]."""


def write_sound(speech: Speech | None, path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """Writes `line.wav` for `line.glb`, in the recording's quality; None without speech.

    Where that wav is the recording itself, it stays as it is.
    """
    if speech is None:
        return None
    suffix = max((s for s in suffixes if path.name.lower().endswith(s)), key=len, default="")
    target = path.with_name(path.name[: len(path.name) - len(suffix)] + ".wav")
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
