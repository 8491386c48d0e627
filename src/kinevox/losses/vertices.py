"""Distances between faces, for networks that make motion.

An embedding takes motion to coordinates whose mean squared difference is that of the vertices
[m^2], skull held still. For a head that is linear in its weights, vertices need not be computed:
with its shapes S (channels x coordinates) and G = S S^T / coordinates, the Gram matrix,

    mean (S^T a - S^T b)^2 = (a - b)^T G (a - b) = |R^T (a - b)|^2,  G = R R^T

so R^T a, as many numbers as there are channels, stands for thousands of vertices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kinevox.errors import ConfigError, MotionError
from kinevox.heads import BlendshapeHead, Head
from kinevox.heads.flame import FlameHead
from kinevox.motion import MotionLayout


class GramEmbedding:
    """A linear head; exact, at the cost of a product with a small matrix."""

    def __init__(self, head: BlendshapeHead, vertices: Sequence[int] | np.ndarray | None = None):
        layout = head.layout
        shapes = head.shapes if vertices is None else head.shapes[:, vertices]
        rows = shapes.reshape(len(shapes), -1).astype(np.float64)
        root = np.zeros((layout.num_channels, len(rows)))
        values, vectors = np.linalg.eigh(rows @ rows.T / rows.shape[1])
        # The mean over coordinates is to be the square, so each counts for all.
        scale = np.sqrt(values.clip(min=0) * len(rows))
        root[[layout.index(name) for name in head.shape_names]] = vectors * scale
        self._root = torch.from_numpy(root.astype(np.float32))

    def __call__(
        self, motion: Float[Tensor, "*batch channels"]
    ) -> Float[Tensor, "*batch coordinates"]:
        self._root = self._root.to(motion.device)
        return motion @ self._root


class FlameEmbedding:
    """FLAME's vertices, whose jaw turns; as `FlameHead.vertices` without head pose, in torch."""

    def __init__(self, head: FlameHead, vertices: Sequence[int] | np.ndarray | None = None):
        model, layout = head.model, head.layout
        chosen = np.arange(len(head.template)) if vertices is None else np.asarray(vertices)
        count = layout.group("expression").stop
        basis = model.expression[..., :count]
        self._layout = layout
        jaw = 2
        regressor = model.joint_regressor[jaw]
        self._arrays = [
            torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32)
            for array in (
                head.template[chosen],
                basis[chosen],
                # Of the pose correctives, only those of the jaw matter: other joints stay still.
                model.pose_correctives[chosen][..., 9 * (jaw - 1) : 9 * jaw],
                model.skinning_weights[chosen, jaw],
                head.joints[jaw],
                np.tensordot(np.asarray(regressor), basis, axes=(0, 0)),
            )
        ]

    def __call__(
        self, motion: Float[Tensor, "*batch channels"]
    ) -> Float[Tensor, "*batch coordinates"]:
        self._arrays = [array.to(motion.device) for array in self._arrays]
        template, basis, correctives, weights, joint, joint_rows = self._arrays
        expression = motion[..., self._layout.group("expression")]
        turn = rotation_matrix(motion[..., self._layout.group("jaw")])
        bent = (turn - torch.eye(3, device=motion.device)).flatten(-2)
        shaped = template + torch.einsum("...k,vck->...vc", expression, basis)
        shaped = shaped + torch.einsum("...k,vck->...vc", bent, correctives)
        center = (joint + torch.einsum("...k,ck->...c", expression, joint_rows))[..., None, :]
        opened = (shaped - center) @ turn.transpose(-1, -2) + center
        return (shaped + weights[:, None] * (opened - shaped)).flatten(-2)


def embedding(
    head: Head, layout: MotionLayout, vertices: np.ndarray | None = None
) -> GramEmbedding | FlameEmbedding:
    """How motion is measured on a head.

    Args:
        vertices: Those that count; all by default.

    Raises:
        MotionError: the head takes another layout.
        ConfigError: it is neither linear nor FLAME.
    """
    if head.layout != layout:
        raise MotionError(
            f"Motion of layout '{layout.name}' cannot be measured on head '{head.name}', which "
            f"takes '{head.layout.name}'. Give another --network.head, or '' for none."
        )
    if isinstance(head, BlendshapeHead):
        return GramEmbedding(head, vertices)
    if isinstance(head, FlameHead):
        return FlameEmbedding(head, vertices)
    raise ConfigError(f"Head '{head.name}' has no vertices that can be learned from.")


def rotation_matrix(axis_angle: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Rodrigues' formula, smooth at zero."""
    square = axis_angle.square().sum(-1)[..., None, None]
    # sin(a)/a and (1 - cos(a))/a^2 have no gradient at 0 as written, so small angles get a series.
    small = square < 1e-6
    angle = torch.where(small, torch.ones_like(square), square).sqrt()
    first = torch.where(small, 1 - square / 6, angle.sin() / angle)
    second = torch.where(small, 0.5 - square / 24, (1 - angle.cos()) / angle**2)
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    cross = torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
    return torch.eye(3, device=axis_angle.device) + first * cross + second * (cross @ cross)
