"""Decoding: any video -> upright RGB pictures, each with the time at which it is shown.

Time 0 is the first sample of the sound, as `read_speech` hears it, so pictures and speech of one
file share their clock; in a silent file it is the first picture. Rotation flags and pixels that
are not square are undone. Large pictures are scaled down while they are decoded.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from kinevox.errors import MissingExtraError, VideoError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_log = logging.getLogger(__name__)

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts")
SUFFIXES += (".ts", ".wmv", ".flv", ".ogv", ".3gp", ".vob")
"""What a folder is searched for; a single file may be called anything."""

_NEGLIGIBLE = 0.25
"""Length that may be missing at the end without a word [s]; containers round generously."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a video."""

    time: float
    """When it is shown [s]."""
    pixels: UInt8[np.ndarray, "height width 3"]
    """Upright RGB, at most as large as was asked for."""
    size: tuple[int, int]
    """Width and height of the upright picture before it was scaled down [pixels]."""


@dataclass(frozen=True)
class VideoFacts:
    """What the file says about itself."""

    seconds: float
    """Length; 0 where it is not stated."""
    pictures: int
    """How many pictures, roughly; 0 where it is not known."""
    sound: bool


def video_facts(path: str | Path) -> VideoFacts:
    """Looks at a video without decoding it.

    Raises:
        VideoError: there are no pictures in the file.
    """
    with _opened(Path(path)) as container:
        stream = _picture_track(Path(path), container)
        seconds = _stated_seconds(container, stream)
        rate = stream.average_rate or stream.guessed_rate
        return VideoFacts(
            seconds, stream.frames or round(seconds * (rate or 0)), _has_sound(container)
        )


def pictures(path: str | Path, longest: int | None = None, turn: int = 0) -> Iterator[Picture]:
    """All pictures from time 0 on, in the order in which they are shown.

    Damaged stretches are left out and said in a log record.

    Args:
        longest: Larger pictures are scaled down so that their longer side is this [pixels].
        turn: Quarter turns to the left on top of what the file's rotation flag asks for.

    Raises:
        VideoError: not a single picture can be decoded.
    """
    path = Path(path)
    with _opened(path) as container:
        stream = _picture_track(path, container)
        stream.thread_type = "AUTO"
        origin = _sound_start(container)
        stated = _stated_seconds(container, stream)
        step = float(1 / (stream.average_rate or stream.guessed_rate or 25))
        aspect = float(stream.sample_aspect_ratio or 1)
        count, damaged, first, last = 0, False, 0.0, -np.inf
        for frame in _frames(container, stream):
            if frame is None:
                damaged = True
                continue
            time = frame.time if frame.time is not None else max(last, -step) + step
            origin = time if origin is None else origin
            time -= origin
            # Repeated and backward stamps occur at seams; the clock only runs forward.
            if time < -step / 2 or time <= last:
                continue
            first, last, count = (time if not count else first), time, count + 1
            yield _upright(frame, max(time, 0.0), aspect, longest, turn)
    if not count:
        raise VideoError(
            f"{path} holds no picture that can be decoded; it is damaged or cut short. "
            "Fetch it again, or export it anew as MP4."
        )
    seen = last - first + step
    if damaged or stated - seen > max(_NEGLIGIBLE, 0.02 * stated):
        much = f"{seen:.1f} of {stated:.1f} s" if stated > seen + step else "not every picture"
        _log.warning("%s is damaged: %s could be decoded.", path.name, much)


def _opened(path: Path) -> InputContainer:
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise MissingExtraError("Reading video", "capture") from None
    _require_file(path)
    try:
        # The prefix and the whitelist keep odd names and playlists from reaching the network.
        return av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"})
    except FFmpegError as error:
        if isinstance(error, PermissionError):
            raise VideoError(f"{path} may not be read: permission denied.") from error
        raise VideoError(
            f"{path} is not a video that can be opened ({error.strerror}). Expected a complete "
            "mp4, mov, mkv, webm, avi, mpg or other file that FFmpeg reads."
        ) from error


def _require_file(path: Path) -> None:
    if not path.exists():
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise VideoError(f"No such file: {path}.{hint}")
    if not path.is_file():
        raise VideoError(f"{path} is not a regular file; give a video.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes); save or fetch it again.")


def _picture_track(path: Path, container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if stream is None or stream.codec_context is None:
        kinds = sorted({other.type for other in container.streams})
        raise VideoError(
            f"{path} has no pictures, only {' and '.join(kinds) or 'an empty container'}. "
            "For motion from sound alone: kinevox animate."
        )
    return stream  # type: ignore[return-value]


def _has_sound(container: InputContainer) -> bool:
    sound = container.streams.best("audio")
    return sound is not None and sound.codec_context is not None


def _sound_start(container: InputContainer) -> float | None:
    """When the first sample that is heard is played [s]; None without sound."""
    sound = container.streams.best("audio")
    if sound is None or sound.codec_context is None or sound.start_time is None:
        return None
    # A negative start is the encoder's run-in, which decoders cut off.
    return max(float(sound.start_time * (sound.time_base or 0)), 0.0)


def _stated_seconds(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1e6


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame | None]:
    """Decoded pictures; None for each packet that could not be decoded."""
    from av.error import FFmpegError

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except FFmpegError:  # The file's structure breaks here.
            yield None
            return
        try:
            yield from packet.decode()
        except FFmpegError:
            yield None


def _upright(
    frame: VideoFrame, time: float, aspect: float, longest: int | None, turn: int
) -> Picture:
    """Square pixels, turned as the file asks, scaled down where it is too large."""
    width, height = frame.width, frame.height
    if 0.25 < aspect < 4:
        # Stretched, never squeezed: no line or column is lost.
        width, height = (
            (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
        )
    scale = 1.0 if longest is None else min(longest / max(width, height), 1.0)
    small = max(round(width * scale), 1), max(round(height * scale), 1)
    # Averaging areas is as fine as interpolation when scaling down, and twice as fast.
    way = "AREA" if scale < 1 else None
    pixels = frame.reformat(*small, format="rgb24", interpolation=way).to_ndarray()
    quarters = (round(frame.rotation / 90) + turn) % 4
    if quarters % 2:
        width, height = height, width
    return Picture(time, np.ascontiguousarray(np.rot90(pixels, quarters)), (width, height))
