"""What styles let expect of motion, measured on the people of a corpus; no training.

Least squares from the style of a performer's other clips to how much each window of a clip moves.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kinevox.data import Corpus
from kinevox.errors import AssetError, MotionError
from kinevox.files import written_whole
from kinevox.methods.diffposetalk.channels import normalized
from kinevox.methods.diffposetalk.dynamics import LEAST_FRAMES, Dynamics, direction, parts_of
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.style import pieces_of, shared_style
from kinevox.methods.diffposetalk.style_file import encoder_digest

RIDGE = 10.0
"""Keeps what few people show from counting much; in windows."""


def calibrated(
    network: DiffPoseTalkNetwork,
    corpus: Corpus,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Dynamics:
    """What the styles of people of the training split let expect.

    Raises:
        MotionError: the corpus is about other motion, or nobody has two clips.
        AssetError: the network knows styles of its own performers only, or moves nothing of which
            a style tells.
    """
    space = network.space
    if (corpus.layout, corpus.fps) != (space.layout, space.fps):
        raise MotionError(
            f"Corpus '{corpus.name}' has layout '{corpus.layout.name}' at {corpus.fps:g} fps; the "
            f"network performs in '{space.layout.name}' at {space.fps:g} fps."
        )
    parts = parts_of(space.layout, network.columns)
    if network.config.style_from != "encoder" or not parts:
        raise AssetError(
            "This network has no style encoder, or moves neither upper face nor head; there is "
            "nothing to expect of a style."
        )
    dynamics = Dynamics(parts, network.config.style_width)
    told, shown = _measured(network, dynamics, corpus.split("train"), progress)
    if not told:
        raise MotionError(f"Corpus '{corpus.name}' has nobody with two clips to train on.")
    inputs = torch.cat([direction(torch.stack(told)), torch.ones(len(told), 1)], dim=1).double()
    targets = torch.stack(shown).flatten(1).double()
    ridge = RIDGE * torch.eye(inputs.shape[1], dtype=inputs.dtype)
    solved = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ targets)
    dynamics.expectation.weight.copy_(solved[:-1].T)
    dynamics.expectation.bias.copy_(solved[-1] + _missing(targets, inputs @ solved))
    return dynamics


def _missing(
    true: Float[Tensor, "windows amounts"], expected: Float[Tensor, "windows amounts"]
) -> Float[Tensor, " amounts"]:
    """What makes sizes right on average, not only their logarithms, whose mean is that of less."""

    def sizes(amounts: Tensor) -> Tensor:
        """Mean spreads, and mean sizes of steps."""
        spread, pace = amounts.unflatten(1, (-1, 2)).unbind(dim=-1)
        return torch.stack([spread, spread + pace], dim=-1).exp().mean(dim=0)

    far, steps = (sizes(true) / sizes(expected)).log().unbind(dim=-1)
    return torch.stack([far, steps - far], dim=-1).flatten()


def _measured(
    network: DiffPoseTalkNetwork,
    dynamics: Dynamics,
    clips: Corpus,
    progress: Callable[[str, int, int], None],
) -> tuple[list[Tensor], list[Tensor]]:
    """Of each window of each clip: the style of the performer's other clips, and how it moves."""
    told, shown = [], []
    names = np.unique(clips.index["style"])
    for done, name in enumerate(names):
        progress("Measuring how people move", done, len(names))
        motions = [clips.motion(int(i)) for i in np.flatnonzero(clips.index["style"] == name)]
        motions = [motion for motion in motions if motion.num_frames >= LEAST_FRAMES]
        if len(motions) < 2:
            continue
        pieces = [pieces_of(network.style_encoder, motion.values) for motion in motions]
        for own, motion in enumerate(motions):
            others = np.concatenate([part for k, part in enumerate(pieces) if k != own])
            style = torch.from_numpy(shared_style(others))
            values = torch.from_numpy(normalized(network.space, network.columns, motion.values))
            for window in values.split(network.config.window):
                if len(window) >= LEAST_FRAMES:
                    mask = torch.ones(1, len(window), dtype=torch.bool)
                    told.append(style)
                    shown.append(dynamics.measured(window[None], mask)[0])
    progress("Measuring how people move", len(names), len(names))
    return told, shown


def write_dynamics(path: Path, network: DiffPoseTalkNetwork, dynamics: Dynamics, by: str) -> None:
    """Writes them; they belong to the style encoder of the network.

    Args:
        by: What they were measured on, for the record.
    """
    stored = {
        "weight": dynamics.expectation.weight.numpy(),
        "bias": dynamics.expectation.bias.numpy(),
        "parts": np.array(dynamics.parts),
        "encoder": np.array(encoder_digest(network.style_encoder)),
        "measured_on": np.array(by),
    }
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **stored)


def read_dynamics(path: Path, network: DiffPoseTalkNetwork) -> Dynamics:
    """Reads them for a network.

    Raises:
        AssetError: it is no such file, or belongs to another style encoder.
    """
    dynamics = Dynamics(parts_of(network.space.layout, network.columns), network.config.style_width)
    try:
        with np.load(path, allow_pickle=False) as stored:
            known = {name: torch.from_numpy(stored[name]) for name in ("weight", "bias")}
            belongs = (tuple(stored["parts"].tolist()), str(stored["encoder"]))
        if belongs != (dynamics.parts, encoder_digest(network.style_encoder)):
            raise ValueError("it belongs to another style encoder")
        dynamics.expectation.load_state_dict(known)
    except (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise AssetError(
            f"{path} does not fit the weights beside it ({error}). Make it again: `kinevox weights "
            "calibrate`, or remove it."
        ) from error
    return dynamics
