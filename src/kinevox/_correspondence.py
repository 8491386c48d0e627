"""Which place on one face is which on another of different shape and topology.

Both faces look along z and stand upright, so they are brought together by scale and place (mouth
on mouth, eyes on eyes), then by rounds of closest points, then bent until the lips lie on each
other; each vertex of the target finally takes the nearest place whose normal points its way, which
keeps upper and lower lip apart though they touch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.interpolate import RBFInterpolator
from scipy.spatial import KDTree

from kinevox.errors import AssetError
from kinevox.heads import Head
from kinevox.motion import Motion

_REACH = 1.6
"""The face ends this many mouth-to-eyes distances from the middle between them."""
_SLACK = 0.1
"""Smoothing of the bending, in mouth-to-eyes distances."""
_NORMAL_LENGTH = 0.05
"""Weight of normals, and of opening, against places when looking for the nearest, in the same
unit."""
_FARTHEST = 0.25
"""Vertices with nothing nearer than this, in the same unit, are left out."""


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Vertices of the target and where on the source's surface they lie."""

    target_vertices: Int[np.ndarray, " points"]
    corners: Int[np.ndarray, "points corners"]
    """Source vertices around each place: three, or the one vertex of a shared topology."""
    shares: Float[np.ndarray, "points corners"]
    """Barycentric coordinates among them."""
    turn: Float[np.ndarray, "3 3"]
    """Takes displacements of the source to the target: rotation times scale."""

    def carry(
        self, displacements: Float[np.ndarray, "frames vertices 3"]
    ) -> Float[np.ndarray, "frames points 3"]:
        """The source's displacements at the target's vertices, in the target's size."""
        first, *others = range(self.corners.shape[1])
        carried = self.shares[:, first, None] * displacements[:, self.corners[:, first]]
        for k in others:
            carried += self.shares[:, k, None] * displacements[:, self.corners[:, k]]
        return carried @ self.turn.T


def correspond(source: Head, target: Head) -> Correspondence:
    """Matches the target's face, eyes, teeth and tongue with the source's.

    Raises:
        AssetError: a head's mouth is not known or the faces do not come together.
    """
    if _same_topology(source, target):
        vertices = np.arange(len(target.template))
        return Correspondence(
            target_vertices=vertices,
            corners=vertices[:, None],
            shares=np.ones((len(vertices), 1), dtype=np.float32),
            turn=np.eye(3, dtype=np.float32),
        )
    unit = _Frame.of(target).size
    front = _front(target)
    turn, offset = _similarity(source, target, front)
    moved = source.template @ turn.T + offset
    onto = _Surface.of(target, target.template.astype(float))
    bent = _Surface.of(source, _bent(source, target, moved, onto, unit))
    found = [bent.limited(_part(source, "skin")).nearest(onto, front, unit)]
    for name in sorted({part.name for part in target.parts} - {"skin"}):
        there, here = _part(source, name), np.flatnonzero(_part(target, name))
        if there.any() and len(here):
            boxed = _Surface.of(source, _boxed(moved, there, onto.places[here]))
            found.append(boxed.limited(there).nearest(onto, here, unit))
    vertices, corners, shares = (np.concatenate(column) for column in zip(*found, strict=True))
    if len(vertices) < 0.3 * len(front):
        raise AssetError(
            f"Heads '{source.name}' and '{target.name}' do not come together: only "
            f"{len(vertices)} of {len(front)} vertices of the face found a counterpart. Check "
            "that both are faces that stand along +y."
        )
    return Correspondence(vertices, corners, shares.astype(np.float32), turn.astype(np.float32))


def _same_topology(source: Head, target: Head) -> bool:
    return source.template.shape == target.template.shape and np.array_equal(
        source.triangles, target.triangles
    )


@dataclass(frozen=True)
class _Frame:
    """Where a face is: its mouth, its eyes and the distance between them."""

    mouth: Float[np.ndarray, " 3"]
    eyes: Float[np.ndarray, " 3"]

    @property
    def size(self) -> float:
        return float(np.linalg.norm(self.eyes - self.mouth))

    @classmethod
    def of(cls, head: Head, other: Head | None = None) -> _Frame:
        """The frame of `head`; from its eyeballs only if `other` has them too."""
        pairs = head.regions.inner_lip_pairs
        if len(pairs) == 0:
            raise AssetError(
                f"Head '{head.name}' has no known lips, so it cannot be matched with another head."
            )
        eyes = [_part(head, name) for name in ("eye_left", "eye_right")]
        both = (
            [*eyes, *(_part(other, name) for name in ("eye_left", "eye_right"))] if other else eyes
        )
        template = head.template.astype(float)
        if all(part.any() for part in both):
            middle = np.mean([_middle(template[part]) for part in eyes], axis=0)
        elif len(head.regions.upper_face):
            middle = _middle(template[head.regions.upper_face])
        else:
            raise AssetError(
                f"Head '{head.name}' has no known upper face, so it cannot be matched."
            )
        return cls(template[pairs].mean(axis=(0, 1)), middle)


def _middle(points: np.ndarray) -> np.ndarray:
    return (points.min(axis=0) + points.max(axis=0)) / 2


def _part(head: Head, name: str) -> Bool[np.ndarray, " vertices"]:
    found = np.zeros(len(head.template), dtype=bool)
    for part in head.parts:
        found[part.start : part.stop] |= part.name == name
    return found


def _front(head: Head) -> Int[np.ndarray, " front"]:
    """Vertices of the face: skin that looks forward, not too far from mouth and eyes."""
    frame, normals = _Frame.of(head), _normals(head)
    ahead = normals[head.regions.upper_face, 2]
    if len(ahead) and ahead.mean() < 0:
        raise AssetError(
            f"Head '{head.name}' looks backwards; a face must look along +z and stand along +y."
        )
    away = np.linalg.norm(head.template - (frame.mouth + frame.eyes) / 2, axis=1)
    forward = (normals[:, 2] > 0.1) | np.isin(np.arange(len(away)), head.regions.lips)
    return np.flatnonzero(_part(head, "skin") & forward & (away < _REACH * frame.size))


def _normals(head: Head) -> Float[np.ndarray, "vertices 3"]:
    corners = head.template.astype(float)[head.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros(head.template.shape)
    for k in range(3):
        np.add.at(total, head.triangles[:, k], faces)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def _similarity(
    source: Head, target: Head, front: Int[np.ndarray, " front"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, " 3"]]:
    """Scale times rotation, and shift, from landmarks and ten rounds of closest points."""
    here, there = _Frame.of(source, target), _Frame.of(target, source)
    scale = there.size / here.size
    turn, offset = scale * np.eye(3), there.mouth - scale * here.mouth
    face = _front(source)
    points, normals = source.template[face].astype(float), _normals(source)[face]
    goals = np.hstack(
        [target.template[front], _NORMAL_LENGTH * there.size * _normals(target)[front]]
    )
    tree = KDTree(goals)
    lips = [
        head.template[head.regions.inner_lip_pairs].mean(axis=(0, 1)) for head in (source, target)
    ]
    for _ in range(10):
        rotation = turn / np.cbrt(np.linalg.det(turn))
        moved = np.hstack(
            [points @ turn.T + offset, _NORMAL_LENGTH * there.size * normals @ rotation.T]
        )
        away, nearest = (np.asarray(found) for found in tree.query(moved))
        near = away < np.percentile(away, 80)
        # The mouth counts as much as a fifth of the face, so that it stays where it belongs.
        extra = max(int(near.sum() / 5), 1)
        turn, offset = _umeyama(
            np.vstack([points[near], np.tile(lips[0], (extra, 1))]),
            np.vstack([goals[nearest[near], :3], np.tile(lips[1], (extra, 1))]),
        )
    return turn, offset


def _umeyama(
    points: Float[np.ndarray, "n 3"], goals: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, " 3"]]:
    """The similarity that brings points nearest to goals (Umeyama 1991, Eqs. 40-42)."""
    mean, aim = points.mean(axis=0), goals.mean(axis=0)
    left, singular, right = np.linalg.svd((goals - aim).T @ (points - mean))
    sign = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    scale = (singular * sign).sum() / np.sum((points - mean) ** 2)
    turn = scale * (left * sign) @ right
    return turn, aim - turn @ mean


def _bent(
    source: Head,
    target: Head,
    moved: Float[np.ndarray, "vertices 3"],
    onto: _Surface,
    unit: float,
) -> Float[np.ndarray, "vertices 3"]:
    """The aligned source, bent smoothly until its mouth and surface lie on the target's."""
    lips_here, lips_there = _lip_line(source, moved), _lip_line(target, onto.places)
    face = _front(source)
    few = face[:: max(len(face) // 300, 1)]
    skin = onto.limited(_part(target, "skin"))
    bent = moved.copy()
    for _ in range(3):
        near, corners, shares = skin.nearest(_Surface.of(source, bent), few, unit)
        knots = np.vstack([moved[near], lips_here])
        aims = np.vstack([np.einsum("pc,pcd->pd", shares, onto.places[corners]), lips_there])
        # Lips are tied, the rest of the surface is drawn.
        slack = np.concatenate([np.full(len(near), _SLACK * unit), np.zeros(len(lips_here))])
        warp = RBFInterpolator(
            knots,
            aims - knots,
            kernel="linear",
            smoothing=slack,  # type: ignore[arg-type]
        )
        bent = moved + warp(moved)
    return bent


def _lip_line(head: Head, at: Float[np.ndarray, "vertices 3"]) -> Float[np.ndarray, "columns 3"]:
    """Nine places along the line where the lips touch.

    They span the part that opens at least half as wide as the middle, which is found alike on
    fine and coarse meshes, whose outermost columns lie nearer to or farther from the corners.
    """
    pairs = head.regions.inner_lip_pairs
    line = at[pairs].mean(axis=1)
    if len(line) < 3:
        return line.mean(axis=0, keepdims=True)
    opened = _opened(head)[:, 1]
    gap = opened[pairs[:, 0]] - opened[pairs[:, 1]]
    wide = gap / max(gap.max(), 1e-9)
    peak = int(wide.argmax())
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    right = np.interp(0.5, wide[: peak + 1], along[: peak + 1])
    left = np.interp(-0.5, -wide[peak:], along[peak:])
    places = np.linspace(right, left, 9)
    return np.stack([np.interp(places, along, line[:, k]) for k in range(3)], axis=1)


def _opened(head: Head) -> Float[np.ndarray, "vertices 3"]:
    """Displacement when the mouth opens, whatever the layout calls it."""
    values = head.layout.neutral[None].copy()
    for name, amount in (("jawOpen", 1.0), ("jaw_x", 0.2)):
        if name in head.layout.names:
            values[0, head.layout.index(name)] = amount
    return head.vertices(Motion(values, layout=head.layout))[0] - head.template


def _boxed(
    moved: Float[np.ndarray, "vertices 3"],
    part: Bool[np.ndarray, " vertices"],
    onto: Float[np.ndarray, "points 3"],
) -> Float[np.ndarray, "vertices 3"]:
    """The source moved so that one part fills the same box as on the target."""
    size = np.maximum(np.ptp(moved[part], axis=0), 1e-6)
    return (moved - _middle(moved[part])) * np.ptp(onto, axis=0) / size + _middle(onto)


@dataclass(frozen=True, eq=False)
class _Surface:
    """A mesh at some place, and how much each vertex takes part in the mouth's opening."""

    places: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    normals: Float[np.ndarray, "vertices 3"]
    opening: Float[np.ndarray, " vertices"]

    @classmethod
    def of(cls, head: Head, places: Float[np.ndarray, "vertices 3"]) -> _Surface:
        down = -_opened(head)[:, 1]
        return cls(
            places, head.triangles, _normals(head), down / max(np.percentile(down, 99), 1e-9)
        )

    def limited(self, allowed: Bool[np.ndarray, " vertices"]) -> _Surface:
        """Only the triangles between allowed vertices."""
        return replace(self, triangles=self.triangles[allowed[self.triangles].all(axis=1)])

    def nearest(
        self, other: _Surface, numbers: Int[np.ndarray, " points"], unit: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For some vertices of another surface the nearest places on this one.

        Returns:
            Vertices that have one, the corners around their places, and the corners' shares.
        """
        points, normals = other.places[numbers], other.normals[numbers]
        corners = self.places[self.triangles]
        faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        faces /= np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-12)
        opening = self.opening[self.triangles].mean(axis=1)
        stretch = _NORMAL_LENGTH * unit
        tree = KDTree(np.column_stack([corners.mean(axis=1), stretch * faces, stretch * opening]))
        keys = np.column_stack([points, stretch * normals, stretch * other.opening[numbers]])
        near = np.asarray(tree.query(keys, k=min(24, len(corners)))[1]).reshape(len(keys), -1)
        shares = _closest_shares(corners[near], points[:, None])
        places = np.einsum("pkc,pkcd->pkd", shares, corners[near])
        away = np.linalg.norm(places - points[:, None], axis=-1)
        # Lips and lids that touch differ in their normals and in whether they open. Only a clear
        # difference counts: a mere slope must not make points slide.
        opposed = np.maximum(0.5 - np.einsum("pkd,pd->pk", faces[near], normals), 0)
        parted = np.maximum(np.abs(opening[near] - other.opening[numbers, None]) - 0.3, 0)
        best = np.argmin(away + unit * (opposed + parted), axis=1)
        each = np.arange(len(points))
        kept = (away[each, best] < _FARTHEST * unit) & (parted[each, best] < 0.2)
        return numbers[kept], self.triangles[near[each, best]][kept], shares[each, best][kept]


def _closest_shares(
    corners: Float[np.ndarray, "*batch 3 3"], point: Float[np.ndarray, "*#batch 3"]
) -> Float[np.ndarray, "*batch 3"]:
    """Barycentric coordinates of the place on each triangle that is closest to the point."""
    a, b, c = (corners[..., k, :] for k in range(3))
    u, v, w = b - a, c - a, point - a
    uu, uv, vv = (np.sum(p * q, axis=-1) for p, q in ((u, u), (u, v), (v, v)))
    wu, wv = (np.sum(w * p, axis=-1) for p in (u, v))
    area = np.maximum(uu * vv - uv * uv, 1e-30)
    s, t = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    inside = (s >= 0) & (t >= 0) & (s + t <= 1)
    options = [np.stack([1 - s - t, s, t], axis=-1)]
    lengths = [np.where(inside, 0.0, np.inf)]
    # Outside, the closest place lies on one of the three edges.
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, edge = corners[..., first, :], corners[..., second, :] - corners[..., first, :]
        along = np.sum((point - start) * edge, axis=-1)
        along = np.clip(along / np.maximum(np.sum(edge * edge, axis=-1), 1e-30), 0, 1)
        share = np.zeros((*along.shape, 3))
        share[..., first], share[..., second] = 1 - along, along
        options.append(share)
        lengths.append(np.linalg.norm(start + along[..., None] * edge - point, axis=-1))
    best = np.argmin(np.stack(lengths), axis=0)
    return np.take_along_axis(np.stack(options), best[None, ..., None], axis=0)[0]
