"""What a style lets expect of somebody: numbers, read from it by a linear map."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

RIDGE = 10.0
"""Keeps what few people show from counting much; in examples."""


class Expectation(nn.Module):
    """Expected numbers of people with these styles; the length of a style makes no difference."""

    def __init__(self, style_width: int, numbers: int):
        super().__init__()
        self.linear = nn.Linear(style_width, numbers).requires_grad_(False)

    def forward(self, style: Float[Tensor, "batch style"]) -> Float[Tensor, "batch numbers"]:
        return self.linear(direction(style)).float()

    def fit(
        self,
        styles: Float[Tensor, "examples style"],
        shown: Float[Tensor, "examples numbers"],
    ) -> None:
        """Least squares, with a little shrinkage towards nothing."""
        ones = torch.ones(len(styles), 1)
        inputs = torch.cat([direction(styles), ones], dim=1).double()
        ridge = RIDGE * torch.eye(inputs.shape[1], dtype=inputs.dtype)
        solved = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ shown.double())
        self.linear.weight.copy_(solved[:-1].T)
        self.linear.bias.copy_(solved[-1])


def direction(style: Float[Tensor, "batch style"]) -> Float[Tensor, "batch style"]:
    """Styles of one length, with numbers of about 1."""
    return functional.normalize(style.float(), dim=-1) * style.shape[-1] ** 0.5
