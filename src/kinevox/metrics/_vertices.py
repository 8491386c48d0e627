"""Parts of a face as point tracks, cheaply and in bounded memory; the head's own turn removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from kinevox.errors import AssetError
from kinevox.heads import BlendshapeHead, Head, inner_lip_gap
from kinevox.motion import Motion

_CHUNK_POINTS = 1_000_000
"""Points computed at once: 12 MB per array."""

POINTS_PER_REGION = 8
"""Points that stand for the lips, and as many for the upper face, in `face_points`."""


def region_vertices(
    head: Head, motion: Motion, indices: Int[np.ndarray, " region"]
) -> Float[np.ndarray, "frames region 3"]:
    """Some vertices of every frame [m], without head pose.

    A head that is linear in its weights computes only these; any other computes all of them,
    some frames at a time.
    """
    if isinstance(head, BlendshapeHead):
        shapes = head.shapes[:, indices].reshape(len(head.shape_names), -1)
        moved = head.weights(motion) @ shapes
        return moved.reshape(-1, len(indices), 3) + head.template[indices]
    chosen = np.empty((motion.num_frames, len(indices), 3), dtype=np.float32)
    for frames in _chunks(motion.num_frames, len(head.template)):
        piece = motion.replace(values=motion.values[frames])
        chosen[frames] = head.vertices(piece, head_pose=False)[:, indices]
    return chosen


def region_chunks(
    head: Head, motion: Motion, indices: Int[np.ndarray, " region"]
) -> Iterator[Float[np.ndarray, "frames region 3"]]:
    """`region_vertices`, some frames at a time."""
    for frames in _chunks(motion.num_frames, len(indices)):
        yield region_vertices(head, motion.replace(values=motion.values[frames]), indices)


def mouth_opening(head: Head, motion: Motion) -> Float[np.ndarray, " frames"]:
    """`inner_lip_gap` of a motion [m], from the vertices it needs alone."""
    pairs = head.regions.inner_lip_pairs
    here = replace(head.regions, inner_lip_pairs=np.arange(pairs.size).reshape(pairs.shape))
    return inner_lip_gap(region_vertices(head, motion, pairs.ravel()), here)


def face_points(head: Head, motion: Motion) -> Float[np.ndarray, "frames points 3"]:
    """A few points of lips and upper face, as displacement from the template [m]."""
    chosen = np.concatenate(
        [
            spread_points(head.template, region)
            for region in (head.regions.lips, head.regions.upper_face)
        ]
    )
    return region_vertices(head, motion, chosen) - head.template[chosen]


def spread_points(
    template: Float[np.ndarray, "vertices 3"],
    region: Int[np.ndarray, " region"],
    count: int = POINTS_PER_REGION,
) -> Int[np.ndarray, " points"]:
    """At most `count` vertices far apart: first the one furthest left, then ever the furthest.

    Source: farthest point sampling, Gonzalez 1985.
    """
    places = template[region]
    chosen = [int(places[:, 0].argmax())]
    away = np.linalg.norm(places - places[chosen[0]], axis=-1)
    while len(chosen) < min(count, len(region)):
        chosen.append(int(away.argmax()))
        away = np.minimum(away, np.linalg.norm(places - places[chosen[-1]], axis=-1))
    return region[chosen]


def require_region(head: Head, *names: str) -> None:
    """The head knows these regions.

    Raises:
        AssetError: some are empty.
    """
    empty = [name for name in names if not len(getattr(head.regions, name))]
    if empty:
        raise AssetError(
            f"Head '{head.name}' has no vertices in region {', '.join(empty)}, which this metric "
            "measures. Use a head that has them, such as anny."
        )


def _chunks(num_frames: int, points_per_frame: int) -> Iterator[slice]:
    step = max(_CHUNK_POINTS // max(points_per_frame, 1), 1)
    for start in range(0, num_frames, step):
        yield slice(start, start + step)
