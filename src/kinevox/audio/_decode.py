"""Decoding: whatever FFmpeg understands -> blocks of float samples, or one clear sentence.

Everything that can be wrong with a recording is found here, so that the rest of the package may
take sound for granted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from kinevox.errors import AudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

LOSS_FRACTION = 0.01
"""Part of a recording that may be undecodable before it counts as broken."""
LOSS_SECONDS = 0.1
"""Undecodable time that is bridged in any case, as players do at seams and stray tags [s]."""

LARGEST = 1e6
"""Full scale is 1; float samples beyond this are a defect, not a loud voice."""

_UNSTATED_SIZE = 0x7FFF_0000
"""Sizes from here up (and 0) are placeholders of programs that wrote to a pipe."""

_SAMPLE_TYPES = {
    "u8": np.dtype(np.uint8),
    "s16": np.dtype(np.int16),
    "s32": np.dtype(np.int32),
    "s64": np.dtype(np.int64),
    "flt": np.dtype(np.float32),
    "dbl": np.dtype(np.float64),
}


@dataclass(frozen=True, eq=False)
class DecodedBlock:
    """A stretch of sound as it lies in the file."""

    samples: Float[np.ndarray, "channels samples"]
    """float32, full scale 1. Float files may exceed that; nothing is clipped."""
    sample_rate: int
    """[Hz]; may change within broadcast recordings."""
    channel_names: tuple[str, ...]
    """FFmpeg's names: `FL`, `FC`, `LFE`... or `NONE`."""


def decoded_blocks(path: Path) -> Iterator[DecodedBlock]:
    """The best sound track of a file, block by block.

    The delay that encoders put in front (MP3, AAC, Opus) is removed wherever the file states it.

    Raises:
        AudioError: there is no sound in the file, or more of it is damaged or missing than
            `LOSS_FRACTION` and `LOSS_SECONDS` allow. The latter is only known after the last
            block.
    """
    import av
    from av.error import FFmpegError

    _require_file(path)
    try:
        # The prefix and the whitelist keep odd names and playlists from reaching the network.
        container = av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"})
    except FFmpegError as error:
        raise AudioError(_why_not_opened(path, error)) from error
    with container:
        stream = _sound_track(path, container)
        seconds = lost = 0.0
        first_loss = None
        for packet in _packets(container, stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                first_loss = seconds if first_loss is None else first_loss
                lost += float((packet.duration or 0) * (packet.time_base or 0))
                continue
            for frame in frames:
                samples = _as_float(frame)
                _require_sound(path, samples, seconds, frame.sample_rate)
                seconds += samples.shape[1] / frame.sample_rate
                names = tuple(channel.name for channel in frame.layout.channels)
                yield DecodedBlock(samples, frame.sample_rate, names)
        if not seconds:
            raise AudioError(f"{path} has a sound track without a single sample that can be read.")
        lost = max(lost, _promised_seconds(path, container, stream) - seconds)
        if lost > max(LOSS_SECONDS, LOSS_FRACTION * (seconds + lost)):
            since = "" if first_loss is None else f", damaged from {first_loss:.1f} s on"
            raise AudioError(
                f"{path} is cut short or damaged: {seconds:.1f} of {seconds + lost:.1f} s could be "
                f"read{since}. Fetch it again, or save the readable part anew in an audio editor."
            )


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise AudioError(f"{path} is a folder; give the recordings in it, e.g. {path / '*.wav'}.")
    if not path.exists():
        if not path.parent.is_dir():
            raise AudioError(f"No such file: {path}. The folder {path.parent} does not exist.")
        beside = [file.name for file in path.parent.iterdir() if file.exists()]
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise AudioError(f"No such file: {path}.{hint}")
    if not path.is_file():
        raise AudioError(f"{path} is not a regular file; save the sound to one first.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is empty (0 bytes); save or fetch it again.")


def _why_not_opened(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"{path} may not be read: permission denied."
    return (
        f"{path} is not a recording that can be opened ({error.strerror}). "  # type: ignore[attr-defined]
        "Expected a complete wav, flac, mp3, m4a, ogg, opus, mp4 or other file that FFmpeg reads."
    )


def _sound_track(path: Path, container: InputContainer) -> AudioStream:
    stream = container.streams.best("audio")
    if stream is not None and stream.codec_context is not None:
        return stream  # type: ignore[return-value]
    kinds = sorted({other.type for other in container.streams})
    if "audio" in kinds:
        raise AudioError(
            f"{path} holds no sound that can be decoded; it may be another kind of file."
        )
    raise AudioError(
        f"{path} has no sound track, only {' and '.join(kinds) or 'an empty container'}."
    )


def _packets(container: InputContainer, stream: AudioStream):
    """Packets up to the end of the file or to where its structure breaks."""
    from av.error import FFmpegError

    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except (StopIteration, FFmpegError):
            return


def _as_float(frame: AudioFrame) -> Float[np.ndarray, "channels samples"]:
    # `frame.to_ndarray()` would read past the end of eight or more separate channels and crash.
    dtype, num_channels = _SAMPLE_TYPES[frame.format.packed.name], frame.layout.nb_channels
    planes, values = 1, frame.samples * num_channels
    if frame.format.is_planar:
        planes, values = num_channels, frame.samples
    data = np.stack(
        [np.frombuffer(plane, dtype, values) for plane in frame.planes[:planes]]  # type: ignore
    )
    if planes != num_channels:
        data = data.reshape(-1, num_channels).T
    if dtype.kind == "f":
        return data.astype(np.float32)
    middle, full_scale = (128, 128) if dtype.kind == "u" else (0, 2 ** (8 * dtype.itemsize - 1))
    return (data.astype(np.float32) - middle) / np.float32(full_scale)


def _require_sound(
    path: Path, samples: Float[np.ndarray, "channels samples"], start: float, sample_rate: int
) -> None:
    sound = (np.abs(samples) <= LARGEST).all(axis=0)  # false for NaN too
    if not sound.all():
        at = start + int(np.argmin(sound)) / sample_rate
        raise AudioError(
            f"{path} holds values that are no sound (NaN, infinite or beyond {LARGEST:g}), the "
            f"first at {at:.3f} s. Export the recording again, e.g. as 16-bit wav."
        )


def _promised_seconds(path: Path, container: InputContainer, stream: AudioStream) -> float:
    """Length that the file itself states [s]; 0 where it states none."""
    if not stream.duration or stream.time_base is None:
        return 0.0
    seconds = float(stream.duration * stream.time_base)
    name = container.format.name
    if name in ("wav", "avi"):
        # FFmpeg fits their length to the bytes that arrived; the header knows how many there were.
        with open(path, "rb") as file:
            tag, size = file.read(4), int.from_bytes(file.read(4), "little")
        known = tag == b"RIFF" and 0 < size < _UNSTATED_SIZE
        return seconds * (size + 8) / path.stat().st_size if known else 0.0
    if name == "mp3":
        # Without the header that also states the encoder's delay, the length is a guess.
        return seconds if stream.start_time else 0.0
    return seconds if name in ("aiff", "flac", "ogg", "mov,mp4,m4a,3gp,3g2,mj2") else 0.0
