"""Any glTF avatar (.glb, .gltf, .vrm) whose morph targets carry ARKit names.

Every mesh that moves with an ARKit target, and every rigid one beside it (eyes, teeth, hair), is
brought to the avatar's rest pose and joined into one head. Textures are not read.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox import arkit
from kinevox.errors import AssetError
from kinevox.heads._base import BlendshapeHead, Part, Regions
from kinevox.heads._gltf_file import GltfFile
from kinevox.heads._gltf_pieces import Piece, read_pieces
from kinevox.heads._regions_by_motion import find_regions
from kinevox.motion import ARKIT

_log = logging.getLogger(__name__)

_STILL = 1e-5
"""A target that moves nothing farther than this counts as missing [m]."""


@dataclass(frozen=True)
class Coverage:
    """Which of the 52 ARKit expressions a head can show."""

    present: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        text = f"{len(self.present)} of {len(arkit.NAMES)} ARKit expressions"
        return f"{text}; missing: {', '.join(self.missing)}" if self.missing else text


def coverage(head: BlendshapeHead) -> Coverage:
    """Expressions the head has a shape for, and those it lacks."""
    present = tuple(name for name in arkit.NAMES if name in head.shape_names)
    return Coverage(present, tuple(name for name in arkit.NAMES if name not in present))


def load_gltf(path: Path | str | None = None) -> BlendshapeHead:
    """The avatar as a head of layout `arkit`; expressions it lacks leave it at rest.

    The origin is the node named like a head (`Head`, `mixamorig:Head`, `J_Bip_C_Head`, or the
    one that a VRM calls head), else the centre of what moves. Vertices that differ only in their
    normal or texture coordinate are joined.

    Raises:
        AssetError: not a readable glTF file, compressed, or no target has an ARKit name.
    """
    if path is None:
        raise AssetError("Head 'gltf' needs the avatar's file: write its path, e.g. avatar.glb.")
    path = Path(path)
    file = GltfFile(path)
    try:
        pieces, names = read_pieces(file)
        origin = _head_joint(file)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise AssetError(f"{path} contradicts the glTF 2.0 standard: {error!r}.") from None
    moving = [piece for piece in pieces if piece.shapes]
    if not moving:
        listing = ", ".join(sorted(names)[:60]) if names else "none"
        raise AssetError(
            f"{path}: no morph target carries an ARKit name such as jawOpen. "
            f"Its targets: {listing}."
        )
    # A body or clothes further down are not part of the head.
    low, high = _box(moving)
    grown = 0.25 * (high - low)
    centers = [piece.points.mean(axis=0) for piece in pieces]
    pieces = [
        piece
        for piece, center in zip(pieces, centers, strict=True)
        if piece.shapes or ((center > low - grown) & (center < high + grown)).all()
    ]
    head = _joined(path.stem, pieces, (low + high) / 2 if origin is None else origin, file)
    found = coverage(head)
    if found.missing:
        _log.warning("%s has %s.", path, found)
    height = np.ptp(head.template[:, 1])
    if not 0.05 < height < 3:
        _log.warning("%s is %.3g m high; glTF is in meters. Check its scale.", path, height)
    if len(head.regions.inner_lip_pairs) == 0:
        _log.warning("%s: lips not found, since jawOpen does not part them.", path)
    return head


HEAD = load_gltf


def _head_joint(file: GltfFile) -> Float[np.ndarray, " 3"] | None:
    """Where the head turns: a joint or empty node that is named so."""
    nodes, extensions = file.document["nodes"], file.document.get("extensions", {})
    old_bones = extensions.get("VRM", {}).get("humanoid", {}).get("humanBones", [])
    bones = {bone["bone"]: bone for bone in old_bones}
    bones |= extensions.get("VRMC_vrm", {}).get("humanoid", {}).get("humanBones", {})
    if "head" in bones:
        return file.world[bones["head"]["node"]][:3, 3]
    joints = {joint for skin in file.document.get("skins", []) for joint in skin["joints"]}
    candidates = [
        number
        for number in file.world
        if re.search(r"(?:^|[^a-z])head$", nodes[number].get("name", ""), re.IGNORECASE)
        and (number in joints or "mesh" not in nodes[number])
    ]
    candidates.sort(key=lambda number: number not in joints)
    return file.world[candidates[0]][:3, 3] if candidates else None


def _box(pieces: list[Piece]) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate([piece.points for piece in pieces])
    return points.min(axis=0), points.max(axis=0)


def _joined(
    name: str, pieces: list[Piece], origin: Float[np.ndarray, " 3"], file: GltfFile
) -> BlendshapeHead:
    starts = np.cumsum([0] + [len(piece.points) for piece in pieces])
    template = np.concatenate([piece.points for piece in pieces]) - origin
    shapes = {}
    for arkit_name in arkit.NAMES:
        rows = [piece.shapes.get(arkit_name, np.zeros_like(piece.points)) for piece in pieces]
        shape = np.concatenate(rows)
        if np.abs(shape).max() > _STILL:
            shapes[arkit_name] = shape
    if "VRM" in file.document.get("extensions", {}):
        # VRM 0.x characters look along -z, all others along +z.
        turned = np.array([-1.0, 1.0, -1.0])
        template = template * turned
        shapes = {arkit_name: shape * turned for arkit_name, shape in shapes.items()}
    parts = tuple(
        Part(piece.name, int(start), int(stop))
        for piece, start, stop in zip(pieces, starts[:-1], starts[1:], strict=True)
    )
    skin = np.concatenate([np.full(len(piece.points), piece.name == "skin") for piece in pieces])
    colors = [piece.colors for piece in pieces]
    owner = file.document["asset"].get("copyright")
    return BlendshapeHead(
        name=name,
        layout=ARKIT,
        template=template.astype(np.float32),
        triangles=np.concatenate(
            [piece.triangles + start for piece, start in zip(pieces, starts[:-1], strict=True)]
        ),
        shape_names=tuple(shapes),
        shapes=np.stack(list(shapes.values())).astype(np.float32),
        parts=parts,
        regions=_regions(template, skin, shapes),
        colors=(
            None
            if any(color is None for color in colors)
            else np.concatenate([color for color in colors if color is not None]).astype(np.float32)
        ),
        credits={"avatar": str(owner)} if owner else {},
    )


def _regions(
    template: Float[np.ndarray, "vertices 3"],
    skin: np.ndarray,
    shapes: dict[str, Float[np.ndarray, "vertices 3"]],
) -> Regions:
    still = np.zeros_like(template)
    opening = shapes.get("jawOpen", still)
    upper = np.zeros(len(template), dtype=bool)
    for name, shape in shapes.items():
        if name.startswith(("brow", "eyeBlink", "eyeSquint", "eyeWide")):
            length = np.linalg.norm(shape, axis=1)
            upper |= length > 0.15 * length.max()
    return find_regions(template, skin, opening, upper)
