"""Reads Anny: her neutral face and 52 expressions, as arrays in our axes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from kinevox import arkit

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

    # Anny imports Warp for a way of skinning that is not used here; without a GPU its start-up
    # prints a warning that nobody needs. Its levels count as those of `logging`.
    warp.config.log_level = logging.ERROR
    with _mute_stderr():
        warp.init()
    from anny import Anny

    with _one_thread():
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


@contextmanager
def _one_thread() -> Iterator[None]:
    """Anny is built from thousands of tiny products, in which a second thread only waits."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _mute_stderr() -> Iterator[None]:
    """Silences native code, which does not ask `sys.stderr`."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _our_axes(points: np.ndarray) -> np.ndarray:
    """Anny has z up and looks along -y."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)
