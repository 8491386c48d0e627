"""Audio2Face JSON: structure, order by name, head joint, contradictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import toy_head, toy_motion

from kinevox.errors import MotionError
from kinevox.export import Animation, read_motion, write


def _document(folder: Path) -> dict[str, Any]:
    write(Animation(toy_motion(frames=5, fps=30), toy_head), folder / "a.json")
    return json.loads((folder / "a.json").read_text())


def _reread(folder: Path, document: object):
    (folder / "b.json").write_text(json.dumps(document))
    return read_motion(folder / "b.json")


def test_structure(tmp_path: Path):
    document = _document(tmp_path)
    assert document["exportFps"] == 30
    assert (document["numPoses"], document["numFrames"]) == (52, 5)
    assert document["facsNames"][14:18] == ["jawForward", "jawLeft", "jawRight", "jawOpen"]
    assert np.shape(document["weightMat"]) == (5, 52)
    assert document["joints"] == ["head"]
    assert np.shape(document["rotations"]) == (5, 1, 4)
    assert np.shape(document["translations"]) == (5, 1, 3)
    assert document["trackPath"] == ""


def test_curves_are_found_by_name_in_any_order_and_spelling(tmp_path: Path):
    document = _document(tmp_path)
    order = np.random.default_rng(0).permutation(52)
    names = document["facsNames"]
    document["facsNames"] = [names[i][0].upper() + names[i][1:] for i in order]
    document["weightMat"] = [[row[i] for i in order] for row in document["weightMat"]]
    motion = toy_motion(frames=5, fps=30)
    assert _reread(tmp_path, document).values == pytest.approx(motion.values, abs=1e-6)


def test_older_files_without_joints_leave_the_head_still(tmp_path: Path):
    document = _document(tmp_path)
    for key in ("joints", "rotations", "translations", "numPoses", "trackPath"):
        del document[key]
    assert not _reread(tmp_path, document).group("head").any()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("numFrames", 6, "numFrames is 6, but 5 are present"),
        ("numPoses", 51, "numPoses is 51, but 52 are present"),
        ("exportFps", "fast", "exportFps is 'fast'"),
        ("exportFps", 0, "exportFps is 0"),
        ("facsNames", ["a"], r"weightMat has shape \(5, 52\); expected \('frames', 1\)"),
        ("facsNames", [f"x{i}" for i in range(52)], "none of ARKit's 52 curves"),
        ("facsNames", {"a": 1}, "facsNames must be a list of names"),
        ("weightMat", [[0.0], [0.0, 1.0]], "not a full table of numbers"),
        ("weightMat", [], "weightMat has shape"),
        ("rotations", [[[0.0] * 4]] * 5, "zero quaternion"),
        ("rotations", None, "rotations"),
    ],
)
def test_contradictions_are_named(tmp_path: Path, key: str, value: object, message: str):
    with pytest.raises(MotionError, match=message):
        _reread(tmp_path, _document(tmp_path) | {key: value})


@pytest.mark.parametrize("text", ["", "[1, 2]", "{}", "[" * 100_000, "nonsense"])
def test_other_files_are_refused(tmp_path: Path, text: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(MotionError, match=r"a\.json is not"):
        read_motion(tmp_path / "a.json")


def test_values_that_are_not_finite_are_refused(tmp_path: Path):
    document = _document(tmp_path)
    document["weightMat"][2][3] = float("nan")
    with pytest.raises(MotionError, match="not finite, the first in frame 2"):
        _reread(tmp_path, document)
