"""FLAME: the statistical head of the research field, from a file the user brings.

Expression, head rotation and jaw rotation follow DiffPoseTalk: the head turns at the root joint,
so neck and head move as one; neck and eyeballs stay at rest.

Source: Li et al. 2017, "Learning a model of facial shape and expression from 4D scans". As in the
code released with the model, and unlike the paper's Eq. 3, joints are regressed from the face with
its expression on, since every published fit was made that way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kinevox import rotation
from kinevox.errors import AssetError, ConfigError, MotionError
from kinevox.heads import _skinning
from kinevox.heads._base import Part, Regions
from kinevox.heads._flame_file import FlameModel, read_flame, read_pickle
from kinevox.heads._regions_by_motion import find_regions
from kinevox.motion import Motion, MotionLayout, flame_layout

_ROOT, _JAW, _LEFT_EYE, _RIGHT_EYE = 0, 2, 3, 4
_CHUNK_VERTICES = 1_000_000
"""Vertices skinned at once, about 100 MB of intermediate arrays."""

_CREDITS = {
    "FLAME": "Max Planck Institute for Intelligent Systems, https://flame.is.tue.mpg.de, "
    "under the licence the model file was obtained with",
}


@dataclass(frozen=True, eq=False)
class FlameHead:
    """FLAME with one person's shape; the origin is the root joint of that shape at rest."""

    name: str
    layout: MotionLayout
    template: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    joints: Float[np.ndarray, "joints 3"]
    """Where the joints of this shape lie at rest: root, neck, jaw, left eye, right eye."""
    model: FlameModel
    parts: tuple[Part, ...]
    regions: Regions
    credits: Mapping[str, str] = field(default_factory=lambda: _CREDITS)

    def vertices(
        self, motion: Motion, *, head_pose: bool = True
    ) -> Float[np.ndarray, "frames vertices 3"]:
        """Vertices of every frame [m]; without `head_pose` the root joint stays still.

        Raises:
            MotionError: the motion has another layout.
        """
        if motion.layout != self.layout:
            raise MotionError(
                f"Head '{self.name}' takes motion of layout '{self.layout.name}', this one is "
                f"'{motion.layout.name}'. Use `kinevox convert` to retarget it."
            )
        posed = np.empty((motion.num_frames, *self.template.shape), dtype=np.float32)
        step = max(_CHUNK_VERTICES // len(self.template), 1)
        for start in range(0, motion.num_frames, step):
            frames = slice(start, start + step)
            turns = np.zeros((len(posed[frames]), len(self.model.parents), 3))
            turns[:, _JAW] = motion.group("jaw")[frames]
            if head_pose:
                turns[:, _ROOT] = motion.group("head")[frames]
            posed[frames] = self._pose(motion.group("expression")[frames], turns)
        return posed

    def _pose(
        self,
        expression: Float[np.ndarray, "frames expressions"],
        turns: Float[np.ndarray, "frames joints 3"],
    ) -> Float[np.ndarray, "frames vertices 3"]:
        model, (frames, k) = self.model, expression.shape
        rotations = rotation.matrix_from_axis_angle(turns).astype(np.float32)
        shaped = self.template + (expression @ self._expression_rows[:k]).reshape(frames, -1, 3)
        joints = self.joints + (expression @ self._joint_rows[:k]).reshape(frames, -1, 3)
        correctives = _skinning.pose_features(rotations) @ self._corrective_rows
        transforms = _skinning.joint_transforms(rotations, joints, model.parents)
        return _skinning.skin(
            shaped + correctives.reshape(frames, -1, 3), model.skinning_weights, transforms
        )

    @cached_property
    def _expression_rows(self) -> Float[np.ndarray, "expressions coordinates"]:
        return _rows(self.model.expression)

    @cached_property
    def _joint_rows(self) -> Float[np.ndarray, "expressions coordinates"]:
        return _rows(np.einsum("jv,vck->jck", self.model.joint_regressor, self.model.expression))

    @cached_property
    def _corrective_rows(self) -> Float[np.ndarray, "features coordinates"]:
        return _rows(self.model.pose_correctives)


def _rows(basis: Float[np.ndarray, "vertices 3 k"]) -> Float[np.ndarray, "k coordinates"]:
    return np.ascontiguousarray(basis.reshape(-1, basis.shape[-1]).T)


def load_flame(
    path: Path | str | None = None,
    *,
    identity: Float[np.ndarray, " identities"] | None = None,
    num_expressions: int = 50,
    masks: Path | str | None = None,
) -> FlameHead:
    """FLAME from its published pickle, an npz with the same keys or a converted file.

    Args:
        identity: Shape coefficients of the person (at most 300); the mean face by default.
        num_expressions: 50 (DiffPoseTalk) or 100 (ARTalk).
        masks: FLAME_masks.pkl, which gives exact lips and upper face; without it both are
            estimated from the way the mesh moves.

    Raises:
        AssetError: a file is missing, is not FLAME or asks for something it should not.
        ConfigError: more coefficients are asked for than the file has.
    """
    if path is None:
        raise AssetError("Head 'flame' needs the model's file: write flame:generic_model.pkl.")
    path = Path(path)
    model = read_flame(path)
    if not 0 < num_expressions <= model.expression.shape[-1]:
        raise ConfigError(
            f"num_expressions is {num_expressions}; {path} has {model.expression.shape[-1]}."
        )
    betas = np.zeros(0) if identity is None else np.asarray(identity, dtype=np.float32)
    if betas.ndim != 1 or len(betas) > model.identity.shape[-1]:
        raise ConfigError(
            f"identity has shape {betas.shape}; expected at most {model.identity.shape[-1]} "
            "numbers in one row."
        )
    template = model.template + model.identity[..., : len(betas)] @ betas
    joints = model.joint_regressor @ template
    template, joints = (template - joints[_ROOT]), (joints - joints[_ROOT])
    parts = _parts(template, model.triangles)
    head = FlameHead(
        name="flame",
        layout=flame_layout(num_expressions),
        template=template,
        triangles=model.triangles,
        joints=joints,
        model=model,
        parts=parts,
        regions=Regions(*(np.zeros(shape, dtype=np.int64) for shape in (0, (0, 2), 0))),
    )
    skin = np.zeros(len(template), dtype=bool)
    for part in parts:
        skin[part.start : part.stop] = part.name == "skin"
    regions = find_regions(template, skin, _opening(head), _around_eyes(template, joints))
    if masks is not None:
        regions = _masked(regions, Path(masks), len(template))
    return replace(head, regions=regions)


HEAD = load_flame


def _opening(head: FlameHead) -> Float[np.ndarray, "vertices 3"]:
    """Displacement when the jaw turns down by 0.2 rad."""
    layout = head.layout
    values = np.zeros((1, layout.num_channels))
    values[0, layout.index("jaw_x")] = 0.2
    return head.vertices(Motion(values, layout=layout))[0] - head.template


def _around_eyes(
    template: Float[np.ndarray, "vertices 3"], joints: Float[np.ndarray, "joints 3"]
) -> Bool[np.ndarray, " vertices"]:
    """Brows, forehead and eyelids: in front, not below the cheekbones, near an eye joint."""
    eyes = joints[[_LEFT_EYE, _RIGHT_EYE]]
    between = np.linalg.norm(eyes[0] - eyes[1])
    away = np.linalg.norm(template[:, None] - eyes, axis=-1).min(axis=1)
    middle = eyes.mean(axis=0)
    above = template[:, 1] > middle[1] - 0.25 * between
    return above & (away < 1.2 * between) & (template[:, 2] > middle[2] - 0.3 * between)


def _parts(
    template: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "triangles 3"]
) -> tuple[Part, ...]:
    """The largest connected piece is skin; FLAME's two others are the eyeballs."""
    v = len(template)
    ends = triangles[:, [0, 1, 1, 2]].reshape(-1, 2).T
    graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(v, v))
    _, piece = connected_components(graph, directed=False)
    largest = np.bincount(piece).argmax()
    left = np.bincount(piece, weights=template[:, 0]) > 0
    starts = np.flatnonzero(np.diff(piece, prepend=-1))
    return tuple(
        Part(
            "skin" if piece[a] == largest else "eye_left" if left[piece[a]] else "eye_right",
            int(a),
            int(b),
        )
        for a, b in zip(starts, [*starts[1:], v], strict=True)
    )


def _masked(regions: Regions, path: Path, num_vertices: int) -> Regions:
    """Regions with lips and upper face taken from FLAME_masks.pkl."""
    try:
        masks = read_pickle(path.read_bytes(), path)
    except FileNotFoundError:
        raise AssetError(
            f"{path} does not exist; give the FLAME_masks.pkl of your FLAME."
        ) from None
    sets = {}
    for name in ("lips", "forehead", "eye_region"):
        vertices = np.asarray(masks.get(name))
        if vertices.dtype.kind not in "iu" or vertices.max(initial=0) >= num_vertices:
            raise AssetError(
                f"{path} has no mask '{name}' of this mesh; expected FLAME_masks.pkl, whose masks "
                f"list vertex numbers below {num_vertices}."
            )
        sets[name] = vertices.astype(np.int64).ravel()
    return Regions(
        lips=sets["lips"],
        inner_lip_pairs=regions.inner_lip_pairs,
        upper_face=np.union1d(sets["forehead"], sets["eye_region"]),
    )
