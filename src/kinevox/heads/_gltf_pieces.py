"""The meshes of a glTF file as pieces of a head, each of one material, in the world at rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from kinevox import arkit
from kinevox.heads._gltf_file import GltfFile


@dataclass(frozen=True, eq=False)
class Piece:
    """Vertices of one primitive in the world at rest."""

    name: str
    points: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    shapes: dict[str, Float[np.ndarray, "vertices 3"]]
    colors: Float[np.ndarray, "vertices 3"] | None


def read_pieces(file: GltfFile) -> tuple[list[Piece], set[str]]:
    """All triangle primitives of the scene, and the names of all morph targets."""
    pieces, names = [], set()
    for number in file.world:
        node = file.document["nodes"][number]
        if "mesh" not in node:
            continue
        mesh = file.document["meshes"][node["mesh"]]
        for primitive in mesh["primitives"]:
            targets = _target_names(file, mesh, primitive)
            names.update(targets)
            piece = _piece(file, number, mesh, primitive, targets)
            if len(piece.triangles):
                pieces += _split_eyes(_welded(piece))
    return pieces, names


def _target_names(file: GltfFile, mesh: dict[str, Any], primitive: dict[str, Any]) -> list[str]:
    """Names of a primitive's targets: by convention in extras, in old files on the accessors."""
    targets = primitive.get("targets", [])
    for holder in (mesh, primitive):
        extras = holder.get("extras")
        names = extras.get("targetNames", []) if isinstance(extras, dict) else []
        if len(names) == len(targets):
            return [str(name) for name in names]
    accessors = file.document["accessors"]
    return [
        accessors[target["POSITION"]].get("name", f"target {k}") if "POSITION" in target else ""
        for k, target in enumerate(targets)
    ]


def _piece(
    file: GltfFile,
    number: int,
    mesh: dict[str, Any],
    primitive: dict[str, Any],
    targets: list[str],
) -> Piece:
    node, attributes = file.document["nodes"][number], primitive["attributes"]
    points = file.accessor(attributes["POSITION"])
    transforms = file.vertex_transforms(number, attributes, len(points))
    defaults = node.get("weights") or mesh.get("weights") or [0.0] * len(targets)
    named: dict[str, np.ndarray] = {}
    halves: dict[str, np.ndarray] = {}
    for name, target, default in zip(targets, primitive.get("targets", []), defaults, strict=True):
        if "POSITION" not in target:
            continue
        offsets = file.accessor(target["POSITION"])
        whole = arkit.find_half(name)
        if arkit_name := arkit.find_name(name):
            named.setdefault(arkit_name, offsets)
        elif whole:
            halves[whole] = halves.get(whole, 0) + offsets
        elif default:
            # Other targets shape the character; the file's own setting belongs to the rest pose.
            points = points + default * offsets
    linear = transforms[..., :3]
    shapes = {
        name: np.einsum("vij,vj->vi", linear, offsets)
        for name, offsets in (halves | named).items()
        if offsets.any()
    }
    material: dict[str, Any] = {}
    if "material" in primitive:
        material = file.document["materials"][primitive["material"]]
    labels = [str(holder.get("name", "")) for holder in (material, mesh, node)]
    return Piece(
        name=_part_name(labels, bool(shapes)),
        points=np.einsum("vij,vj->vi", linear, points) + transforms[..., 3],
        triangles=file.triangles(primitive, len(points)),
        shapes=shapes,
        colors=_colors(file, primitive, material, len(points)),
    )


def _part_name(labels: list[str], moves: bool) -> str:
    """`skin`, `eye`, `teeth_upper`, ... from the names of material, mesh and node."""
    words = " ".join(labels).lower()
    for name, pattern in (
        ("lashes", "lash|eye.?line"),
        ("brows", "brow"),
        ("hair", "hair|beard|moustache"),
    ):
        if re.search(pattern, words):
            return name
    if re.search(r"eye(?!.?(?:lid|wear|glass|socket))|iris|sclera|cornea", words):
        return "eye"
    if re.search(r"teeth|tooth|gums?\b", words):
        upper, lower = (re.search(side, words) for side in ("upper|top", "lower|bottom"))
        return "teeth_upper" if upper else "teeth_lower" if lower else "teeth"
    if "tongue" in words:
        return "tongue"
    return "skin" if moves or re.search("skin|face|head", words) else "accessory"


def _colors(
    file: GltfFile,
    primitive: dict[str, Any],
    material: dict[str, Any],
    num_vertices: int,
) -> Float[np.ndarray, "vertices 3"] | None:
    """Linear colour per vertex; None where a texture holds it or nothing is said."""
    painted = primitive["attributes"].get("COLOR_0")
    surface = material.get("pbrMetallicRoughness")
    factor = None
    if surface is not None and "baseColorTexture" not in surface:
        factor = np.array(surface.get("baseColorFactor", [1, 1, 1, 1]), dtype=float)[:3]
    if painted is not None:
        return file.accessor(painted)[:, :3] * (1 if factor is None else factor)
    return None if factor is None else np.broadcast_to(factor, (num_vertices, 3))


def _welded(piece: Piece) -> Piece:
    """Vertices that lie and move alike joined, in the order of their first appearance."""
    columns = [piece.points, *piece.shapes.values()]
    columns += [piece.colors] if piece.colors is not None else []
    rows = np.ascontiguousarray(np.concatenate(columns, axis=1).astype(np.float32) + 0.0)
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.argsort(order)
    return _taken(piece, first[order], rank[group.ravel()][piece.triangles])


def _taken(piece: Piece, rows: np.ndarray, triangles: np.ndarray) -> Piece:
    return replace(
        piece,
        points=piece.points[rows],
        triangles=triangles,
        shapes={name: shape[rows] for name, shape in piece.shapes.items()},
        colors=None if piece.colors is None else piece.colors[rows],
    )


def _split_eyes(piece: Piece) -> list[Piece]:
    """Eyes as `eye_left` and `eye_right`, by the side they lie on."""
    if piece.name != "eye":
        return [piece]
    corners = piece.points[piece.triangles, 0].mean(axis=1)
    sides = []
    for name, triangles in (
        ("eye_left", piece.triangles[corners > 0]),
        ("eye_right", piece.triangles[corners <= 0]),
    ):
        rows, local = np.unique(triangles, return_inverse=True)
        if len(rows):
            sides.append(replace(_taken(piece, rows, local.reshape(-1, 3)), name=name))
    return sides
