"""Geometry out of a glTF 2.0 file: accessors, node transforms, skins at rest.

The JSON is read as it is: pygltflib's classes drop `node.weights` and know one spelling of data
URIs only.

Source: Khronos glTF 2.0 specification, sections 3.5 to 3.7; KHR_mesh_quantization.
"""

from __future__ import annotations

import base64
import json
import struct
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from jaxtyping import Float, Int

from kinevox import rotation
from kinevox.errors import AssetError

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_JSON_CHUNK, _BINARY_CHUNK = b"JSON", b"BIN\0"
_COMPRESSED = {
    "KHR_draco_mesh_compression": "Draco",
    "EXT_meshopt_compression": "meshopt",
    "KHR_meshopt_compression": "meshopt",
}


class GltfFile:
    """One parsed file; its buffers are loaded when they are first asked for.

    Raises:
        AssetError: not glTF 2.0, cut short, or its meshes are compressed.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self.document, self._blob = _parsed(path.read_bytes())
        except OSError as error:
            raise AssetError(f"{path} cannot be read: {error.strerror}.") from None
        except (ValueError, struct.error) as error:
            raise AssetError(f"{path} is not a sound glTF 2.0 file: {error}.") from None
        if not self.document.get("meshes"):
            raise AssetError(f"{path} holds no mesh; expected a .glb, .gltf or .vrm avatar.")
        needed = set(self.document.get("extensionsRequired", [])) & set(_COMPRESSED)
        if needed:
            raise AssetError(
                f"{path} is compressed with {_COMPRESSED[min(needed)]}, which kinevox does not "
                "decode. Export it again without mesh compression, or unpack it with: "
                "gltf-transform copy IN.glb OUT.glb"
            )

    @cached_property
    def _buffers(self) -> list[bytes]:
        return [self._buffer(buffer.get("uri")) for buffer in self.document["buffers"]]

    def _buffer(self, uri: str | None) -> bytes:
        if uri is None:
            return self._blob
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        try:
            return (self.path.parent / unquote(uri)).read_bytes()
        except OSError as error:
            raise AssetError(
                f"{self.path} keeps its geometry in '{unquote(uri)}', which cannot be read "
                f"({error.strerror}). Keep both files in one folder, or export a .glb."
            ) from None

    def accessor(self, number: int) -> Float[np.ndarray, "count width"]:
        """Values of an accessor, sparse parts put in, normalized integers expanded.

        Raises:
            AssetError: it reaches beyond its buffer.
        """
        accessor = self.document["accessors"][number]
        dtype, width = np.dtype(_DTYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]]
        values = np.zeros((accessor["count"], width), dtype)
        if "bufferView" in accessor:
            values = self._view(accessor, dtype, accessor["count"], width)
        if sparse := accessor.get("sparse"):
            count, where = sparse["count"], sparse["indices"]
            rows = self._view(where, np.dtype(_DTYPES[where["componentType"]]), count, 1)
            values = values.copy()
            values[rows[:, 0]] = self._view(sparse["values"], dtype, count, width)
        plain = values.astype(np.float64)
        if accessor.get("normalized") and dtype.kind in "iu":
            plain = np.maximum(plain / np.iinfo(dtype).max, -1.0)
        return plain

    def _view(self, place: dict[str, Any], dtype: np.dtype, count: int, width: int) -> np.ndarray:
        """Rows where `place` names a buffer view and an offset in it."""
        view = self.document["bufferViews"][place["bufferView"]]
        data, row = self._buffers[view["buffer"]], width * dtype.itemsize
        stride = view.get("byteStride") or row
        start = view.get("byteOffset", 0) + place.get("byteOffset", 0)
        end = start + (count - 1) * stride + row
        if end > len(data):
            raise AssetError(
                f"{self.path} is cut short: a buffer ends after {len(data)} bytes, {end} are "
                "needed. Copy or export it again."
            )
        return np.ndarray((count, width), dtype, data, start, (stride, dtype.itemsize))

    def triangles(
        self, primitive: dict[str, Any], num_vertices: int
    ) -> Int[np.ndarray, "triangles 3"]:
        """Corners of a primitive's triangles; none for points and lines."""
        corners = np.arange(num_vertices)
        if "indices" in primitive:
            corners = self.accessor(primitive["indices"])[:, 0].astype(np.int64)
        mode = primitive.get("mode", 4)
        if mode == 4:
            return corners[: len(corners) // 3 * 3].reshape(-1, 3)
        if mode == 5:
            strip = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
            strip[1::2, :2] = strip[1::2, 1::-1]
            return strip
        if mode == 6:
            first = np.full(len(corners) - 2, corners[0])
            return np.stack([first, corners[1:-1], corners[2:]], axis=1)
        return np.zeros((0, 3), dtype=np.int64)

    @cached_property
    def world(self) -> dict[int, Float[np.ndarray, "4 4"]]:
        """Transform to the world of every node of the default scene, as the file poses it."""
        nodes = self.document.get("nodes", [])
        if scenes := self.document.get("scenes"):
            roots = scenes[self.document.get("scene", 0)].get("nodes", [])
        else:
            children = {child for node in nodes for child in node.get("children", [])}
            roots = [number for number in range(len(nodes)) if number not in children]
        found: dict[int, np.ndarray] = {}
        waiting = [(root, np.eye(4)) for root in reversed(roots)]
        while waiting:
            number, parent = waiting.pop()
            if number in found:
                continue
            found[number] = parent @ _local(nodes[number])
            children = nodes[number].get("children", [])
            waiting += [(child, found[number]) for child in reversed(children)]
        return found

    def vertex_transforms(
        self, number: int, attributes: dict[str, int], num_vertices: int
    ) -> Float[np.ndarray, "vertices 3 4"]:
        """What takes each vertex of a node's mesh to the world: the node, or its skin at rest."""
        node = self.document["nodes"][number]
        sets = [
            (self.accessor(attributes[f"JOINTS_{k}"]).astype(int), self.accessor(weights))
            for k in range(8)
            if (weights := attributes.get(f"WEIGHTS_{k}")) is not None
        ]
        if "skin" not in node or not sets:
            return np.broadcast_to(self.world[number][:3], (num_vertices, 3, 4))
        # A skinned mesh ignores its node: each joint brings vertices from where they were bound.
        skin = self.document["skins"][node["skin"]]
        joints = np.stack([self.world.get(joint, np.eye(4)) for joint in skin["joints"]])
        if "inverseBindMatrices" in skin:
            inverse = self.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4)
            joints = joints @ np.swapaxes(inverse, 1, 2)[: len(joints)]
        blended = np.zeros((num_vertices, 3, 4))
        total = np.zeros((num_vertices, 1, 1))
        for numbers, weights in sets:
            for k in range(numbers.shape[1]):
                weight = weights[:, k, None, None]
                blended += weight * joints[numbers[:, k], :3]
                total += weight
        return blended / np.maximum(total, 1e-9)


def _parsed(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON of a .glb or .gltf, and the binary chunk of the former."""
    blob = b""
    if content[:4] == b"glTF":
        version, length = struct.unpack_from("<II", content, 4)
        if version != 2:
            raise ValueError(f"it has version {version}, expected 2")
        if length > len(content):
            raise ValueError(f"it is cut short, {len(content)} of {length} bytes are there")
        chunks, start = {}, 12
        while start + 8 <= length:
            size, kind = struct.unpack_from("<I4s", content, start)
            chunks.setdefault(kind, content[start + 8 : start + 8 + size])
            start += 8 + size
        content, blob = chunks.get(_JSON_CHUNK, b""), chunks.get(_BINARY_CHUNK, b"")
    document = json.loads(content.decode("utf-8-sig"))
    if not isinstance(document, dict) or "asset" not in document:
        raise ValueError("its JSON has no 'asset'")
    return document, blob


def _local(node: dict[str, Any]) -> Float[np.ndarray, "4 4"]:
    """A node's own transform; matrices are stored column after column."""
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    local = np.eye(4)
    if "rotation" in node:
        wxyz = np.roll(np.array(node["rotation"], dtype=np.float64), 1)
        local[:3, :3] = rotation.matrix_from_quaternion(wxyz / np.linalg.norm(wxyz))
    local[:3, :3] *= np.array(node.get("scale", [1.0, 1.0, 1.0]))
    local[:3, 3] = node.get("translation", [0.0, 0.0, 0.0])
    return local
