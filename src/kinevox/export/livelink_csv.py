"""Live Link Face CSV: 52 curves and 9 angles per row, as Epic's iPhone app records them.

Time: `Timecode` is HH:MM:SS:FF.fff, where FF counts frames of a clock that ticks 60 times a
second and `.fff` is a fraction of such a frame, whatever the frame rate of the rows. A written
file starts at zero, so it lines up with the wav of the same name.

Angles are in radians. No document states the unit; in device takes the eye columns are 0.611
times the `eyeLook` weights of the same row, which is 35 degrees in radians, and kinevox takes
the head columns to share that unit. Signs follow Epic's ARKit plugin, seen with the left and
right of the curves: yaw is positive towards the character's right, pitch is positive down, roll
is positive when the crown tilts towards the character's left, so (yaw, pitch, roll) here is
(-yaw, pitch, -roll) of `rotation.yaw_pitch_roll`.

Gaze travels twice, as `eyeLook` curves and as eye angles; the angles are derived on writing and
ignored on reading. Weights are written as they are: device files leave [0, 1] too.
"""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox import arkit, rotation
from kinevox.arkit import EYE_LOOK_RADIANS
from kinevox.errors import MotionError
from kinevox.export._base import Animation, Exporter
from kinevox.export._clock import steady
from kinevox.export._curves import arkit_motion, known_curves, require_arkit
from kinevox.export._sound import write_sound
from kinevox.files import written_whole
from kinevox.motion import Motion
from kinevox.timebase import exact_fps

CLOCK = 60
"""Frames of the timecode per second."""

_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
_EYES = tuple(f"{side}Eye{axis}" for side in ("Left", "Right") for axis in ("Yaw", "Pitch", "Roll"))
HEADER = (
    "Timecode",
    "BlendshapeCount",
    *(name[0].upper() + name[1:] for name in arkit.NAMES),
    *_HEAD,
    *_EYES,
)

_SIGNS = np.array([-1.0, 1.0, -1.0])
_TIMECODE = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})[:;](\d{1,3})(?:\.(\d{1,9}))?")
_DAY = 24 * 3600


def write(animation: Animation, path: Path) -> None:
    """Writes the curves, and the sound beside them under the same base name."""
    motion = animation.motion
    require_arkit(motion, "A Live Link Face CSV")
    weights = motion.values[:, [motion.layout.index(name) for name in arkit.NAMES]]
    head = rotation.yaw_pitch_roll(motion.group("head").astype(np.float64)) * _SIGNS
    # Adding zero turns -0 into 0.
    rows = np.round(np.concatenate([weights, head, _eye_angles(motion)], axis=1), 10) + 0.0
    count = str(rows.shape[1])
    numbers = ",".join(["%.10f"] * rows.shape[1])
    with written_whole(path) as temporary:
        with temporary.open("w", encoding="ascii", newline="") as file:
            file.write(",".join(HEADER) + "\r\n")
            for frame, row in enumerate(rows):
                time = Fraction(frame) / exact_fps(motion.fps)
                file.write(f"{_timecode(time)},{count},{numbers % tuple(row)}\r\n")
        write_sound(animation.speech, path, EXPORTER.suffixes)


def read(path: Path) -> Motion:
    """Reads files of the app and of those who imitate it: columns by name, time from timecodes.

    Missing curves rest at 0 with a warning; unknown columns are ignored. Dropped and irregular
    rows are resampled onto a steady rate.

    Raises:
        MotionError: not such a file; the message names the line.
    """
    spellings, lines, timecodes, cells = _table(path)
    seconds = _seconds(timecodes, lines, path)
    # Takes sometimes repeat a row; the first one stands.
    fresh = np.diff(seconds, prepend=-np.inf) > 0
    seconds, cells = seconds[fresh], cells[fresh]

    lower = [name.lower() for name in spellings]
    angles = np.zeros((len(cells), 3))
    for axis, name in enumerate(_HEAD):
        if name.lower() in lower:
            angles[:, axis] = cells[:, lower.index(name.lower())]
    head = rotation.axis_angle_from_yaw_pitch_roll(angles * _SIGNS)
    turns = rotation.quaternion_from_axis_angle(head)
    fps, weights, turns = steady(seconds, cells, turns, default_fps=CLOCK)
    head = rotation.axis_angle_from_quaternion(turns)
    return arkit_motion(known_curves(spellings), weights, head, fps, path)


def _timecode(time: Fraction) -> str:
    thousandths = round(time * CLOCK * 1000)
    frames, thousandths = divmod(thousandths, 1000)
    seconds, frames = divmod(frames, CLOCK)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours % 24:02}:{minutes:02}:{seconds:02}:{frames:02}.{thousandths:03}"


def _eye_angles(motion: Motion) -> Float[np.ndarray, "frames 6"]:
    """Yaw, pitch and roll of the left, then the right eye, from the `eyeLook` weights."""
    right_of_left_eye = motion["eyeLookInLeft"] - motion["eyeLookOutLeft"]
    right_of_right_eye = motion["eyeLookOutRight"] - motion["eyeLookInRight"]
    angles = np.zeros((motion.num_frames, 6))
    angles[:, 0] = right_of_left_eye
    angles[:, 1] = motion["eyeLookDownLeft"] - motion["eyeLookUpLeft"]
    angles[:, 3] = right_of_right_eye
    angles[:, 4] = motion["eyeLookDownRight"] - motion["eyeLookUpRight"]
    return EYE_LOOK_RADIANS * angles


def _table(
    path: Path,
) -> tuple[list[str], list[int], list[str], Float[np.ndarray, "rows columns"]]:
    """Names of the curves and head angles; line, timecode and those numbers of each row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(line, row) for line, row in enumerate(csv.reader(file), 1) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MotionError(f"{path.name} cannot be read as CSV text: {error}.") from error
    if not rows:
        raise MotionError(f"{path.name} is empty; expected a Live Link Face CSV.")
    names = [name.strip() for name in rows[0][1]]
    clock = next((i for i, name in enumerate(names) if name.lower() == "timecode"), None)
    if clock is None:
        raise MotionError(
            f"{path.name} has no column 'Timecode' in line {rows[0][0]}, which begins "
            f"'{','.join(rows[0][1])[:60]}'. Expected the header of a Live Link Face CSV."
        )
    angles = {name.lower() for name in _HEAD}
    wanted = [i for i, name in enumerate(names) if arkit.find_name(name) or name.lower() in angles]
    lines, timecodes, cells = [], [], []
    for line, row in rows[1:]:
        if len(row) != len(names):
            raise MotionError(
                f"{path.name}, line {line}: {len(row)} values, but the header names {len(names)}."
            )
        lines.append(line)
        timecodes.append(row[clock].strip())
        cells.append([_number(row[i]) for i in wanted])
    if not cells:
        raise MotionError(f"{path.name} has a header but no rows.")
    numbers = np.array(cells, dtype=np.float64).reshape(len(cells), -1)
    bad = np.argwhere(~np.isfinite(numbers))
    if bad.size:
        row, column = bad[0]
        text = rows[1 + row][1][wanted[column]]
        raise MotionError(
            f"{path.name}, line {lines[row]}: '{text[:40]}' in {names[wanted[column]]} "
            "is not a number."
        )
    return [names[i] for i in wanted], lines, timecodes, numbers


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _seconds(timecodes: list[str], lines: list[int], path: Path) -> Float[np.ndarray, " rows"]:
    """Time of each row since the first midnight [s]."""
    clock = np.zeros((len(timecodes), 3))
    for i, (text, line) in enumerate(zip(timecodes, lines, strict=True)):
        match = _TIMECODE.fullmatch(text)
        if match is None:
            raise MotionError(
                f"{path.name}, line {line}: timecode '{text[:40]}' is not HH:MM:SS:FF.fff."
            )
        hours, minutes, seconds, frames = (int(part) for part in match.groups()[:4])
        clock[i] = (hours * 60 + minutes) * 60 + seconds, frames, float(f"0.{match[5] or 0}")
    seconds, frames, fraction = clock.T
    # Some writers put the milliseconds of the second after the dot, so that both parts state the
    # same thing. A true fraction of a frame has nothing to do with the frame's number.
    in_frames = fraction * CLOCK
    if np.all((in_frames > frames - 0.1) & (in_frames < frames + 1.1)):
        times = seconds + fraction
    else:
        times = seconds + (frames + fraction) / CLOCK
    times += _DAY * np.cumsum(np.diff(times, prepend=times[0]) < -_DAY / 2)
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size:
        i = int(back[0]) + 1
        raise MotionError(
            f"{path.name}, line {lines[i]}: timecode {timecodes[i]} lies before {timecodes[i - 1]}."
        )
    return times


EXPORTER = Exporter(
    suffixes=(".csv",),
    summary="Live Link Face CSV: 52 ARKit curves, head and eye angles (Unreal, Faceit, Maya)",
    write=write,
    read=read,
)
