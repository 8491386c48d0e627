"""glTF 2.0 binary: one mesh per part, morph targets by ARKit name, one animation.

The scene holds a node `head` that turns about its origin and, below it, one node per part
(skin, eyes, teeth, tongue). A part carries the targets that move it, named in
`mesh.extras.targetNames`, and its own weights channel. Key t lies at t / fps seconds; weights
are not clamped. glTF cannot hold sound, so a wav of the same base name lies beside the file.

Targets move the normals too, without which closed lids and open mouths are shaded as if at rest.
They are sparse accessors, which cut the file several times; `.dense.glb` writes plain
ones for importers that do not expand them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kinevox import rotation
from kinevox.export._base import Animation, Exporter
from kinevox.export._gltf_read import read_motion
from kinevox.export._parts import (
    NORMAL_STILL,
    STILL,
    PartMesh,
    blendshape_head,
    part_meshes,
    provenance,
)
from kinevox.export._sound import write_sound
from kinevox.files import written_whole

if TYPE_CHECKING:
    import pygltflib

    from kinevox.export._gltf_build import Buffer
    from kinevox.heads import BlendshapeHead

_MATERIALS = {
    "skin": ((0.72, 0.48, 0.38), 0.55),
    "eye": ((0.85, 0.85, 0.85), 0.12),
    "teeth": ((0.80, 0.76, 0.68), 0.25),
    "tongue": ((0.55, 0.20, 0.20), 0.35),
}
"""By the first word of a part's name: linear colour where the head has no paint, roughness."""


def write(animation: Animation, path: Path, *, sparse: bool = True) -> None:
    """Writes mesh, targets and animation, and the sound beside them."""
    head = blendshape_head(animation, "A GLB")
    sparse = sparse and not path.name.lower().endswith(".dense.glb")
    with written_whole(path) as temporary:
        temporary.write_bytes(_document(animation, head, sparse))
        write_sound(animation.speech, path, EXPORTER.suffixes)


def _document(animation: Animation, head: BlendshapeHead, sparse: bool) -> bytes:
    import pygltflib as gltf

    from kinevox.export._gltf_build import Buffer

    motion = animation.motion
    notes = provenance(animation)
    children: list[int] = []
    document = gltf.GLTF2(
        asset=gltf.Asset(
            generator=notes.pop("generator"),
            copyright="; ".join(f"{key}: {value}" for key, value in head.credits.items()) or None,
            extras=notes,
        ),
        scene=0,
        scenes=[gltf.Scene(name=animation.name, nodes=[0])],
        nodes=[gltf.Node(name="head", children=children)],
        animations=[gltf.Animation(name=animation.name)],
    )
    buffer = Buffer(document)
    times = buffer.plain(motion.times.astype(np.float32), bounds=True)
    turns = _steady_sign(
        rotation.quaternion_from_axis_angle(motion.group("head").astype(np.float64))
    )
    xyzw = np.roll(turns, -1, axis=-1).astype(np.float32)
    _add_channel(document, 0, "rotation", times, buffer.plain(xyzw))

    weights = dict(zip(head.shape_names, head.weights(motion).T, strict=True))
    for part in part_meshes(head):
        document.materials.append(_material(part))
        document.meshes.append(_mesh(part, buffer, len(document.materials) - 1, sparse))
        document.nodes.append(gltf.Node(name=part.name, mesh=len(document.meshes) - 1))
        node = len(document.nodes) - 1
        children.append(node)
        if part.shape_names:
            curves = np.stack([weights[name] for name in part.shape_names], axis=1)
            output = buffer.plain(np.ascontiguousarray(curves).reshape(-1))
            _add_channel(document, node, "weights", times, output)
    return buffer.finish()


def _mesh(part: PartMesh, buffer: Buffer, material: int, sparse: bool) -> pygltflib.Mesh:
    import pygltflib as gltf

    vertices = {"target": gltf.ARRAY_BUFFER}
    attributes = gltf.Attributes(
        POSITION=buffer.plain(part.points, bounds=True, **vertices),
        NORMAL=buffer.plain(part.normals, **vertices),
    )
    if part.colors is not None:
        rgba = np.concatenate([part.colors.clip(0, 1), np.ones((len(part.colors), 1))], axis=1)
        # Sixteen bits keep dark linear colours free of bands at two thirds of a float's size.
        color = np.round(rgba * 65535).astype(np.uint16)
        attributes.COLOR_0 = buffer.plain(color, normalized=True, **vertices)
    index = part.triangles.astype(np.uint16 if len(part.points) < 65536 else np.uint32)
    targets = []
    for shape, turned in zip(part.shapes, part.normal_shapes, strict=True):
        targets.append(
            gltf.Attributes(
                POSITION=buffer.displacements(_kept(shape, STILL), sparse=sparse),
                NORMAL=buffer.displacements(_kept(turned, NORMAL_STILL), sparse=sparse),
            )
        )
    primitive = gltf.Primitive(
        attributes=attributes,
        indices=buffer.plain(index.reshape(-1), target=gltf.ELEMENT_ARRAY_BUFFER),
        material=material,
        targets=targets or None,
    )
    mesh = gltf.Mesh(name=part.name, primitives=[primitive])
    if targets:
        mesh.weights = [0.0] * len(targets)
        mesh.extras = {"targetNames": list(part.shape_names)}
    return mesh


def _kept(displacements: np.ndarray, least: float) -> np.ndarray:
    """Rows in which any component exceeds `least`; the others become zero."""
    moves = (np.abs(displacements) > least).any(axis=1, keepdims=True)
    return np.where(moves, displacements, 0).astype(np.float32)


def _material(part: PartMesh) -> pygltflib.Material:
    import pygltflib as gltf

    color, roughness = _MATERIALS.get(part.name.split("_")[0], _MATERIALS["skin"])
    base = (1.0, 1.0, 1.0) if part.colors is not None else color
    return gltf.Material(
        name=part.name,
        pbrMetallicRoughness=gltf.PbrMetallicRoughness(
            baseColorFactor=[*base, 1.0], metallicFactor=0.0, roughnessFactor=roughness
        ),
        # The inside of the cheeks and of the eyelids is seen through the open mouth and lids.
        doubleSided=True,
    )


def _add_channel(document: pygltflib.GLTF2, node: int, path: str, times: int, output: int) -> None:
    import pygltflib as gltf

    animation = document.animations[0]
    animation.samplers.append(
        gltf.AnimationSampler(input=times, output=output, interpolation=gltf.ANIM_LINEAR)
    )
    animation.channels.append(
        gltf.AnimationChannel(
            sampler=len(animation.samplers) - 1,
            target=gltf.AnimationChannelTarget(node=node, path=path),
        )
    )


def _steady_sign(quaternions: np.ndarray) -> np.ndarray:
    """The same rotations with signs chosen so that neighbours lie close together."""
    flips = np.sum(quaternions[1:] * quaternions[:-1], axis=1) < 0
    signs = np.where(np.cumsum(np.concatenate([[False], flips])) % 2, -1.0, 1.0)
    return quaternions * signs[:, None]


EXPORTER = Exporter(
    suffixes=(".glb", ".dense.glb"),
    summary="glTF 2.0: animated head with morph targets (Blender, Unity, Unreal, three.js)",
    write=write,
    read=read_motion,
)
