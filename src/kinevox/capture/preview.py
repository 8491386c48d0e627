"""What was captured, for eyes: the face in the video with the fit over it, beside the head alone.

Lines are the fitted face, dots what the tracker saw: where they part, the fit is wrong. The strip
below has a column per frame: green where the capture is confident, red where no face was seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

from kinevox import rotation
from kinevox.capture._base import Capture, Landmarks
from kinevox.capture.correspond import INNER_LIPS
from kinevox.capture.fit.model import CHANNELS, average_face
from kinevox.capture.video import pictures, video_facts
from kinevox.errors import AudioError
from kinevox.files import written_whole
from kinevox.heads import Head, load_head
from kinevox.motion import Motion
from kinevox.rendering.encode import Mp4Writer, Sound
from kinevox.rendering.scene import Scene
from kinevox.timebase import exact_fps

_log = logging.getLogger(__name__)

_HEIGHT, _WIDEST = 512, 1392
"""Of the video within the preview [pixels]."""
_AROUND = 0.6
"""How much is shown around the face, in sizes of the face."""
_STRIP = 12
"""Height of the strip below [pixels]."""
_LINES, _DOTS = (64, 224, 208), (255, 176, 48)
_GOOD, _BAD, _CURSOR = np.array([70, 190, 110]), np.array([205, 70, 60]), 255
_DOT = np.array([(x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)])
_CHUNK = 64
_IRIS = 468
"""Landmarks from here on lie on the irises, not in the skin."""

Progress = Callable[[int, int], None]


def render_preview(
    video: Path,
    landmarks: Landmarks,
    capture: Capture,
    path: Path,
    progress: Progress | None = None,
) -> None:
    """Writes the preview as MP4 with the sound of the video, whole or not at all.

    Args:
        landmarks: What `capture` was fitted to.

    Raises:
        VideoError: the video cannot be read any more.
        RenderError: the machine has no usable OpenGL.
    """
    head, motion = load_head("anny"), capture.motion
    lines = _Lines(landmarks, capture)
    part = _part(landmarks)
    scale = min(_HEIGHT / (part[3] - part[1]), _WIDEST / (part[2] - part[0]))
    width = max(round((part[2] - part[0]) * scale / 2) * 2, 64)
    strip = _strip(capture, width + _HEIGHT)
    # Scaled up after decoding, down while decoding.
    longest = round(max(landmarks.size) * min(scale, 1.0))
    shown = _shown(video, landmarks, motion.num_frames, motion.fps, longest)
    poses = _poses(head, motion)
    with ExitStack() as stack:
        scene = stack.enter_context(Scene(head, (_HEIGHT, _HEIGHT)))
        temporary = stack.enter_context(written_whole(path))
        size = (width + _HEIGHT, _HEIGHT + _STRIP)
        tags = {"title": path.stem, "comment": "synthetic; kinevox capture preview"}
        rate = exact_fps(motion.fps)
        writer = stack.enter_context(
            Mp4Writer(temporary, size, rate, motion.num_frames, _sound(video), tags)
        )
        for frame, (index, pixels) in enumerate(shown):
            left = _cut(pixels, part / max(landmarks.size), (width, _HEIGHT))
            lines.draw(left, frame, index, part)
            picture = np.concatenate([left, scene.draw(*next(poses))], axis=1)
            below = strip.copy()
            at = round(frame / max(motion.num_frames - 1, 1) * (below.shape[1] - 3))
            below[:, at : at + 3] = _CURSOR
            writer.add(np.concatenate([picture, below]))
            if progress is not None:
                progress(frame + 1, motion.num_frames)


class _Lines:
    """Draws the fitted face, and the landmarks it was fitted to."""

    def __init__(self, landmarks: Landmarks, capture: Capture):
        motion = capture.motion
        self._seen = landmarks.points
        model = average_face(landmarks.ids)
        if capture.neutral is not None:
            model = model.with_neutral(capture.neutral)
        weights = motion.values[:, [motion.layout.index(name) for name in CHANNELS]]
        turn = rotation.matrix_from_axis_angle(motion.group("head").astype(np.float64))
        placed = model.points(weights.astype(np.float64)) @ np.swapaxes(turn, -1, -2)
        self._fitted = capture.camera.project(placed + capture.translation[:, None])
        self._known = capture.confidence > 0
        agape = np.zeros((1, len(CHANNELS)))
        agape[0, CHANNELS.index("jawOpen")] = 0.7
        self._edges = _mesh(model.points(agape)[0], landmarks.ids)

    def draw(
        self,
        picture: UInt8[np.ndarray, "height width 3"],
        frame: int,
        index: int,
        part: Float[np.ndarray, " 4"],
    ) -> None:
        """Draws into the picture that is shown at a frame of the motion.

        Args:
            index: Of that picture in the video.
            part: What is shown of it: left, top, right, bottom [pixels].
        """
        scale = picture.shape[1::-1] / (part[2:] - part[:2])
        if self._known[frame]:
            ends = (self._fitted[frame][self._edges] - part[:2]) * scale
            _paint(picture, _along(ends), _LINES, 0.45)
        if index >= 0 and np.isfinite(self._seen[index]).all():
            dots = (self._seen[index, :, :2] - part[:2]) * scale
            _paint(picture, (dots[:, None] + _DOT).reshape(-1, 2), _DOTS, 0.9)


def _mesh(
    points: Float[np.ndarray, "points 3"], ids: Int[np.ndarray, " points"]
) -> Int[np.ndarray, "edges 2"]:
    """Edges between neighbouring landmarks of the skin; none across the open mouth."""
    from scipy.spatial import Delaunay

    skin = np.flatnonzero(ids < _IRIS)
    corners = skin[Delaunay(points[skin, :2]).simplices]
    upper, lower = (np.isin(ids, lip) for lip in zip(*INNER_LIPS, strict=True))
    spans = upper[corners].any(axis=1) & lower[corners].any(axis=1)
    edges = np.concatenate([corners[~spans][:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    # On the hull, Delaunay joins landmarks that are far from each other.
    lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    return edges[lengths < 4 * np.median(lengths)]


def _along(ends: Float[np.ndarray, "edges 2 2"]) -> Float[np.ndarray, "dots 2"]:
    """Dots a pixel or less apart along every edge."""
    longest = np.abs(ends[:, 0] - ends[:, 1]).max(initial=1.0)
    share = np.linspace(0, 1, min(int(longest) + 2, 200))[:, None, None]
    return ((1 - share) * ends[:, 0] + share * ends[:, 1]).reshape(-1, 2)


def _paint(
    picture: UInt8[np.ndarray, "height width 3"],
    dots: Float[np.ndarray, "dots 2"],
    color: tuple[int, int, int],
    opacity: float,
) -> None:
    """Dots of one pixel, shared among the four pixels around each, blended over the picture."""
    height, width = picture.shape[:2]
    corner = np.floor(dots - 0.5).astype(int)
    part = dots - 0.5 - corner
    cover = np.zeros(height * width)
    for x in (0, 1):
        for y in (0, 1):
            at = corner + np.array([x, y])
            inside = ((at >= 0) & (at < [width, height])).all(axis=1)
            much = np.abs(1 - x - part[:, 0]) * np.abs(1 - y - part[:, 1])
            cover += np.bincount(
                at[inside, 1] * width + at[inside, 0], much[inside], height * width
            )
    touched = np.flatnonzero(cover)
    share = opacity * np.minimum(cover[touched], 1)[:, None]
    flat = picture.reshape(-1, 3)
    flat[touched] = (1 - share) * flat[touched] + share * np.array(color)


def _strip(capture: Capture, width: int) -> UInt8[np.ndarray, "rows width 3"]:
    frame = np.linspace(0, len(capture.confidence) - 1, width).round().astype(int)
    share = capture.confidence[frame, None]
    return np.tile(((1 - share) * _BAD + share * _GOOD).astype(np.uint8), (_STRIP, 1, 1))


def _shown(
    video: Path, landmarks: Landmarks, count: int, fps: float, longest: int
) -> Iterator[tuple[int, np.ndarray]]:
    """The picture at the start of each frame, and its index among the landmarks; -1 for none."""
    source = enumerate(pictures(video, longest, landmarks.turn))
    index, now = next(source)
    upcoming = next(source, None)
    blank = np.zeros_like(now.pixels)
    for frame in range(count):
        # Times in files are rounded; a hair must not choose the picture before.
        time = frame / fps + 1e-3
        while upcoming is not None and upcoming[1].time <= time:
            index, now = upcoming
            upcoming = next(source, None)
        yield (index, now.pixels) if now.time <= time else (-1, blank)


def _part(landmarks: Landmarks) -> Float[np.ndarray, " 4"]:
    """Left, top, right and bottom of what is shown: wherever the face is, and some around it."""
    seen = landmarks.points[landmarks.seen][..., :2].astype(np.float64)
    low, high = seen.min(axis=(0, 1)), seen.max(axis=(0, 1))
    margin = _AROUND * np.median(np.ptp(seen, axis=1), axis=0).max()
    return np.concatenate([np.maximum(low - margin, 0), np.minimum(high + margin, landmarks.size)])


def _cut(
    pixels: UInt8[np.ndarray, "_ _ 3"], part: Float[np.ndarray, " 4"], size: tuple[int, int]
) -> UInt8[np.ndarray, "height width 3"]:
    """A part of a picture at another size.

    Args:
        part: Left, top, right and bottom, in units of the picture's longer side.
    """
    from PIL import Image

    left, top, right, bottom = part * max(pixels.shape)
    box = left, top, min(right, pixels.shape[1]), min(bottom, pixels.shape[0])
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, box=box))


def _poses(head: Head, motion: Motion) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Vertices without head pose, and the head's turn, of each frame."""
    for start in range(0, motion.num_frames, _CHUNK):
        chunk = motion.replace(values=motion.values[start : start + _CHUNK])
        yield from zip(head.vertices(chunk, head_pose=False), chunk.group("head"), strict=True)


def _sound(video: Path) -> Sound | None:
    if not video_facts(video).sound:
        return None
    from kinevox.audio.read import channel_blocks

    blocks = _readable(channel_blocks(video), video.name)
    first = next(blocks, None)
    return None if first is None else Sound(48_000, chain([first], blocks))


def _readable(blocks: Iterator[np.ndarray], name: str) -> Iterator[np.ndarray]:
    """Sound up to where it is damaged."""
    try:
        yield from blocks
    except AudioError as error:
        _log.warning("The sound of the preview of %s is incomplete: %s", name, error)
