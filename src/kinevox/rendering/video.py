"""Animation -> video: the drawn head, its sound, and where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from kinevox import __version__
from kinevox.errors import ConfigError, MotionError
from kinevox.export._base import Animation
from kinevox.files import written_whole
from kinevox.heads import Head
from kinevox.motion import Motion
from kinevox.rendering.curves import CurveStrip, strip_height
from kinevox.rendering.encode import Mp4Writer, Sound
from kinevox.rendering.picture import Caption
from kinevox.rendering.scene import Scene
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE, exact_fps

MAX_SIZE = (1920, 1080)
"""Largest width and height of a video [pixels]."""
TURNTABLE_SECONDS = 8.0
"""Time of one turn [s]."""
_CHUNK = 32
"""Frames whose vertices are held at once."""

Pose = tuple[np.ndarray, np.ndarray]
Progress = Callable[[int, int], None]
"""Called with the frames done and their total."""


def render_video(
    animation: Animation,
    path: Path,
    *,
    fps: float | None = None,
    size: tuple[int, int] = (512, 512),
    turntable: bool = False,
    curves: bool = False,
    progress: Progress | None = None,
) -> None:
    """Writes an MP4 (H.264, AAC) of the talking head, whole or not at all.

    Args:
        fps: Frames per second; the motion's own by default.
        size: Width and height of the face [pixels], even.
        turntable: Turn the head round as it speaks.
        curves: Add a strip with the main curves and the sound below the face.

    Raises:
        ConfigError: the size or the frame rate does not fit a video.
        RenderError: the machine has no usable OpenGL.
    """
    _render([animation], [None], path, fps, size, turntable, curves, progress)


def render_comparison(
    animations: Sequence[Animation],
    labels: Sequence[str],
    path: Path,
    *,
    fps: float | None = None,
    size: tuple[int, int] = (512, 512),
    turntable: bool = False,
    curves: bool = False,
    progress: Progress | None = None,
) -> None:
    """Writes an MP4 of several animations side by side, with the sound of the first that has one.

    Shorter ones hold their last frame. `size` is that of one face.

    Raises:
        ConfigError: fewer than two animations, labels do not match, or the video gets too large.
        RenderError: the machine has no usable OpenGL.
    """
    if len(animations) < 2 or len(animations) != len(labels):
        raise ConfigError(
            f"A comparison needs two or more animations with a label each; got "
            f"{len(animations)} animations and {len(labels)} labels."
        )
    _render(animations, labels, path, fps, size, turntable, curves, progress)


def render_images(
    head: Head, motion: Motion, *, size: tuple[int, int] = (512, 512), orbit: float = 0.0
) -> list[UInt8[np.ndarray, "height width 3"]]:
    """A picture of every frame of a (short) motion.

    Args:
        size: Width and height [pixels].
        orbit: Turn of the head's turntable [rad].

    Raises:
        RenderError: the machine has no usable OpenGL.
    """
    with Scene(head, size) as scene:
        return [scene.draw(pose, turn, orbit) for pose, turn in _poses(head, motion)]


def render_image(
    head: Head,
    motion: Motion,
    frame: int = 0,
    *,
    size: tuple[int, int] = (512, 512),
    orbit: float = 0.0,
) -> UInt8[np.ndarray, "height width 3"]:
    """A picture of one frame; see `render_images`."""
    one = motion.replace(values=motion.values[frame][None])
    return render_images(head, one, size=size, orbit=orbit)[0]


def _render(
    animations: Sequence[Animation],
    labels: Sequence[str | None],
    path: Path,
    fps: float | None,
    size: tuple[int, int],
    turntable: bool,
    curves: bool,
    progress: Progress | None,
) -> None:
    rate = exact_fps(animations[0].motion.fps if fps is None else fps)
    full = (size[0] * len(animations), size[1] + (strip_height(size[1]) if curves else 0))
    _check(full, rate)
    motions = [animation.motion.resample(float(rate)) for animation in animations]
    total = max(motion.num_frames for motion in motions)
    if not all(motion.num_frames for motion in motions):
        raise MotionError("The motion has no frames, so there is nothing to render.")
    speech = next((a.speech for a in animations if a.speech is not None), None)

    with ExitStack() as stack:
        scenes: dict[int, Scene] = {}
        panels = []
        for animation, motion, label in zip(animations, motions, labels, strict=True):
            head = animation.load_head()
            if id(head) not in scenes:
                scenes[id(head)] = stack.enter_context(Scene(head, size))
            panels.append(
                _Panel(
                    scenes[id(head)],
                    _held(_poses(head, motion), total),
                    Caption(label, size) if label else None,
                    _strip(motion, animation.speech or speech, size) if curves else None,
                )
            )
        temporary = stack.enter_context(written_whole(Path(path)))
        tags = _tags(animations[0])
        writer = stack.enter_context(Mp4Writer(temporary, full, rate, total, _sound(speech), tags))
        for index in range(total):
            seconds = float(index / rate)
            orbit = 2 * np.pi * seconds / TURNTABLE_SECONDS if turntable else 0.0
            pictures = [panel.draw(seconds, orbit) for panel in panels]
            writer.add(pictures[0] if len(pictures) == 1 else np.concatenate(pictures, axis=1))
            if progress is not None:
                progress(index + 1, total)


@dataclass(frozen=True)
class _Panel:
    """One face with its label and its strip."""

    scene: Scene
    poses: Iterator[Pose]
    caption: Caption | None
    strip: CurveStrip | None

    def draw(self, seconds: float, orbit: float) -> UInt8[np.ndarray, "height width 3"]:
        picture = self.scene.draw(*next(self.poses), orbit)
        if self.caption is not None:
            self.caption.stamp(picture)
        if self.strip is not None:
            picture = np.concatenate([picture, self.strip.draw(seconds)])
        return picture


def _poses(head: Head, motion: Motion) -> Iterator[Pose]:
    """Vertices without head pose, and the head's turn, of each frame."""
    turns = np.zeros((motion.num_frames, 3))
    if any(channel.group == "head" for channel in motion.layout.channels):
        turns = motion.group("head").astype(np.float64)
    for start in range(0, motion.num_frames, _CHUNK):
        chunk = motion.replace(values=motion.values[start : start + _CHUNK])
        yield from zip(head.vertices(chunk, head_pose=False), turns[start:], strict=False)


def _held(poses: Iterator[Pose], count: int) -> Iterator[Pose]:
    """The poses, the last one repeated until there are `count`."""
    last = None
    for _ in range(count):
        last = next(poses, last)
        assert last is not None
        yield last


def _strip(motion: Motion, speech: Speech | None, size: tuple[int, int]) -> CurveStrip:
    samples = None if speech is None else speech.samples
    return CurveStrip(motion, samples, (size[0], strip_height(size[1])))


def _sound(speech: Speech | None) -> Sound | None:
    """The recording in full quality where its file is known, else what the method heard."""
    if speech is None:
        return None
    if speech.path is not None:
        from kinevox.audio.read import channel_blocks

        return Sound(48_000, channel_blocks(speech.path, 48_000))
    return Sound(SAMPLE_RATE, iter(np.split(speech.samples[None], _cuts(speech), axis=1)))


def _cuts(speech: Speech) -> np.ndarray:
    return np.arange(SAMPLE_RATE, len(speech.samples), SAMPLE_RATE)


def _tags(animation: Animation) -> dict[str, str]:
    """Provenance as tags that players show. "Synthetic" comes first: this is no recording."""
    known = {**animation.motion.metadata, **animation.metadata}
    known = {k: v for k, v in known.items() if k not in ("generator", "synthetic")}
    comment = ["synthetic", f"kinevox {__version__}", *(f"{k} {v}" for k, v in known.items())]
    return {"title": animation.name, "comment": "; ".join(comment)}


def _check(size: tuple[int, int], rate: Fraction) -> None:
    width, height = size
    if not 1 <= rate <= 120:
        raise ConfigError(f"{float(rate):g} frames per second; a video takes 1 to 120, such as 25.")
    if width % 2 or height % 2 or min(size) < 64:
        raise ConfigError(
            f"A video of {width} x {height} pixels; H.264 needs even numbers, at least 64, such "
            f"as {max(width // 2 * 2, 64)} x {max(height // 2 * 2, 64)}."
        )
    if width > MAX_SIZE[0] or height > MAX_SIZE[1]:
        raise ConfigError(
            f"A video of {width} x {height} pixels; at most {MAX_SIZE[0]} x {MAX_SIZE[1]} is "
            "possible. Choose a smaller size for each face."
        )
