"""The structure of a GLB, read with pygltflib, and GLBs that are none."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pygltflib
import pytest
from synthetic import toy_head, toy_motion

from kinevox import arkit, rotation
from kinevox.errors import MotionError
from kinevox.export import Animation, read_motion, write
from kinevox.export._parts import vertex_normals
from kinevox.heads import BlendshapeHead, Part


def _head_in_parts() -> BlendshapeHead:
    return replace(toy_head(), parts=(Part("skin", 0, 60), Part("teeth_upper", 60, 96)))


def _written(path: Path, frames: int = 8, **fields) -> pygltflib.GLTF2:
    write(Animation(toy_motion(frames=frames), _head_in_parts, **fields), path)
    document = pygltflib.GLTF2().load(str(path))
    assert document is not None
    return document


def _floats(document: pygltflib.GLTF2, accessor: pygltflib.Accessor) -> np.ndarray:
    view = document.bufferViews[accessor.bufferView]
    blob = document.binary_blob()
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
    return np.frombuffer(blob, "<f4", accessor.count * width, view.byteOffset).reshape(-1, width)


def test_parts_hang_below_the_turning_head(tmp_path: Path):
    document = _written(tmp_path / "a.glb")
    root = document.nodes[document.scenes[document.scene].nodes[0]]
    assert root.name == "head"
    assert [document.nodes[child].name for child in root.children] == ["skin", "teeth_upper"]


def test_targets_carry_arkit_names(tmp_path: Path):
    document = _written(tmp_path / "a.glb")
    skin = next(mesh for mesh in document.meshes if mesh.name == "skin")
    assert skin.extras["targetNames"] == list(arkit.NAMES)
    assert len(skin.primitives[0].targets) == len(skin.weights) == 52


def test_weights_are_frame_major_and_on_every_moving_node(tmp_path: Path):
    document = _written(tmp_path / "a.glb")
    motion = toy_motion(frames=8)
    animation = document.animations[0]
    channels = [channel for channel in animation.channels if channel.target.path == "weights"]
    moving = [node for node in document.nodes if node.mesh is not None]
    assert [document.nodes[c.target.node].name for c in channels] == [n.name for n in moving]
    for channel in channels:
        mesh = document.meshes[document.nodes[channel.target.node].mesh]
        output = document.accessors[animation.samplers[channel.sampler].output]
        names = mesh.extras["targetNames"]
        assert (output.type, output.count) == ("SCALAR", 8 * len(names))
        expected = np.stack([motion[name] for name in names], axis=1)
        assert np.array_equal(_floats(document, output).reshape(8, -1), expected)


def test_times_have_bounds_and_quaternions_are_xyzw(tmp_path: Path):
    document = _written(tmp_path / "a.glb")
    animation = document.animations[0]
    turn = next(c for c in animation.channels if c.target.path == "rotation")
    assert document.nodes[turn.target.node].name == "head"
    sampler = animation.samplers[turn.sampler]
    times = document.accessors[sampler.input]
    assert (times.min, times.max) == ([0.0], [pytest.approx(7 / 25)])
    motion = toy_motion(frames=8)
    xyzw = _floats(document, document.accessors[sampler.output])
    back = rotation.axis_angle_from_quaternion(np.roll(xyzw.astype(float), 1, axis=1))
    assert back == pytest.approx(motion.group("head"), abs=1e-6)


def test_sparse_files_are_smaller_and_equal(tmp_path: Path):
    from kinevox.heads._gltf_file import GltfFile

    for name in ("a.glb", "a.dense.glb"):
        _written(tmp_path / name)
    assert (tmp_path / "a.glb").stat().st_size < 0.8 * (tmp_path / "a.dense.glb").stat().st_size
    sparse, dense = (GltfFile(tmp_path / name) for name in ("a.glb", "a.dense.glb"))
    assert not any("sparse" in accessor for accessor in dense.document["accessors"])
    targets = [file.document["meshes"][0]["primitives"][0]["targets"] for file in (sparse, dense)]
    for thin, thick in zip(*targets, strict=True):
        for key in ("POSITION", "NORMAL"):
            values = sparse.accessor(thin[key]), dense.accessor(thick[key])
            assert np.array_equal(*values)


def test_provenance_and_credits_travel_along(tmp_path: Path):
    document = _written(tmp_path / "a.glb", metadata={"method": "articulate", "seed": "3"})
    assert document.asset.generator.startswith("kinevox ")
    assert document.asset.extras == {"method": "articulate", "seed": "3"}


def test_normals_point_out_of_a_sphere():
    head = toy_head()
    normals = vertex_normals(head.template, head.triangles)
    outward = head.template / np.linalg.norm(head.template, axis=1, keepdims=True)
    inside = slice(24, 72)
    assert (normals * outward).sum(axis=1)[inside].min() > 0.9


def test_a_head_without_blendshapes_is_refused_with_advice(tmp_path: Path):
    """Stands for FLAME, whose jaw turns by skinning."""
    like_flame = SimpleNamespace(
        **{
            name: getattr(toy_head(), name)
            for name in ("layout", "template", "triangles", "parts", "regions")
        },
        name="flame",
        vertices=lambda motion, *, head_pose=True: np.zeros((1, 1, 3)),
    )
    assert not isinstance(like_flame, BlendshapeHead)
    for name in ("a.glb", "a.usdc"):
        with pytest.raises(MotionError, match=r"head 'flame' is posed by skinning.*convert"):
            write(Animation(toy_motion(), lambda: like_flame), tmp_path / name)


def _glb(document: object) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = b"glTF" + struct.pack("<II", 2, 20 + len(text))
    return head + struct.pack("<I4s", len(text), b"JSON") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"glTF",
        b"RIFF....WAVE",
        _glb([]),
        _glb({"asset": {"version": "2.0"}}),
        _glb({"asset": {}, "meshes": [{}], "animations": [{"channels": [{}]}]}),
        _glb({"asset": {}, "meshes": [{}], "animations": [{"channels": []}]}),
        _glb({"asset": {}, "meshes": [{}], "animations": "no"}),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.glb").write_bytes(content)
    with pytest.raises(MotionError, match=r"a\.glb"):
        read_motion(tmp_path / "a.glb")


def test_files_cut_short_are_refused(tmp_path: Path):
    _written(tmp_path / "a.glb")
    whole = (tmp_path / "a.glb").read_bytes()
    for size in (11, 19, 300, len(whole) - 1):
        (tmp_path / "b.glb").write_bytes(whole[:size])
        with pytest.raises(MotionError, match=r"b\.glb"):
            read_motion(tmp_path / "b.glb")
