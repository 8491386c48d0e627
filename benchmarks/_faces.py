"""How faces move while they speak, as distributions that real people and performers can share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kinevox.audio.prosody import analyze_prosody
from kinevox.heads import Head
from kinevox.metrics._vertices import mouth_opening, region_vertices
from kinevox.metrics.head_pose import AXES, angular_speed, blink_frames, yaw_pitch_roll_deg
from kinevox.motion import Motion

CLOSED_MM = 1.0
OPEN_MM = 2.0
"""Jaw and lips are compared while the mouth is open further."""


@dataclass(frozen=True)
class Measure:
    """One distribution."""

    name: str
    unit: str
    told: str
    """What is pooled."""


MEASURES = (
    Measure("aperture", "mm", "gap of the inner lips, frames of speech"),
    Measure("aperture, loudest half", "mm", "the same, the louder half of the frames of speech"),
    Measure("aperture speed", "mm/s", "absolute change of the gap, frames of speech"),
    Measure("closed share", "%", "frames of speech with a gap below 1 mm, of each clip"),
    Measure("aperture in pauses", "mm", "gap of the inner lips, frames of pauses"),
    Measure("jawOpen", "weight", "frames of speech"),
    Measure("jaw per lips", "weight/cm", "jawOpen by aperture, frames open further than 2 mm"),
    Measure("jaw follows lips", "r", "correlation of jawOpen and aperture over a clip"),
    Measure("mouth width", "mm", "distance of the corners, its range (5 to 95 %) in a clip"),
    Measure("mouth width speed", "mm/s", "absolute change of that distance, frames of speech"),
    Measure("blinks", "1/min", "of each clip"),
    Measure("blink depth", "weight", "highest mean eyeBlink of each blink"),
    Measure("blink duration", "ms", "time above half of its height, each blink"),
    Measure("blink closing", "share", "part of that time before the peak, each blink"),
    Measure("brows range", "weight", "browInnerUp minus browDown, 5 to 95 %, of each clip"),
    Measure("brows speed", "weight/s", "absolute change of it, all frames"),
    *(Measure(f"head {axis}", "deg", f"standard deviation of {axis} in a clip") for axis in AXES),
    Measure("head speed", "deg/s", "angular speed, all frames"),
    Measure("head below 1 Hz", "share", "of the power of angular velocity, each clip"),
    Measure("head 1 to 3 Hz", "share", "the same"),
    Measure("head above 3 Hz", "share", "the same; tracking noise lies here"),
)

Values = dict[str, np.ndarray]
"""Pooled values by name of the measure."""


def look(head: Head, motion: Motion, samples: np.ndarray) -> Values:
    """All measures of one clip."""
    fps = motion.fps
    prosody = analyze_prosody(samples)
    times = motion.times
    speech = np.ones(motion.num_frames, dtype=bool)
    for pause in prosody.pauses:
        speech[(times >= pause.start) & (times < pause.end)] = False
    loud = np.interp(times, prosody.times, prosody.loudness)
    loud_half = speech & (loud >= np.median(loud[speech])) if speech.any() else speech
    gap = 1e3 * mouth_opening(head, motion)
    width = 1e3 * _mouth_width(head, motion)
    jaw = motion["jawOpen"].astype(float)
    far = speech & (gap > OPEN_MM)
    lids = (motion["eyeBlinkLeft"] + motion["eyeBlinkRight"]).astype(float) / 2
    brows = motion["browInnerUp"] - (motion["browDownLeft"] + motion["browDownRight"]) / 2
    angles = yaw_pitch_roll_deg(motion.group("head"))
    blinks = [blink_shape(lids, at, fps) for at in blink_frames(lids)]
    return {
        "aperture": gap[speech],
        "aperture, loudest half": gap[loud_half],
        "aperture speed": fps * np.abs(np.diff(gap))[speech[1:]],
        "closed share": _some(100 * np.mean(gap[speech] < CLOSED_MM) if speech.any() else np.nan),
        "aperture in pauses": gap[~speech],
        "jawOpen": jaw[speech],
        "jaw per lips": 10 * jaw[far] / gap[far],
        "jaw follows lips": _some(_correlation(jaw, gap)),
        "mouth width": _some(_range(width)),
        "mouth width speed": fps * np.abs(np.diff(width))[speech[1:]],
        "blinks": _some(60 * len(blinks) / motion.seconds),
        "blink depth": np.array([b[0] for b in blinks]),
        "blink duration": np.array([1e3 * b[1] for b in blinks]),
        "blink closing": np.array([b[2] for b in blinks]),
        "brows range": _some(_range(brows)),
        "brows speed": fps * np.abs(np.diff(brows)),
        **{f"head {axis}": _some(angles[:, i].std()) for i, axis in enumerate(AXES)},
        "head speed": np.degrees(angular_speed(motion.group("head"), fps)),
        **_bands(angles, fps),
    }


def pooled(clips: Iterable[Values]) -> Values:
    """Values of many clips together."""
    rows = list(clips)
    return {m.name: np.concatenate([row[m.name] for row in rows]) for m in MEASURES}


def blink_shape(lids: np.ndarray, start: int, fps: float) -> tuple[float, float, float]:
    """Height of a blink, its time above half of that [s], and the part of it before the peak."""
    stop = min(start + round(0.6 * fps), len(lids))
    peak = start + int(lids[start:stop].argmax())
    half = lids[peak] / 2
    before = _crossing(lids[peak::-1], half)
    after = _crossing(lids[peak:], half)
    return float(lids[peak]), (before + after) / fps, before / max(before + after, 1e-9)


def _crossing(falling: np.ndarray, level: float) -> float:
    """Where a curve first falls below a level, in frames between frames."""
    below = np.flatnonzero(falling < level)
    if not len(below):
        return float(len(falling) - 1)
    i = int(below[0])
    return i - 1 + (falling[i - 1] - level) / (falling[i - 1] - falling[i])


def _mouth_width(head: Head, motion: Motion) -> np.ndarray:
    lips = head.regions.lips
    corners = lips[[head.template[lips][:, 0].argmax(), head.template[lips][:, 0].argmin()]]
    pair = region_vertices(head, motion, corners)
    return np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1)


def _bands(angles: np.ndarray, fps: float) -> Values:
    velocity = np.diff(angles, axis=0) * fps
    velocity = (velocity - velocity.mean(axis=0)) * np.hanning(len(velocity))[:, None]
    power = (np.abs(np.fft.rfft(velocity, axis=0)) ** 2).sum(axis=1)
    hertz = np.fft.rfftfreq(len(velocity), 1 / fps)
    total = power.sum() + 1e-12
    return {
        "head below 1 Hz": _some(power[hertz < 1].sum() / total),
        "head 1 to 3 Hz": _some(power[(hertz >= 1) & (hertz < 3)].sum() / total),
        "head above 3 Hz": _some(power[hertz >= 3].sum() / total),
    }


def _range(values: np.ndarray) -> float:
    low, high = np.percentile(values, [5, 95])
    return float(high - low)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-6 and b.std() > 1e-6 else np.nan


def _some(value: float) -> np.ndarray:
    """An array of one, or of none where there is nothing to tell."""
    return np.array([value]) if np.isfinite(value) else np.zeros(0)
