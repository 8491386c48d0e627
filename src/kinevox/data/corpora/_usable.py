"""Which parts of a captured video are fit to learn from, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from kinevox import rotation
from kinevox.capture import Capture
from kinevox.data.check import SILENT_DB
from kinevox.phones import SILENCE, Phones
from kinevox.speech import Speech

FACE_SHARE = 0.5
"""The face is seen in at least this share of the frames."""
CONFIDENCE = 0.4
"""Frames below are not used, nor videos whose frames with a face are below on average."""
FACE_PIXELS = 40.0
"""Smaller faces show too little of their lips; distance of the outer corners of the eyes."""
SIDE = np.radians(45.0)
"""A head turned further away from the camera hides half of its lips."""
BRIDGED = 0.2
"""Losses up to this long are bridged, as the capture does [s]."""
SHORTEST, LONGEST = 2.0, 12.0
"""Length of a clip [s]."""
FEWEST_PHONES = 6
"""A clip with fewer is no speech."""
STILL = 2e-4
"""Lips whose opening varies less (standard deviation) do not speak [m]."""
_PAUSE = 0.12
"""Long videos are cut in pauses of at least this length [s]."""


@dataclass(frozen=True)
class Span:
    """Frames [start, stop) of a capture."""

    start: int
    stop: int
    reason: str = ""
    """Why it is dropped; empty if it is not."""


def why_not(capture: Capture, opening: Float[np.ndarray, " frames"], speech: Speech) -> str:
    """What is wrong with a whole video; empty if nothing is.

    Args:
        opening: Gap of the inner lips [m].
    """
    seen = np.isfinite(capture.face_pixels)
    reasons = []
    if seen.mean() < FACE_SHARE:
        return f"a face in {seen.mean():.0%} of the frames, at least {FACE_SHARE:.0%} needed"
    confidence = float(capture.confidence[seen].mean())
    if confidence < CONFIDENCE:
        reasons.append(f"confidence {confidence:.2f}, at least {CONFIDENCE:g} needed")
    size = float(np.median(capture.face_pixels[seen]))
    if size < FACE_PIXELS:
        reasons.append(f"{size:.0f} pixels between the eyes, at least {FACE_PIXELS:g} needed")
    turned = float(np.median(_turned(capture)[seen]))
    if turned > SIDE:
        reasons.append(
            f"seen from the side ({np.degrees(turned):.0f} degrees, at most "
            f"{np.degrees(SIDE):.0f} allowed)"
        )
    if opening[seen].std() < STILL:
        reasons.append("the lips do not move")
    peak = 20 * np.log10(np.abs(speech.samples).max() + 1e-9)
    if peak < SILENT_DB:
        reasons.append(f"silent (peak {peak:.0f} dB)")
    return "; ".join(reasons)


def spans(capture: Capture, phones: Phones, lag: float) -> Iterator[Span]:
    """Clips of a video, and stretches that cannot be clips, in order.

    Args:
        phones: Of the whole sound.
        lag: How late the sound is [s].
    """
    fps = capture.motion.fps
    first = max(int(np.ceil(-lag * fps - 1e-6)), 0)
    last = min(int((phones.seconds - lag) * fps + 1e-6), capture.motion.num_frames)
    usable = _bridged((capture.confidence >= CONFIDENCE) & (_turned(capture) <= SIDE), fps)
    for shot in capture.shots:
        start, stop = max(shot.start, first), min(shot.stop, last)
        for good, run_start, run_stop in _runs(usable[start:stop]):
            begin, end = start + run_start, start + run_stop
            if not good:
                yield Span(begin, end, "no face, or not seen well enough")
                continue
            for a, b in _cut(begin, end, phones, lag, fps):
                yield Span(a, b, _why_no_clip(a, b, phones, lag, fps))


def _why_no_clip(start: int, stop: int, phones: Phones, lag: float, fps: float) -> str:
    if (stop - start) / fps < SHORTEST:
        return f"a stretch of {(stop - start) / fps:.1f} s, at least {SHORTEST:g} s needed"
    inside = (phones.ends > start / fps + lag) & (phones.starts < stop / fps + lag)
    spoken = sum(phones.labels[i] != SILENCE for i in np.flatnonzero(inside))
    return f"{spoken} phones, at least {FEWEST_PHONES} needed" if spoken < FEWEST_PHONES else ""


def _turned(capture: Capture) -> Float[np.ndarray, " frames"]:
    """Angle between the head's nose and the line to the camera [rad]; infinite without a face."""
    forward = rotation.matrix_from_axis_angle(capture.motion.group("head").astype(float))[..., 2]
    to_camera = -capture.translation
    cosine = (forward * to_camera).sum(axis=-1) / np.linalg.norm(to_camera, axis=-1)
    known = np.isfinite(capture.face_pixels)
    return np.where(known, np.arccos(np.clip(cosine, -1, 1)), np.inf)


def _bridged(usable: Bool[np.ndarray, " frames"], fps: float) -> Bool[np.ndarray, " frames"]:
    """Short losses between usable frames count as usable."""
    bridged = usable.copy()
    for good, start, stop in _runs(usable):
        if not good and 0 < start and stop < len(usable) and (stop - start) / fps <= BRIDGED:
            bridged[start:stop] = True
    return bridged


def _runs(values: Bool[np.ndarray, " frames"]) -> Iterator[tuple[bool, int, int]]:
    """Value, start and stop of each run of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    for start, stop in zip([0, *edges], [*edges, len(values)], strict=True):
        if stop > start:
            yield bool(values[start]), int(start), int(stop)


def _cut(
    start: int, stop: int, phones: Phones, lag: float, fps: float
) -> Iterator[tuple[int, int]]:
    """A stretch in clips of at most `LONGEST`, cut in its pauses where it has any."""
    middles = ((phones.starts + phones.ends) / 2 - lag) * fps
    lengths = phones.ends - phones.starts
    silent = np.array([label == SILENCE for label in phones.labels], dtype=bool)
    while (stop - start) / fps > LONGEST:
        longest = start + int(LONGEST * fps)
        # What is left must be enough for a clip as well.
        latest = min(longest, stop - int(SHORTEST * fps))
        inside = (middles > start + SHORTEST * fps) & (middles < latest)
        pauses = np.flatnonzero(inside & silent & (lengths >= _PAUSE))
        if len(pauses):
            # The longest pause of the later half, if there is one there.
            late = pauses[middles[pauses] > (start + latest) / 2]
            chosen = late if len(late) else pauses
            at = int(middles[chosen[lengths[chosen].argmax()]])
        else:
            at = latest
        yield start, at
        start = at
    yield start, stop
