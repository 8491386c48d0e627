"""The suffix finds the format; where two share one, the content decides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_head, toy_motion

from kinevox.errors import MotionError, UnknownNameError
from kinevox.export import (
    EXPORTERS,
    Animation,
    exporter_for,
    holds_motion,
    read_motion,
    write,
)
from kinevox.motion import Motion, flame_layout
from kinevox.naming import plan_outputs


def test_no_two_formats_claim_one_suffix():
    suffixes = [suffix for _, part in EXPORTERS for suffix in part.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.glb", "glb"),
        ("a.b.GLB", "glb"),
        ("a.dense.glb", "glb"),
        ("a.usda", "usd"),
        ("take.csv", "livelink-csv"),
        ("a.json", "audio2face-json"),
        ("a.npz", "motion-npz"),
        ("a.flame.npz", "flame-npz"),
        ("flame.npz", "motion-npz"),
    ],
)
def test_the_longest_suffix_wins(file: str, name: str):
    assert exporter_for(Path(file))[0] == name


def test_an_unknown_suffix_names_the_nearest_and_all():
    with pytest.raises(UnknownNameError, match=r"'\.gbl'.*Did you mean '\.glb'.*\.csv.*\.npz"):
        exporter_for(Path("a.gbl"))
    with pytest.raises(UnknownNameError, match="'name'"):
        exporter_for(Path("name"))


def test_a_missing_file_and_a_picture_are_told_apart(tmp_path: Path):
    with pytest.raises(MotionError, match=r"There is no file .*gone\.npz"):
        read_motion(tmp_path / "gone.npz")
    (tmp_path / "a.usda").write_text("#usda 1.0")
    with pytest.raises(MotionError, match=r"cannot be read from format 'usd'.*\.csv"):
        read_motion(tmp_path / "a.usda")


def test_npz_files_are_known_by_what_they_hold(tmp_path: Path):
    flame = Motion(np.ones((4, 56), np.float32), layout=flame_layout(50))
    write(Animation(flame, toy_head), tmp_path / "a.flame.npz")
    (tmp_path / "a.flame.npz").rename(tmp_path / "a.npz")
    assert read_motion(tmp_path / "a.npz").layout.name == "flame"
    write(Animation(toy_motion(), toy_head), tmp_path / "b.npz")
    (tmp_path / "b.npz").rename(tmp_path / "b.flame.npz")
    assert read_motion(tmp_path / "b.flame.npz").layout.name == "arkit"


def test_refusals_name_the_command_that_converts(tmp_path: Path):
    with pytest.raises(MotionError, match=r"--source-head anny --head flame:FILE -o a\.flame\.npz"):
        write(Animation(toy_motion(), toy_head), tmp_path / "a.flame.npz")
    flame = Animation(Motion(np.ones((4, 56), np.float32), layout=flame_layout(50)), toy_head)
    with pytest.raises(MotionError, match=r"convert MOTION --source-head flame:FILE -o OUTPUT"):
        write(flame, tmp_path / "a.csv")


def test_motion_is_told_from_other_json(tmp_path: Path):
    write(Animation(toy_motion(), toy_head), tmp_path / "a.json")
    assert holds_motion(tmp_path / "a.json")
    (tmp_path / "b.json").write_text('{"smile": 0.3}')
    assert not holds_motion(tmp_path / "b.json")
    (tmp_path / "c.wav").write_bytes(b"RIFF")
    assert not holds_motion(tmp_path / "c.wav")
    assert not holds_motion(tmp_path)


def test_formats_that_are_only_read_are_refused_before_any_work(tmp_path: Path):
    with pytest.raises(MotionError, match="'artalk' can be read but not written"):
        plan_outputs([Path("a.wav")], ["a.pt"])
    with pytest.raises(MotionError, match="'vhap-npz' can be read but not written"):
        write(Animation(toy_motion(), toy_head), tmp_path / "a.vhap.npz")
    assert list(tmp_path.iterdir()) == []
