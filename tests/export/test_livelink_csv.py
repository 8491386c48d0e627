"""Live Link Face CSV: the exact layout, and every deviation seen in the wild."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_head, toy_motion

from kinevox import arkit
from kinevox.errors import MotionError
from kinevox.export import Animation, read_motion, write
from kinevox.export.livelink_csv import HEADER
from kinevox.motion import Motion


def _written(path: Path, motion: Motion) -> list[list[str]]:
    write(Animation(motion, toy_head), path)
    with path.open(newline="") as file:
        return list(csv.reader(file))


def _take(path: Path, timecodes: list[str], **columns: list[float]) -> Path:
    """A take with some columns by name; the others are zero."""
    rows = [",".join(HEADER)]
    for i, timecode in enumerate(timecodes):
        values = (columns.get(name, [0.0] * len(timecodes))[i] for name in HEADER[2:])
        rows.append(",".join([timecode, "61", *map(str, values)]))
    path.write_text("\r\n".join(rows))
    return path


def test_header_and_rows_are_those_of_the_app(tmp_path: Path):
    header, *rows = _written(tmp_path / "a.csv", toy_motion(frames=30, fps=30))
    assert len(header) == 63
    assert header[:4] == ["Timecode", "BlendshapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert header[-10:-6] == ["TongueOut", "HeadYaw", "HeadPitch", "HeadRoll"]
    assert header[-1] == "RightEyeRoll"
    assert len(rows) == 30
    assert all(len(row) == 63 and row[1] == "61" for row in rows)


def test_timecode_counts_a_60_per_second_clock(tmp_path: Path):
    _, *rows = _written(tmp_path / "a.csv", toy_motion(frames=26, fps=25))
    assert [rows[i][0] for i in (0, 1, 24, 25)] == [
        "00:00:00:00.000",
        "00:00:00:02.400",
        "00:00:00:57.600",
        "00:00:01:00.000",
    ]


def test_signs_of_head_and_eyes(tmp_path: Path):
    still = Motion(np.zeros((1, 55), np.float32))
    to_left = still.with_channels(head_y=0.2, eyeLookOutLeft=1.0, eyeLookInRight=0.5)
    down = still.with_channels(head_x=0.1, eyeLookDownLeft=1.0, eyeLookUpRight=1.0)
    crown_to_right = still.with_channels(head_z=0.3)
    rows = [
        dict(zip(HEADER, _written(tmp_path / "a.csv", m)[1], strict=True))
        for m in (to_left, down, crown_to_right)
    ]
    full = arkit.EYE_LOOK_RADIANS
    assert float(rows[0]["HeadYaw"]) == pytest.approx(-0.2)
    assert float(rows[0]["LeftEyeYaw"]) == pytest.approx(-full)
    assert float(rows[0]["RightEyeYaw"]) == pytest.approx(-full / 2)
    assert float(rows[1]["HeadPitch"]) == pytest.approx(0.1)
    assert float(rows[1]["LeftEyePitch"]) == pytest.approx(full)
    assert float(rows[1]["RightEyePitch"]) == pytest.approx(-full)
    assert float(rows[2]["HeadRoll"]) == pytest.approx(-0.3)


def test_a_60_hz_take_with_a_device_start_time(tmp_path: Path):
    codes = [f"19:16:29:{35 + i}.{273 + i}" for i in range(20)]
    take = read_motion(_take(tmp_path / "a.csv", codes, JawOpen=[i / 20 for i in range(20)]))
    assert take.fps == pytest.approx(60, rel=2e-3)
    assert take.num_frames == 20
    assert take["jawOpen"] == pytest.approx(np.arange(20) / 20, abs=1e-3)


def test_time_comes_from_the_timecode_not_from_the_row(tmp_path: Path):
    """30 rows a second step the 60-per-second clock by two."""
    codes = [f"10:00:{i // 30:02}:{i % 30 * 2:02}.000" for i in range(60)]
    take = read_motion(_take(tmp_path / "a.csv", codes))
    assert (take.fps, take.num_frames) == (30, 60)


def test_dropped_rows_are_bridged(tmp_path: Path):
    kept = [i for i in range(40) if i not in (7, 8, 20)]
    codes = [f"10:00:00:{i:02}.000" for i in kept]
    ramp = [i / 40 for i in kept]
    take = read_motion(_take(tmp_path / "a.csv", codes, JawOpen=ramp, HeadYaw=ramp))
    assert (take.fps, take.num_frames) == (60, 40)
    assert take["jawOpen"] == pytest.approx(np.arange(40) / 40, abs=1e-6)
    assert take["head_y"] == pytest.approx(-np.arange(40) / 40, abs=1e-6)


def test_milliseconds_after_the_dot(tmp_path: Path):
    codes = [f"00:00:{i // 60:02}:{i % 60:02}.{i % 60 * 1000 // 60:03}" for i in range(90)]
    take = read_motion(_take(tmp_path / "a.csv", codes))
    assert take.fps == 60
    assert take.num_frames == 90


def test_midnight_passes(tmp_path: Path):
    codes = ["23:59:59:58.000", "23:59:59:59.000", "00:00:00:00.000", "00:00:00:01.000"]
    take = read_motion(_take(tmp_path / "a.csv", codes))
    assert (take.fps, take.num_frames) == (60, 4)


def test_repeated_rows_count_once(tmp_path: Path):
    codes = ["01:00:00:00.000", "01:00:00:01.000", "01:00:00:01.000", "01:00:00:02.000"]
    take = read_motion(_take(tmp_path / "a.csv", codes, JawOpen=[0, 0.1, 0.9, 0.2]))
    assert take["jawOpen"] == pytest.approx([0, 0.1, 0.2], abs=1e-6)


def test_columns_are_found_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Other order and case, emotions at the end, 51 curves, a byte order mark."""
    motion = toy_motion(frames=10, fps=60)
    header, *rows = _written(tmp_path / "a.csv", motion)
    dropped = header.index("TongueOut")
    order = [i for i in np.random.default_rng(1).permutation(len(header)) if i != dropped]
    lines = [[header[i].swapcase() for i in order] + ["Angry", "Sad"]]
    lines += [[row[i] for i in order] + ["0.5", "oops"] for row in rows]
    (tmp_path / "b.csv").write_text("\n".join(map(",".join, lines)), encoding="utf-8-sig")
    with caplog.at_level(logging.WARNING):
        back = read_motion(tmp_path / "b.csv")
    expected = motion.with_channels(tongueOut=0.0)
    assert back.values == pytest.approx(expected.values, abs=1e-6)
    assert "lacks 1 of ARKit's 52 curves; they stay at 0: tongueOut" in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("00:00:00:01.000", "yesterday", r"line 3: timecode 'yesterday' is not HH:MM:SS:FF\.fff"),
        ("00:00:00:02.000", "00:00:00:00.500", r"line 4: timecode 00:00:00:00\.500 lies before"),
        (",61,0.1", ",61,nan", "line 3: 'nan' in EyeBlinkLeft is not a number"),
        (",61,0.1", ",61,abc", "line 3: 'abc' in EyeBlinkLeft is not a number"),
        (",61,0.1", ",61", "line 3: 62 values, but the header names 63"),
        ("Timecode", "Time", "no column 'Timecode' in line 1"),
        ("00:00:00:02.000", "09:00:00:02.000", "no usable frame rate"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path: Path, old: str, new: str, message: str):
    codes = ["00:00:00:00.000", "00:00:00:01.000", "00:00:00:02.000"]
    path = _take(tmp_path / "a.csv", codes, EyeBlinkLeft=[0.0, 0.1, 0.2])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(MotionError, match=message):
        read_motion(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\xff\xfe\x00binary\x00",
        b"Timecode,JawOpen\n",
        b"Timecode\n00:00:00:00.0\n",
        b'Timecode,JawOpen\n"' + b"x" * 200_000,
        b"a,b\0c\n",
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(MotionError, match=r"a\.csv"):
        read_motion(tmp_path / "a.csv")


def test_the_curves_of_the_header_are_apples(tmp_path: Path):
    assert tuple(arkit.find_name(name) for name in HEADER[2:54]) == arkit.NAMES
