"""Everything that is saved together: denoiser, style encoder, and what stands for nothing."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kinevox.errors import AssetError
from kinevox.methods.diffposetalk.channels import columns_of, head_columns
from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.methods.diffposetalk.denoiser import Denoiser
from kinevox.methods.diffposetalk.habits import Habits
from kinevox.methods.diffposetalk.manner import Manners
from kinevox.methods.diffposetalk.sampling import Course
from kinevox.methods.diffposetalk.style import StyleEncoder
from kinevox.training import Space
from kinevox.training.checkpoint import Checkpoint
from kinevox.training.origin import adopt

SAME_STATISTICS = 1e-3
"""Largest difference of normalizations that still count as one, relative to the spread."""


class DiffPoseTalkNetwork(nn.Module):
    """The denoiser with its inputs: features to its width, a start, and null conditions."""

    identity_mean: Tensor
    identity_std: Tensor
    performers: nn.Embedding
    """Only with `style_from` performers."""
    manners: Manners | None
    """How people with a style move, where that was measured (`calibration.py`)."""
    habits: Habits | None
    """How what is drawn falls short of people, likewise; in layout `arkit`."""
    drawn_in: Course | None
    """Steps in which it draws unless told otherwise, where it was calibrated for these."""
    hears: str | None
    """Digest of the speech encoder that it learned to hear with, where that is noted."""

    def __init__(self, config: DiffPoseTalkConfig, space: Space):
        super().__init__()
        self.config, self.space = config, space
        self.columns = columns_of(space.layout, config.fixed)
        self.head_columns = head_columns(space.layout, self.columns)
        channels = len(self.columns)
        # The style encoder is trained before and stays as it is.
        self.style_encoder = StyleEncoder(config.style, space).requires_grad_(False)
        if config.style_from == "performers":
            self.performers = nn.Embedding(len(space.styles), config.style_width)
        self.sound = nn.Linear(config.features, config.width)
        self.denoiser = Denoiser(config, channels)
        self.start_motion = nn.Parameter(torch.randn(config.context, channels))
        self.start_sound = nn.Parameter(torch.randn(config.context, config.width))
        self.null_style = nn.Parameter(torch.randn(config.style_width))
        self.null_sound = nn.Parameter(torch.randn(config.width))
        self.register_buffer("identity_mean", torch.zeros(config.identity))
        self.register_buffer("identity_std", torch.ones(config.identity))
        self.manners, self.habits, self.drawn_in, self.hears = None, None, None, None

    def train(self, mode: bool = True) -> DiffPoseTalkNetwork:
        super().train(mode)
        self.style_encoder.eval()
        return self

    def begins(
        self, batch: int
    ) -> tuple[Float[Tensor, "batch context channels"], Float[Tensor, "batch context width"]]:
        """What stands before the first window: motion and sound."""
        return (
            self.start_motion.expand(batch, -1, -1),
            self.start_sound.expand(batch, -1, -1),
        )

    def persons(
        self,
        style: Float[Tensor, "batch style"],
        identity: Float[Tensor, "batch identity"] | None,
    ) -> Float[Tensor, "batch person"]:
        """Shape and style; the average head where an identity is unknown (NaN), or all are."""
        if identity is None:
            shape = style.new_zeros(len(style), self.config.identity)
        else:
            shape = ((identity - self.identity_mean) / self.identity_std).nan_to_num(0.0)
        return torch.cat([shape, style], dim=1)

    def styles_of_performers(self, place: Int[Tensor, " batch"]) -> Float[Tensor, "batch style"]:
        """Styles learned for performers of the training; nothing for all others (-1)."""
        return self.styled(self.performers(place.clamp(min=0)), place >= 0)

    def styled(
        self, style: Float[Tensor, "batch style"], known: Bool[Tensor, " batch"]
    ) -> Float[Tensor, "batch style"]:
        """Styles, and nothing in place of those that are not known."""
        return torch.where(known[:, None], style, self.null_style)

    def sounding(
        self, sound: Float[Tensor, "batch frames width"], known: Bool[Tensor, " batch"]
    ) -> Float[Tensor, "batch frames width"]:
        """Sound, and nothing in place of that which is not known."""
        return torch.where(known[:, None, None], sound, self.null_sound.to(sound.dtype))


def adopt_weights(network: DiffPoseTalkNetwork, trained: Checkpoint) -> None:
    """Takes over all weights but those of the style encoder.

    Raises:
        AssetError: they are of another size.
    """
    weights = trained.network.state_dict().items()
    denoising = {name: weight for name, weight in weights if not name.startswith(_STYLE)}
    # A modulation changes nothing at first, so it may be added.
    adopt(network, denoising, own=lambda name: name.startswith(_STYLE) or _modulates(name))


_STYLE = "style_encoder."


def _modulates(name: str) -> bool:
    return ".modulation." in name or ".manner." in name


def adopt_style_encoder(network: DiffPoseTalkNetwork, trained: StyleEncoder) -> None:
    """Takes over a trained style encoder.

    Raises:
        AssetError: it is of another size, or was trained on another normalization of motion.
    """
    expected, found = network.style_encoder.config, trained.config
    shape = ("width", "layers", "heads", "ratio", "positions", "movement", "fixed")
    wrong = [
        f"{name} is {getattr(found, name)}, expected {getattr(expected, name)}"
        for name in shape
        if getattr(found, name) != getattr(expected, name)
    ]
    ours, theirs = network.space, trained.space
    if (theirs.layout, theirs.fps) != (ours.layout, ours.fps):
        wrong.append(f"layout '{theirs.layout.name}' at {theirs.fps:g} fps")
    else:
        shifts = [
            np.abs(getattr(ours.statistics, name) - getattr(theirs.statistics, name))
            for name in ("mean", "std")
        ]
        if max((shift / ours.statistics.std).max() for shift in shifts) > SAME_STATISTICS:
            wrong.append("its motion is normalized differently")
    if wrong:
        raise AssetError(
            f"The style encoder does not fit: {'; '.join(wrong)}. Train it on the same corpus with "
            "the same sizes (--network.style-width and so on)."
        )
    known = network.style_encoder.state_dict()
    weights = trained.state_dict().items()
    network.style_encoder.load_state_dict({n: weight for n, weight in weights if n in known})
