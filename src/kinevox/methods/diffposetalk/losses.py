"""The terms of the loss on one window.

`P` frames of context come first where a window follows another. Every term is a mean over frames
that exist; a difference exists where its last frame does.

Source: DiffPoseTalk, Sun et al. 2024, Section 4.3, after its code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Embed = Callable[[Tensor], Tensor]
"""Normalized motion to coordinates, whose mean square is that of the vertices [m]."""


def window_terms(
    predicted: Float[Tensor, "batch frames channels"],
    clean: Float[Tensor, "batch window channels"],
    mask: Bool[Tensor, "batch window"],
    context: Float[Tensor, "batch context channels"] | None,
    *,
    vertices: Mapping[str, Embed],
    head: Sequence[int],
    criterion: str = "l2",
    constrain_context: bool = True,
) -> dict[str, Float[Tensor, ""]]:
    """The terms of one window.

    Args:
        predicted: Context and window.
        context: The true frames before the window; None where it is the first, whose context is
            made up and not compared.
        vertices: `all` for the terms of the paper and `lips` for that of the lips; either may be
            missing.
        head: Columns of the head's rotation; may be empty.
        criterion: `l2` for squares, `l1` for absolute values.
        constrain_context: Compare the context too. Without it, differences still begin at its
            last true frame.
    """
    size = Tensor.square if criterion == "l2" else Tensor.abs
    before = predicted.shape[1] - clean.shape[1]
    window = predicted[:, before:]
    compared = (window, clean, mask)
    moving = compared
    if context is not None:
        # A window that does not exist follows nothing.
        valid = mask.any(dim=1, keepdim=True).expand(context.shape[:2])
        true = torch.cat([context, clean], dim=1)
        known = torch.cat([valid, mask], dim=1)
        if constrain_context:
            compared = moving = (predicted, true, known)
        else:
            shown = torch.cat([context, window], dim=1)
            moving = (shown, true, torch.cat([torch.zeros_like(valid), mask], dim=1))
    terms = {"simple": _mean(size(compared[0] - compared[1]), compared[2])}
    if "all" in vertices:
        embed = vertices["all"]
        terms["vertices"] = _mean(size(embed(compared[0]) - embed(compared[1])), compared[2])
        ours, truth = embed(moving[0]), embed(moving[1])
        terms["velocity"] = _mean(size((ours - truth).diff(dim=1)), moving[2][:, 1:])
        terms["smooth"] = _mean(size(ours.diff(n=2, dim=1)), moving[2][:, 2:])
    if "lips" in vertices:
        embed = vertices["lips"]
        terms["lips"] = _mean(size(embed(compared[0]) - embed(compared[1])), compared[2])
    if head:
        angle, other = (part[..., head] for part in compared[:2])
        terms["head_angle"] = _mean(size(angle - other), compared[2])
        turn, true_turn = (part[..., head] for part in moving[:2])
        terms["head_velocity"] = _mean(size((turn - true_turn).diff(dim=1)), moving[2][:, 1:])
        terms["head_smooth"] = _mean(size(turn.diff(n=2, dim=1)), moving[2][:, 2:])
        if context is not None:
            terms["head_seam"] = seam(context[..., head], window[..., head], mask, size)
    return terms


def seam(
    before: Float[Tensor, "batch context axes"],
    after: Float[Tensor, "batch window axes"],
    mask: Bool[Tensor, "batch window"],
    size: Callable[[Tensor], Tensor],
) -> Float[Tensor, ""]:
    """How much speed and acceleration change where a window follows another.

    Over the last three true frames and the first three predicted ones.
    """
    angles = torch.cat([before[:, -3:], after[:, :3]], dim=1)
    # Of the changes of speed, those that span the seam; of the changes of acceleration, all.
    bends, jerks = angles.diff(n=2, dim=1)[:, 1:3], angles.diff(n=3, dim=1)
    first, second = (_mean(size(change), mask[:, : change.shape[1]]) for change in (bends, jerks))
    return first + second


def _mean(
    values: Float[Tensor, "batch frames columns"], mask: Bool[Tensor, "batch frames"]
) -> Float[Tensor, ""]:
    """Over frames that exist; 0 where there are none."""
    total = (values * mask[..., None]).sum()
    return total / (mask.sum() * values.shape[-1]).clamp(min=1)
