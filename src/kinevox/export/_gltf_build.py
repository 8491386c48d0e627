"""Packs arrays into the one binary buffer of a GLB."""

from __future__ import annotations

from typing import Any

import numpy as np
import pygltflib as gltf

_COMPONENTS = {
    np.dtype(np.uint8): gltf.UNSIGNED_BYTE,
    np.dtype(np.uint16): gltf.UNSIGNED_SHORT,
    np.dtype(np.uint32): gltf.UNSIGNED_INT,
    np.dtype(np.float32): gltf.FLOAT,
}
_TYPES = {1: gltf.SCALAR, 3: gltf.VEC3, 4: gltf.VEC4}


class Buffer:
    """Accessors of a growing document; each method returns the number of the new accessor."""

    def __init__(self, document: gltf.GLTF2):
        self._document = document
        self._bytes = bytearray()

    def plain(self, array: np.ndarray, *, target: int | None = None, **fields: Any) -> int:
        """An array (count,) or (count, components) as it is."""
        view = self._view(array, target)
        return self._accessor(array, bufferView=view, **fields)

    def displacements(self, array: np.ndarray, *, sparse: bool) -> int:
        """What a morph target adds to (vertices, 3); sparse where that is smaller."""
        moved = np.flatnonzero(array.any(axis=1))
        index = moved.astype(np.uint16 if len(array) < 65536 else np.uint32)
        if not sparse or index.nbytes + array[moved].nbytes >= array.nbytes:
            return self.plain(array, target=gltf.ARRAY_BUFFER, bounds=True)
        if not len(moved):
            return self._accessor(array, bounds=True, byteOffset=None)
        # Without a buffer view of its own, an accessor is zero but for its sparse values.
        parts = gltf.Sparse(
            count=len(moved),
            indices=gltf.AccessorSparseIndices(
                bufferView=self._view(index, None), componentType=_COMPONENTS[index.dtype]
            ),
            values=gltf.AccessorSparseValues(bufferView=self._view(array[moved], None)),
        )
        return self._accessor(array, bounds=True, sparse=parts, byteOffset=None)

    def finish(self) -> bytes:
        """Closes the buffer and returns the whole GLB."""
        self._document.buffers = [gltf.Buffer(byteLength=len(self._bytes))]
        self._document.set_binary_blob(bytes(self._bytes))
        return b"".join(self._document.save_to_bytes())

    def _view(self, array: np.ndarray, target: int | None) -> int:
        self._bytes.extend(b"\0" * (-len(self._bytes) % 4))
        data = np.ascontiguousarray(array).tobytes()
        view = gltf.BufferView(
            buffer=0, byteOffset=len(self._bytes), byteLength=len(data), target=target
        )
        self._bytes.extend(data)
        self._document.bufferViews.append(view)
        return len(self._document.bufferViews) - 1

    def _accessor(self, array: np.ndarray, *, bounds: bool = False, **fields: Any) -> int:
        columns = array.reshape(len(array), -1)
        if bounds:
            fields |= {"min": columns.min(axis=0).tolist(), "max": columns.max(axis=0).tolist()}
        accessor = gltf.Accessor(
            componentType=_COMPONENTS[array.dtype],
            count=len(array),
            type=_TYPES[columns.shape[1]],
            **fields,
        )
        self._document.accessors.append(accessor)
        return len(self._document.accessors) - 1
