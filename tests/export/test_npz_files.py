"""npz files from elsewhere: nothing is unpickled, wrong arrays are named."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_head, toy_motion

from kinevox.errors import MotionError
from kinevox.export import Animation, read_motion, write


class _Trap:
    def __reduce__(self):
        return (pytest.fail, ("something was unpickled",))


def _clip(folder: Path) -> dict[str, np.ndarray]:
    write(Animation(toy_motion(), toy_head), folder / "a.npz")
    with np.load(folder / "a.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("version", np.int64(2), "version 2, this kinevox reads up to 1"),
        ("values", np.zeros((3, 7), np.float32), r"needs \(frames, 55\)"),
        ("values", np.zeros((3, 55)), "values are float64"),
        ("values", np.full((3, 55), np.nan, np.float32), "not finite"),
        ("layout", np.str_('{"name": "arkit"}'), "layout is incomplete"),
        ("layout", np.str_("[]"), "layout is incomplete"),
        ("metadata", np.str_("not json"), "not a kinevox clip"),
        ("metadata", np.array([_Trap()], dtype=object), "not a readable npz"),
    ],
)
def test_wrong_clips_are_named(tmp_path: Path, name: str, value: np.ndarray, message: str):
    np.savez(tmp_path / "b.npz", **_clip(tmp_path) | {name: value})
    with pytest.raises(MotionError, match=message):
        read_motion(tmp_path / "b.npz")


def test_channels_must_be_those_that_this_version_knows(tmp_path: Path):
    arrays = _clip(tmp_path)
    arrays["layout"] = np.str_(str(arrays["layout"]).replace("jawOpen", "jawAjar"))
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(MotionError, match="the first odd one is 'jawAjar'"):
        read_motion(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"exp": (5, 50)}, "not a kinevox clip"),
        ({"exp": (5, 50), "pose": (4, 6)}, "exp has 5 frames and pose 4"),
        ({"exp": (5, 100), "pose": (5, 6)}, r"exp is float64 of shape \(5, 100\)"),
        ({"exp": (5, 50), "pose": (5, 4)}, r"pose is float64 of shape \(5, 4\)"),
        ({"exp": (5, 50), "pose": (5, 6), "shape": (300,)}, r"shape is .* \(300,\)"),
    ],
)
def test_flame_files_have_the_documented_sizes(tmp_path: Path, arrays: dict, message: str):
    np.savez(tmp_path / "a.npz", **{name: np.zeros(shape) for name, shape in arrays.items()})
    with pytest.raises(MotionError, match=message):
        read_motion(tmp_path / "a.npz")


def test_flame_files_without_a_rate_run_at_25(tmp_path: Path):
    np.savez(tmp_path / "a.npz", shape=np.zeros(100), exp=np.ones((5, 50)), pose=np.ones((5, 6)))
    back = read_motion(tmp_path / "a.npz")
    assert (back.fps, back.num_frames, back["jaw_z"][0]) == (25, 5, 1)


def test_broken_archives_are_refused(tmp_path: Path):
    _clip(tmp_path)
    whole = (tmp_path / "a.npz").read_bytes()
    garbled = bytearray(whole)
    garbled[len(whole) // 2 : len(whole) // 2 + 64] = bytes(64)
    for content in (b"", whole[:-200], bytes(garbled), pickle.dumps({"exp": 1}), b"\x93NUMPY\x01"):
        (tmp_path / "b.npz").write_bytes(content)
        with pytest.raises(MotionError, match=r"b\.npz"):
            read_motion(tmp_path / "b.npz")
