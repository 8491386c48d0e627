"""Avatars written here, value by value, in every encoding the loader claims to read."""

from __future__ import annotations

import base64
import json
import logging
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import KDTree
from synthetic import toy_motion
from synthetic_faces import arkit_face

from kinevox import arkit
from kinevox.errors import AssetError
from kinevox.heads import BlendshapeHead, inner_lip_gap
from kinevox.heads.gltf import coverage, load_gltf
from kinevox.motion import ARKIT, Motion

TYPES = {np.dtype("f4"): 5126, np.dtype("u2"): 5123, np.dtype("i2"): 5122, np.dtype("u4"): 5125}
TYPES |= {np.dtype("u1"): 5121, np.dtype("i1"): 5120}


class Avatar:
    """A glTF document in the making: one mesh, one node, as plain dictionaries."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.json: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": []}],
            "accessors": [],
            "bufferViews": [],
        }

    def view(self, data: bytes, **more: int) -> int:
        self.data += bytes(-len(self.data) % 4)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **more}
        self.data += data
        self.json["bufferViews"].append(view)
        return len(self.json["bufferViews"]) - 1

    def accessor(self, values: np.ndarray, **more: Any) -> int:
        return self.place(values, bufferView=self.view(values.tobytes()), **more)

    def place(self, values: np.ndarray, **more: Any) -> int:
        width = 1 if values.ndim == 1 else values.shape[1]
        kind = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}[width]
        component = TYPES[values.dtype]
        self.json["accessors"].append(
            {"componentType": component, "count": len(values), "type": kind, **more}
        )
        return len(self.json["accessors"]) - 1

    def sparse(self, values: np.ndarray) -> int:
        rows = np.flatnonzero(values.any(axis=1)).astype(np.uint16)
        sparse = {
            "count": len(rows),
            "indices": {"bufferView": self.view(rows.tobytes()), "componentType": 5123},
            "values": {"bufferView": self.view(values[rows].tobytes())},
        }
        return self.place(values, sparse=sparse)

    def interleaved(self, left: np.ndarray, right: np.ndarray) -> tuple[int, int]:
        both = np.concatenate([left, right], axis=1)
        view = self.view(both.tobytes(), byteStride=both.strides[0])
        second = left.shape[1] * left.itemsize
        return self.place(left, bufferView=view), self.place(
            right, bufferView=view, byteOffset=second
        )

    def primitive(
        self, points: int, triangles: np.ndarray, targets: list[int], **more: Any
    ) -> None:
        self.json["meshes"][0]["primitives"].append(
            {
                "attributes": {"POSITION": points, **more},
                "indices": self.accessor(triangles.astype(np.uint32).ravel()),
                "targets": [{"POSITION": target} for target in targets],
            }
        )

    def names(self, names: list[str]) -> None:
        self.json["meshes"][0]["extras"] = {"targetNames": names}

    def glb(self, path: Path) -> Path:
        self.json["buffers"] = [{"byteLength": len(self.data)}]
        text = json.dumps(self.json).encode()
        text += b" " * (-len(text) % 4)
        data = bytes(self.data) + bytes(-len(self.data) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
        path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
        return path


def spelled(name: str) -> str:
    """ICT-FaceKit's spelling."""
    return name.replace("Left", "_L").replace("Right", "_R") if name.startswith("eye") else name


@pytest.fixture(scope="module")
def face() -> BlendshapeHead:
    return arkit_face(17, 23)


def build(head: BlendshapeHead, encoding: str) -> Avatar:
    avatar = Avatar()
    points, shapes = head.template, head.shapes
    avatar.names([spelled(name) for name in head.shape_names])
    if encoding == "quantized":
        # KHR_mesh_quantization: normalized 16-bit integers, brought to size by the node.
        size = float(np.abs(points).max())
        avatar.json["nodes"][0]["scale"] = [size] * 3
        avatar.json["extensionsRequired"] = ["KHR_mesh_quantization"]
        whole = [np.round(a / size * 32767).astype(np.int16) for a in (points, *shapes)]
        # Rows of 6 bytes are padded to 8, as the standard demands.
        padded = [np.pad(a, ((0, 0), (0, 1))) for a in whole]
        numbers = [
            avatar.place(a, bufferView=avatar.view(p.tobytes(), byteStride=8), normalized=True)
            for a, p in zip(whole, padded, strict=True)
        ]
        avatar.primitive(numbers[0], head.triangles, numbers[1:])
    elif encoding == "several primitives":
        middle = len(head.triangles) // 2
        for triangles in (head.triangles[:middle], head.triangles[middle:]):
            rows, local = np.unique(triangles, return_inverse=True)
            targets = [avatar.accessor(shape[rows]) for shape in shapes]
            avatar.primitive(avatar.accessor(points[rows]), local, targets)
    elif encoding == "seams":
        # Every triangle owns its corners, as flat shading or texture seams make it.
        corners = head.triangles.ravel()
        targets = [avatar.accessor(shape[corners]) for shape in shapes]
        avatar.primitive(avatar.accessor(points[corners]), np.arange(len(corners)), targets)
    elif encoding == "interleaved":
        normals = np.zeros_like(points)
        place, normal = avatar.interleaved(points, normals)
        targets = [avatar.interleaved(shape, normals)[0] for shape in shapes]
        avatar.primitive(place, head.triangles, targets, NORMAL=normal)
    else:
        put = avatar.sparse if encoding == "sparse" else avatar.accessor
        avatar.primitive(avatar.accessor(points), head.triangles, [put(shape) for shape in shapes])
    return avatar


def distance(head: BlendshapeHead, loaded: BlendshapeHead) -> float:
    """Largest distance [m] of any loaded vertex, over a motion, from its nearest original."""
    motion = toy_motion(5)
    tracks = []
    for each in (head, loaded):
        centered = each.vertices(motion, head_pose=False)
        centered = centered - (each.template.min(axis=0) + each.template.max(axis=0)) / 2
        tracks.append(centered.transpose(1, 0, 2).reshape(len(each.template), -1))
    there, back = KDTree(tracks[0]).query(tracks[1])[0], KDTree(tracks[1]).query(tracks[0])[0]
    return float(max(there.max(), back.max()) / np.sqrt(motion.num_frames))


@pytest.mark.parametrize(
    ("encoding", "tolerance"),
    [
        ("dense", 1e-7),
        ("sparse", 1e-7),
        ("interleaved", 1e-7),
        ("several primitives", 1e-7),
        ("seams", 1e-7),
        ("quantized", 2e-5),
    ],
)
def test_every_encoding_gives_the_same_moving_vertices(
    face: BlendshapeHead, tmp_path: Path, encoding: str, tolerance: float
) -> None:
    loaded = load_gltf(build(face, encoding).glb(tmp_path / "avatar.glb"))
    assert distance(face, loaded) < tolerance
    assert loaded.layout == ARKIT
    assert len(loaded.triangles) == len(face.triangles)
    if encoding == "seams":
        assert len(loaded.template) == len(face.template)


def test_text_files_with_inner_and_outer_buffers(face: BlendshapeHead, tmp_path: Path) -> None:
    avatar = build(face, "sparse")
    inline = base64.b64encode(avatar.data).decode()
    for kind in ("octet-stream", "gltf-buffer"):
        avatar.json["buffers"] = [{"uri": f"data:application/{kind};base64,{inline}"}]
        path = tmp_path / f"{kind}.gltf"
        path.write_text(json.dumps(avatar.json))
        assert distance(face, load_gltf(path)) < 1e-7
    avatar.json["buffers"] = [{"uri": "my%20avatar.bin"}]
    path = tmp_path / "beside.gltf"
    path.write_text(json.dumps(avatar.json))
    with pytest.raises(AssetError, match=r"'my avatar.bin', which cannot be read"):
        load_gltf(path)
    (tmp_path / "my avatar.bin").write_bytes(avatar.data)
    assert distance(face, load_gltf(path)) < 1e-7


def test_export_and_load_agree(face: BlendshapeHead, tmp_path: Path) -> None:
    export = pytest.importorskip("kinevox.export")
    from kinevox.export._base import Animation

    still = Motion(np.zeros((2, 55)), metadata={})
    path = tmp_path / "face.glb"
    export.EXPORTERS.get("glb").write(Animation(still, lambda: face), path)
    assert distance(face, load_gltf(path)) < 5e-6


def test_nodes_and_a_skin_at_rest_place_the_vertices(face: BlendshapeHead, tmp_path: Path) -> None:
    plain = load_gltf(build(face, "dense").glb(tmp_path / "plain.glb"))
    bound = build(face, "dense")
    # Bound lying on its back at ten times the size; the joint at rest stands it up again.
    lying = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    stored = 10 * np.concatenate([face.template[None], face.shapes]) @ lying.T
    moved = Avatar()
    moved.names(list(face.shape_names))
    numbers = [moved.accessor(array.astype(np.float32)) for array in stored]
    joints = moved.accessor(np.zeros((len(face.template), 4), np.uint8))
    weights = moved.accessor(np.tile(np.float32([1, 0, 0, 0]), (len(face.template), 1)))
    moved.primitive(numbers[0], face.triangles, numbers[1:], JOINTS_0=joints, WEIGHTS_0=weights)
    inverse = np.eye(4)
    inverse[:3, :3] = lying.T / 10
    # The stored matrix leaves the joint's own place to the node below.
    number = moved.accessor(inverse.T.astype(np.float32).reshape(1, 16))
    moved.json["skins"] = [{"joints": [1], "inverseBindMatrices": number}]
    moved.json["nodes"] = [
        {"mesh": 0, "skin": 0, "translation": [9, 9, 9]},
        {"name": "mixamorig:Head", "translation": [0, 1.5, 0]},
    ]
    moved.json["scenes"] = [{"nodes": [0, 1]}]
    skinned = load_gltf(moved.glb(tmp_path / "skinned.glb"))
    assert distance(plain, skinned) < 1e-6
    np.testing.assert_allclose(skinned.template, face.template, atol=1e-6)

    half_turn = [0, 1, 0, 0]
    bound.json["nodes"] = [
        {"name": "Head", "rotation": half_turn, "translation": [0, 2, 0], "children": [1]},
        {"mesh": 0, "rotation": half_turn, "scale": [2, 2, 2]},
    ]
    nested = load_gltf(bound.glb(tmp_path / "nested.glb"))
    np.testing.assert_allclose(nested.template, 2 * face.template, atol=1e-6)


def test_vrm_names_its_head_and_old_ones_look_backwards(
    face: BlendshapeHead, tmp_path: Path
) -> None:
    for extension, bones, sign in (
        ("VRM", [{"bone": "head", "node": 1}], -1.0),
        ("VRMC_vrm", {"head": {"node": 1}}, 1.0),
    ):
        avatar = build(face, "dense")
        avatar.json["nodes"].append({"name": "J", "translation": [0, 0.01, 0]})
        avatar.json["scenes"][0]["nodes"].append(1)
        avatar.json["extensions"] = {extension: {"humanoid": {"humanBones": bones}}}
        loaded = load_gltf(avatar.glb(tmp_path / "avatar.vrm"))
        expected = (face.template - [0, 0.01, 0]) * [sign, 1, sign]
        np.testing.assert_allclose(loaded.template, expected, atol=1e-6)


def test_halves_are_added_unless_the_whole_is_there(face: BlendshapeHead, tmp_path: Path) -> None:
    avatar = build(face, "dense")
    names = list(face.shape_names)
    brow = names.index("browInnerUp")
    names[brow], names[names.index("browDownLeft")] = "browInnerUp_L", "browInnerUp_R"
    avatar.names(names)
    loaded = load_gltf(avatar.glb(tmp_path / "halves.glb"))
    expected = face.shapes[brow] + face.shapes[face.shape_names.index("browDownLeft")]
    got = loaded.shapes[loaded.shape_names.index("browInnerUp")]
    np.testing.assert_allclose(np.abs(got).sum(), np.abs(expected).sum(), rtol=1e-4)
    assert "browDownLeft" in coverage(loaded).missing


def test_missing_expressions_are_reported_and_leave_the_face_at_rest(
    face: BlendshapeHead, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    avatar = build(face, "dense")
    kept = ("jawOpen", "mouthClose", "eyeBlinkLeft")
    avatar.names([n if n in kept else f"other {n[::-1]}" for n in face.shape_names])
    with caplog.at_level(logging.WARNING):
        loaded = load_gltf(avatar.glb(tmp_path / "few.glb"))
    assert loaded.shape_names == ("eyeBlinkLeft", "jawOpen", "mouthClose")
    assert "3 of 52 ARKit expressions; missing: eyeLookDownLeft" in caplog.text
    assert set(coverage(loaded).missing) | set(kept) == set(arkit.NAMES)
    puff = Motion(np.zeros((1, 55))).with_channels(cheekPuff=1.0)
    np.testing.assert_array_equal(loaded.vertices(puff)[0], loaded.template)


def test_default_weights_of_other_targets_shape_the_character(
    face: BlendshapeHead, tmp_path: Path
) -> None:
    avatar = build(face, "dense")
    names = list(face.shape_names)
    names[0] = "long face"
    avatar.names(names)
    avatar.json["meshes"][0]["weights"] = [0.5] + [0.3] * 51
    loaded = load_gltf(avatar.glb(tmp_path / "shaped.glb"))
    shaped = face.template + 0.5 * face.shapes[0]
    middle = (shaped.min(axis=0) + shaped.max(axis=0)) / 2
    np.testing.assert_allclose(loaded.template, shaped - middle, atol=1e-6)


def test_rigid_meshes_of_the_head_come_along_and_the_body_does_not(
    face: BlendshapeHead, tmp_path: Path
) -> None:
    avatar = build(face, "dense")
    eye = np.float32([[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]])
    for name, place in (
        ("EyeLeft", [0.03, 0.03, 0.08]),
        ("Eye_R", [-0.04, 0.03, 0.08]),
        ("Wolf3D_Teeth", [0, -0.04, 0.08]),
        ("Wolf3D_Body", [0, -0.9, 0]),
    ):
        number = len(avatar.json["meshes"])
        primitive = {"attributes": {"POSITION": avatar.accessor(eye)}}
        avatar.json["meshes"].append({"name": name, "primitives": [primitive]})
        avatar.json["nodes"].append({"mesh": number, "translation": place})
        avatar.json["scenes"][0]["nodes"].append(number)
    loaded = load_gltf(avatar.glb(tmp_path / "parts.glb"))
    assert [part.name for part in loaded.parts] == ["skin", "eye_left", "eye_right", "teeth"]
    assert loaded.parts[-1].stop == len(loaded.template) == len(face.template) + 9


def test_regions_are_found_from_motion(face: BlendshapeHead, tmp_path: Path) -> None:
    loaded = load_gltf(build(face, "dense").glb(tmp_path / "avatar.glb"))
    pairs = loaded.template[loaded.regions.inner_lip_pairs]
    assert len(pairs) >= 3
    assert (np.diff(pairs[:, 0, 0]) > 0).all()
    motion = Motion(np.zeros((3, 55))).with_channels(jawOpen=np.array([0, 0.5, 1.0]))
    gap = inner_lip_gap(loaded.vertices(motion), loaded.regions)
    np.testing.assert_allclose(gap, [0, 0.01, 0.02], atol=1e-3)
    assert len(loaded.regions.upper_face) > 10
    assert loaded.template[loaded.regions.upper_face, 1].min() > pairs[..., 1].max()


def test_what_cannot_be_used_is_named(face: BlendshapeHead, tmp_path: Path) -> None:
    avatar = build(face, "dense")
    avatar.names([f"viseme_{k}" for k in range(52)])
    with pytest.raises(AssetError, match=r"no morph target carries an ARKit name.*viseme_17"):
        load_gltf(avatar.glb(tmp_path / "visemes.glb"))
    for extension, kind in (
        ("KHR_draco_mesh_compression", "Draco"),
        ("EXT_meshopt_compression", "meshopt"),
    ):
        avatar.json["extensionsRequired"] = [extension]
        with pytest.raises(AssetError, match=f"compressed with {kind}.*Export it again without"):
            load_gltf(avatar.glb(tmp_path / "compressed.glb"))
    whole = build(face, "dense").glb(tmp_path / "whole.glb").read_bytes()
    broken = tmp_path / "broken.glb"
    for content in (whole[: len(whole) // 2], whole[:9], b"", b"hello", b"[]", b'{"asset": {}}'):
        broken.write_bytes(content)
        with pytest.raises(AssetError, match=r"not a sound glTF|holds no mesh"):
            load_gltf(broken)
    with pytest.raises(AssetError, match="cannot be read: No such file"):
        load_gltf(tmp_path / "absent.glb")
    short = build(face, "dense")
    short.data = short.data[:1000]
    with pytest.raises(AssetError, match="a buffer ends after 1000 bytes"):
        load_gltf(short.glb(tmp_path / "short.glb"))
    wild = build(face, "dense")
    wild.json["meshes"][0]["primitives"][0]["attributes"] = {}
    with pytest.raises(AssetError, match="contradicts the glTF"):
        load_gltf(wild.glb(tmp_path / "wild.glb"))
