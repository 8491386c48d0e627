"""USD evaluated by usd-core itself: the baked points are the head's vertices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_head, toy_motion, vowel

from kinevox.export import Animation, write
from kinevox.export._parts import part_meshes
from kinevox.heads import BlendshapeHead, Part
from kinevox.speech import Speech

Usd = pytest.importorskip("pxr.Usd", reason="usd-core is not installed")
from pxr import Gf, UsdGeom, UsdMedia, UsdSkel, UsdValidation  # noqa: E402


def _head_in_parts() -> BlendshapeHead:
    return replace(toy_head(), parts=(Part("skin", 0, 60), Part("teeth_upper", 60, 96)))


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usd"])
def test_baking_gives_the_heads_vertices(tmp_path: Path, suffix: str):
    _check(_head_in_parts(), tmp_path / f"a{suffix}")


@pytest.mark.slow
def test_baking_gives_the_default_heads_vertices(tmp_path: Path):
    from kinevox.heads.anny import HEAD

    _check(HEAD(), tmp_path / "a.usdc")


def _check(head: BlendshapeHead, path: Path) -> None:
    motion = toy_motion(frames=9, fps=30)
    write(Animation(motion, lambda: head), path)
    stage = Usd.Stage.Open(str(path))
    assert UsdSkel.BakeSkinning(stage.Traverse(), Gf.Interval(0, 8))
    expected = head.vertices(motion)
    for part in part_meshes(head):
        mesh = UsdGeom.Mesh(stage.GetPrimAtPath(f"/kinevox/{part.name}"))
        for frame in (0, 4, 8):
            points = np.array(mesh.GetPointsAttr().Get(frame), dtype=np.float64)
            # Of a part bound to one joint only, baking moves the mesh as a whole.
            placed = np.array(mesh.ComputeLocalToWorldTransform(frame))
            points = points @ placed[:3, :3] + placed[3, :3]
            error = np.abs(points - expected[frame, part.rows]).max()
            assert error < 1e-4, f"{part.name}, frame {frame}: {error * 1e3:.3f} mm off"


def test_stage_metadata(tmp_path: Path):
    animation = Animation(toy_motion(9, 29.97), toy_head, name="line 1", metadata={"seed": "3"})
    write(animation, tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    assert stage.GetTimeCodesPerSecond() == pytest.approx(30_000 / 1001)
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, 8)
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1
    assert stage.GetDefaultPrim().GetName() == "line_1"
    assert stage.GetRootLayer().customLayerData["seed"] == "3"


def test_the_sound_is_a_prim_that_names_the_wav(tmp_path: Path):
    write(Animation(toy_motion(), toy_head, Speech(vowel(1.0))), tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    audio = UsdMedia.SpatialAudio(stage.GetPrimAtPath("/kinevox/speech"))
    assert audio.GetFilePathAttr().Get().path == "./a.wav"
    assert Path(audio.GetFilePathAttr().Get().resolvedPath).is_file()


def test_usd_finds_nothing_to_complain_about(tmp_path: Path):
    write(Animation(toy_motion(), toy_head, Speech(vowel(1.0))), tmp_path / "a.usdc")
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    errors = UsdValidation.ValidationContext(validators).Validate(
        Usd.Stage.Open(str(tmp_path / "a.usdc"))
    )
    assert validators and not [error.GetMessage() for error in errors]
