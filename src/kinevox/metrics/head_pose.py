"""Head pose: does the head move with the voice, like the reference, and as much?

Rotations are axis-angle [rad]; differences are geodesic, the angle of the one rotation that leads
from one to the other. Angles are reported in degrees, and yaw, pitch and roll as in
`rotation.yaw_pitch_roll`. Blinks are counted here too, as the other slow companion of speech.

A beat of the head is a local minimum of its angular speed: it ends one movement and begins the
next. Beat alignment asks how near a head beat lies to each beat of something else: of the voice
(times of accents, as SadTalker pairs them) or of the reference's head. Which of the two stands
in DiffPoseTalk's table could not be verified, so both are here under their own names. A head with
many beats is near everything by chance, and one that trembles is nearest: what alignment owes to
timing is its excess over the same beats shifted in time.

Source: beat alignment of Siyao et al. 2022 (Bailando), with sigma of 3 frames at 25 fps.

Metrics: `beat_alignment_audio`, `beat_alignment_reference`, for each of them `*_excess`,
`head_beats_per_second`, `head_error_deg`, `head_dynamics_deg`, `head_dynamics_absolute_deg`,
`head_motion_deg`, `blinks_per_minute`, and for yaw, pitch and roll each `head_*_std_deg` and
`head_*_range_deg`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from jaxtyping import Float

from kinevox import rotation
from kinevox.errors import ConfigError
from kinevox.metrics._base import Metric, validate_pair
from kinevox.motion import ARKIT, Motion
from kinevox.timebase import exact_fps

SIGMA = 3 / 25
"""Width of beat alignment's bell [s]."""
SHIFTS = 32
"""Shifts in time that chance is averaged over."""
MIN_DIP = np.radians(0.5)
"""Shallower minima of angular speed are rounding, not beats [rad/s]."""
SHUT, OPEN = 0.4, 0.25
"""A blink begins when both lids together pass the first weight, and is over below the second."""
AXES = ("yaw", "pitch", "roll")

METRICS = (
    Metric(
        "beat_alignment_audio",
        "Beat alignment to the voice",
        "1",
        "higher",
        "For each beat of the voice the nearest beat of the predicted head, seen through a bell "
        "of sigma 0.12 s (3 frames at 25 fps), averaged over the voice's beats. Head beats are "
        "local minima of unsmoothed angular speed, at least 0.5 deg/s deep (prominence); the speed "
        "between frames t and t + 1 counts at t + 1/2. 0 when the head has no beats.",
        "mean_b exp(-min_h (b - h)^2 / (2 sigma^2))",
        "Siyao et al. 2022 (Bailando); with audio beats as in Zhang et al. 2023 (SadTalker)",
    ),
    Metric(
        "beat_alignment_reference",
        "Beat alignment to the reference",
        "1",
        "higher",
        "As `beat_alignment_audio`, for each head beat of the reference.",
        "mean_b exp(-min_h (b - h)^2 / (2 sigma^2))",
    ),
    *(
        Metric(
            f"beat_alignment_{beats}_excess",
            f"Beat alignment to the {other} above chance",
            "1",
            "higher",
            f"`beat_alignment_{beats}` minus its mean when the head's beats are shifted in time, "
            "circularly, by 1/32 to 31/32 of the clip. 0: no better than at any other time.",
            "BA(b, h) - mean_{k=1..31} BA(b, (h + k T / 32) mod T)",
        )
        for beats, other in (("audio", "voice"), ("reference", "reference"))
    ),
    Metric(
        "head_beats_per_second",
        "Head beats per second",
        "1/s",
        "closer",
        "Local minima of the head's angular speed in a second.",
    ),
    Metric(
        "head_error_deg",
        "Head angular error",
        "deg",
        "lower",
        "Angle between the rotations of reference and prediction, averaged over frames.",
        "mean_t angle(r_t^-1 p_t)",
    ),
    Metric(
        "head_dynamics_deg",
        "Head dynamics deviation",
        "deg",
        "closer",
        "The formula of `fdd` on rotations: standard deviation over time of the angle from "
        "straight ahead, reference minus prediction. Positive: too still.",
        "std_t angle(r_t) - std_t angle(p_t)",
        target=0.0,
    ),
    Metric(
        "head_dynamics_absolute_deg",
        "Head dynamics deviation, absolute",
        "deg",
        "lower",
        "Absolute value of `head_dynamics_deg`, clip by clip.",
        "|std_t angle(r_t) - std_t angle(p_t)|",
    ),
    Metric(
        "head_motion_deg",
        "Head motion",
        "deg",
        "closer",
        "Standard deviation over time of the angle from straight ahead: what `head_dynamics_deg` "
        "is a part of.",
        "std_t angle(p_t)",
    ),
    *(
        Metric(
            f"head_{axis}_std_deg",
            f"Standard deviation of {axis}",
            "deg",
            "closer",
            f"Standard deviation over time of the predicted {axis}.",
        )
        for axis in AXES
    ),
    *(
        Metric(
            f"head_{axis}_range_deg",
            f"Range of {axis}",
            "deg",
            "closer",
            f"Largest minus smallest predicted {axis} of the clip.",
        )
        for axis in AXES
    ),
    Metric(
        "blinks_per_minute",
        "Blinks per minute",
        "1/min",
        "closer",
        "Times the mean of both `eyeBlink` weights rises to 0.4 having been below 0.25 since the "
        "last time; eyes that are shut when the clip starts do not count. Layout arkit only.",
    ),
)


def validate(reference: Motion, predicted: Motion, audio_beats: Collection[float] = ()) -> None:
    """The motions can be compared and the beats are times.

    Raises:
        MotionError: layouts, frame rates or lengths differ.
        ConfigError: beats are not finite or lie before the start or long after the end.
    """
    validate_pair(reference, predicted)
    beats = np.array([*audio_beats], dtype=np.float64)
    wrong = beats[~((beats >= 0) & (beats <= predicted.seconds + 1.0))]
    if len(wrong):
        raise ConfigError(
            f"{len(wrong)} beats lie outside the clip of {predicted.seconds:.2f} s, the first at "
            f"{wrong[0]:.2f}. Give times in seconds from the start of the clip."
        )


def angular_speed(
    head: Float[np.ndarray, "frames 3"], fps: float
) -> Float[np.ndarray, " frames-1"]:
    """Speed between neighboring frames [rad/s]."""
    return _angle_between(head[:-1], head[1:]) * float(exact_fps(fps))


def head_beats(head: Float[np.ndarray, "frames 3"], fps: float) -> Float[np.ndarray, " beats"]:
    """Times of the local minima of angular speed [s]; of a flat minimum its middle."""
    from scipy.signal import find_peaks

    minima, _ = find_peaks(-angular_speed(head, fps), prominence=MIN_DIP)
    return (minima + 0.5) / float(exact_fps(fps))


def beat_alignment(
    beats: Float[np.ndarray, " beats"], head_beats: Float[np.ndarray, " head_beats"]
) -> float:
    """How near a head beat lies to each of the given beats; NaN when none are given."""
    if not len(beats):
        return np.nan
    # Sentinels far away spare the ends, and a head without beats, a case of their own.
    sentinels = np.concatenate([[-np.inf], np.sort(head_beats), [np.inf]])
    after = np.searchsorted(sentinels, beats)
    nearest = np.minimum(beats - sentinels[after - 1], sentinels[after] - beats)
    return float(np.exp(-(nearest**2) / (2 * SIGMA**2)).mean())


def beat_alignment_excess(
    beats: Float[np.ndarray, " beats"],
    head_beats: Float[np.ndarray, " head_beats"],
    seconds: float,
) -> float:
    """`beat_alignment` above its mean over circular shifts of the head's beats in the clip."""
    shifted = [(head_beats + k * seconds / SHIFTS) % seconds for k in range(1, SHIFTS)]
    chance = np.mean([beat_alignment(beats, others) for others in shifted])
    return beat_alignment(beats, head_beats) - float(chance)


def head_error_deg(
    reference: Float[np.ndarray, "frames 3"], predicted: Float[np.ndarray, "frames 3"]
) -> float:
    """Mean angle between rotations."""
    return float(np.degrees(_angle_between(reference, predicted)).mean())


def head_dynamics_deg(
    reference: Float[np.ndarray, "frames 3"], predicted: Float[np.ndarray, "frames 3"]
) -> float:
    """Difference of the standard deviations of the angle from straight ahead."""
    return head_motion_deg(reference) - head_motion_deg(predicted)


def head_motion_deg(head: Float[np.ndarray, "frames 3"]) -> float:
    """Standard deviation of the angle from straight ahead."""
    return float(np.degrees(_angle_between(np.zeros((1, 3)), head)).std())


def yaw_pitch_roll_deg(head: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 3"]:
    """Head angles, continuous over time."""
    angles = rotation.yaw_pitch_roll(head.astype(np.float64))
    return np.degrees(np.unwrap(angles, axis=0))


def blink_frames(lids: Float[np.ndarray, " frames"]) -> list[int]:
    """Frames in which blinks begin, from how far both lids are shut (0 open, 1 shut)."""
    begins, ready = [], bool(len(lids)) and lids[0] < SHUT
    for frame, shut in enumerate(lids.tolist()):
        if ready and shut >= SHUT:
            begins.append(frame)
            ready = False
        elif shut < OPEN:
            ready = True
    return begins


def blinks_per_minute(motion: Motion) -> float:
    """Blinks of a motion; NaN for layouts without ARKit's lids."""
    if motion.layout != ARKIT:
        return np.nan
    lids = (motion["eyeBlinkLeft"] + motion["eyeBlinkRight"]) / 2
    return 60 * len(blink_frames(lids)) / motion.seconds


def evaluate(
    reference: Motion, predicted: Motion, audio_beats: Collection[float] = ()
) -> dict[str, float]:
    """All head metrics of one clip; NaN where a clip has nothing to measure.

    Args:
        audio_beats: Times of the voice's accents [s], e.g. of `analyze_prosody(...).accents`;
            without them alignment to the voice is NaN.
    """
    validate(reference, predicted, audio_beats)
    r, p = (motion.group("head").astype(np.float64) for motion in (reference, predicted))
    beats, seconds = head_beats(p, predicted.fps), predicted.seconds
    nods = head_beats(r, reference.fps)
    voice = np.array([*audio_beats], dtype=np.float64)
    dynamics = head_dynamics_deg(r, p)
    angles = yaw_pitch_roll_deg(p)
    return {
        "beat_alignment_audio": beat_alignment(voice, beats),
        "beat_alignment_reference": beat_alignment(nods, beats),
        "beat_alignment_audio_excess": beat_alignment_excess(voice, beats, seconds),
        "beat_alignment_reference_excess": beat_alignment_excess(nods, beats, seconds),
        "head_beats_per_second": len(beats) / seconds,
        "head_error_deg": head_error_deg(r, p),
        "head_dynamics_deg": dynamics,
        "head_dynamics_absolute_deg": abs(dynamics),
        "head_motion_deg": head_motion_deg(p),
        **{f"head_{axis}_std_deg": float(angles[:, i].std()) for i, axis in enumerate(AXES)},
        **{f"head_{axis}_range_deg": float(np.ptp(angles[:, i])) for i, axis in enumerate(AXES)},
        "blinks_per_minute": blinks_per_minute(predicted),
    }


def _angle_between(
    a: Float[np.ndarray, "*#frames 3"], b: Float[np.ndarray, "*#frames 3"]
) -> Float[np.ndarray, "*frames"]:
    """[rad], in [0, pi]."""
    turns = [rotation.quaternion_from_axis_angle(x.astype(np.float64)) for x in (a, b)]
    between = rotation.multiply(rotation.conjugate(turns[0]), turns[1])
    return np.linalg.norm(rotation.axis_angle_from_quaternion(between), axis=-1)
