"""A small denoiser and style encoder, and what goes into them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from kinevox.data import Corpus
from kinevox.data.normalize import Statistics
from kinevox.data.windows import Windows
from kinevox.methods.diffposetalk.config import BASE, StyleConfig
from kinevox.motion import flame_layout
from kinevox.training import Space, Trainable
from kinevox.training.loop import space_of

TINY_STYLE = StyleConfig(width=16, layers=1, heads=2, clip=25, dropout=0.0)
TINY = replace(
    BASE,
    encoder="mel",
    features=320,
    style_width=16,
    style_layers=1,
    style_heads=2,
    width=32,
    layers=2,
    heads=2,
    dropout=0.0,
    window=25,
    context=5,
    head="",
)
"""Networks for tests; their motion is not measured on a head."""


def flame_space() -> Space:
    layout = flame_layout(50)
    ones = np.ones(layout.num_channels, np.float32)
    return Space(layout, 25.0, Statistics(layout.neutral, ones), ())


def heard(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(frames, 320, generator=torch.Generator().manual_seed(seed))


def some_style(seed: int = 0, width: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)


def count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def windows_of(corpus: Corpus, stage: Trainable) -> Windows:
    space = space_of(corpus)
    return Windows(corpus.split("train"), space.statistics, space.styles, stage.windows)
