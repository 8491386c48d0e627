"""The training loss, over two windows that follow each other.

Steps as in DiffPoseTalk (Sun et al. 2024, Section 4.4, and its code):

1. Two windows of one recording, and the style of a third clip or of the other window.
2. Now and then a window ends early, so that endings and short recordings are known too.
3. The first window starts from a learned context, the second from the end of the first.
4. Each is noised to a random step of its own, its conditions are dropped at random, and the
   network predicts the clean motion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from kinevox.diffusion.schedules import schedule
from kinevox.methods.diffposetalk.config import LEAD, TAIL, DiffPoseTalkConfig
from kinevox.methods.diffposetalk.hearing import features_of_batch
from kinevox.methods.diffposetalk.losses import Embed, window_terms
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.style import LEAST_FRAMES, shared
from kinevox.motion import MotionLayout
from kinevox.training import Space
from kinevox.training.batch import Batch

CLEAN_ENOUGH = 0.5
"""A prediction serves as context where the window was noised less than this share of all steps:
from more noise it is an average of what could be, which no window should follow."""


@dataclass(frozen=True, eq=False)
class Before:
    """What truly precedes a window."""

    motion: Float[Tensor, "batch context channels"]
    features: Float[Tensor, "batch context features"]


@dataclass(frozen=True, eq=False)
class Stretch:
    """One of the two windows, as it is trained on."""

    motion: Float[Tensor, "batch window channels"]
    """Clean and normalized; zero where there is none."""
    features: Float[Tensor, "batch window features"]
    """Of the speech encoder; zero where there is none."""
    mask: Bool[Tensor, "batch window"]
    style: Float[Tensor, "batch style"]
    styled: Bool[Tensor, " batch"]
    """Where the style is known."""
    sounding: Bool[Tensor, " batch"]
    """Where the sound is known."""
    step: Int[Tensor, " batch"]
    noise: Float[Tensor, "batch window channels"]
    identity: Float[Tensor, "batch identity"] | None = None
    before: Before | None = None
    """None where nothing precedes it."""

    def of(self, rows: Bool[Tensor, " batch"]) -> Stretch:
        """Some samples."""
        parts = {name: part[rows] for name, part in vars(self).items() if torch.is_tensor(part)}
        before = self.before
        if before is not None:
            before = Before(before.motion[rows], before.features[rows])
        return replace(self, **parts, before=before)

    def noised(self, config: DiffPoseTalkConfig) -> Float[Tensor, "batch window channels"]:
        levels = schedule(config.schedule, config.steps)
        return levels.noised(self.motion, self.step, self.noise)


def two_window_loss(
    network: DiffPoseTalkNetwork, batch: Batch, generator: Generator
) -> Mapping[str, Tensor]:
    """Named terms; those of both windows are averaged."""
    config = network.config
    first, second = two_windows(network, batch, generator)
    made = predict(network, first, first.noised(config))
    coin = _uniform(len(made), generator) < config.own_context
    own = coin & (first.step <= CLEAN_ENOUGH * config.steps) & first.mask.all(dim=1)
    true = second.before
    assert true is not None
    followed = torch.where(
        own[:, None, None], made.detach().float()[:, -config.context :], true.motion
    )
    following = replace(second, before=replace(true, motion=followed))
    follows = predict(network, following, second.noised(config))
    return joined_terms(network, first, made, second, follows)


def two_windows(
    network: DiffPoseTalkNetwork, batch: Batch, generator: Generator
) -> tuple[Stretch, Stretch]:
    """Both windows of a batch, with all that is drawn at random."""
    config = network.config
    features = features_of_batch(config.encoder, batch, LEAD, TAIL)
    motion = batch.motion[..., network.columns]
    sides = (slice(0, config.window), slice(config.window, None))
    # What precedes the second window is whole, wherever the first is made to end.
    last = slice(config.window - config.context, config.window)
    befores = (None, Before(motion[:, last], features[:, last]))
    styles = styles_of(network, batch)
    stretches = []
    for side, before, style, truncate in zip(
        sides, befores, styles, (config.truncate_first, config.truncate_second), strict=True
    ):
        ends = _ends(batch.mask[:, side], truncate, generator)
        styled, sounding = known_conditions(_uniform(len(motion), generator), config)
        stretches.append(
            Stretch(
                motion=motion[:, side] * ends[..., None],
                features=features[:, side] * ends[..., None],
                mask=ends,
                style=style,
                styled=styled,
                sounding=sounding,
                step=drawn_steps(len(motion), config, generator),
                noise=torch.randn(
                    motion[:, side].shape, generator=generator, device=generator.device
                ),
                identity=batch.identity,
                before=before,
            )
        )
    return stretches[0], stretches[1]


def known_conditions(
    chance: Float[Tensor, " batch"], config: DiffPoseTalkConfig
) -> tuple[Bool[Tensor, " batch"], Bool[Tensor, " batch"]]:
    """Where style and sound are known, by one number from 0 to 1 per sample.

    Below a first bound all is known, then the style is dropped, then both, then the sound.
    """
    style_alone = chance > 1 - config.drop_sound
    sounding = chance <= 1 - config.drop_sound - config.drop_both
    both = chance <= 1 - config.drop_sound - config.drop_both - config.drop_style
    return both | style_alone, sounding


def predict(
    network: DiffPoseTalkNetwork,
    stretch: Stretch,
    noised: Float[Tensor, "batch window channels"],
) -> Float[Tensor, "batch frames channels"]:
    """Clean motion of context and window from the noised one, with conditions dropped."""
    sound = network.sounding(network.sound(stretch.features), stretch.sounding)
    if stretch.before is None:
        motion, earlier = network.begins(len(noised))
    else:
        motion = stretch.before.motion
        with torch.no_grad():
            earlier = network.sound(stretch.before.features)
    return network.denoiser(
        noised,
        stretch.step,
        network.persons(network.styled(stretch.style, stretch.styled), stretch.identity),
        motion,
        stretch.mask.to(noised.dtype),
        network.denoiser.listen(torch.cat([earlier.to(sound.dtype), sound], dim=1)),
    )


def joined_terms(
    network: DiffPoseTalkNetwork,
    first: Stretch,
    made: Float[Tensor, "batch frames channels"],
    second: Stretch,
    follows: Float[Tensor, "batch frames channels"],
    vertices: Mapping[str, Embed] | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """The weighted terms of both windows.

    Args:
        made: Of the first window.
        follows: Of the second, which is compared with what truly precedes it.
        vertices: How motion is measured; by default as the configuration says.
    """
    config = network.config
    context = None if second.before is None else second.before.motion
    options = {
        "vertices": _embeddings(network) if vertices is None else vertices,
        "head": network.head_columns,
        "criterion": config.criterion,
        "constrain_context": config.constrain_context,
    }
    # Squared millimeters drown in bfloat16.
    with torch.autocast(made.device.type, enabled=False):
        start = window_terms(made.float(), first.motion, first.mask, None, **options)
        after = window_terms(follows.float(), second.motion, second.mask, context, **options)
    terms = {name: (start[name] + after[name]) / 2 for name in start}
    terms |= {name: after[name] for name in after if name not in start}
    return {name: terms[name] for name in config.loss_weights}


def styles_of(network: DiffPoseTalkNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
    """A style for each window."""
    config = network.config
    if config.style_from == "performers":
        style = network.styles_of_performers(batch.style)
        return style, style
    if config.style_of == "elsewhere":
        assert batch.other is not None and batch.other_mask is not None
        seen = batch.other_mask.flatten(0, 1)
        pieces = network.style_encoder(batch.other[..., network.columns].flatten(0, 1), _seen(seen))
        counts = batch.other_mask.sum(dim=2) >= LEAST_FRAMES
        style = shared(pieces.unflatten(0, counts.shape).float(), counts)
        return style, style
    motion = batch.motion[..., network.columns]
    halves = motion.split(config.window, dim=1), batch.mask.split(config.window, dim=1)
    first, second = (network.style_encoder(m, _seen(s)) for m, s in zip(*halves, strict=True))
    short = halves[1][1].sum(dim=1) < LEAST_FRAMES
    # Of a recording that ends within the first window there is no other one.
    return torch.where(short[:, None], network.null_style, second), first


def _seen(mask: Bool[Tensor, "batch frames"]) -> Bool[Tensor, "batch frames"]:
    """The mask, and everything where it is empty: attention to nothing is no number."""
    return mask | ~mask.any(dim=1, keepdim=True)


def _ends(
    mask: Bool[Tensor, "batch window"], probability: float, generator: Generator
) -> Bool[Tensor, "batch window"]:
    """The mask; now and then every sample of the batch ends early, each elsewhere."""
    count = mask.shape[1]
    truncates = _uniform(1, generator) < probability
    ends = torch.randint(1, count, (len(mask), 1), generator=generator, device=generator.device)
    return mask & (~truncates | (torch.arange(count, device=mask.device) < ends))


def _uniform(count: int, generator: Generator) -> Float[Tensor, " count"]:
    return torch.rand(count, generator=generator, device=generator.device)


def drawn_steps(
    count: int, config: DiffPoseTalkConfig, generator: Generator
) -> Int[Tensor, " count"]:
    """Steps of diffusion to train on, from 1 to `steps`.

    Source: spread evenly after Kingma et al. 2021 (Variational Diffusion Models), Appendix I.
    """
    steps = config.steps
    if not config.late_steps:
        return torch.randint(1, steps + 1, (count,), generator=generator, device=generator.device)
    turn = torch.randperm(count, generator=generator, device=generator.device)
    share = (turn + _uniform(count, generator)) / count
    # The density 1/2 + x has the cumulated share x/2 + x^2/2.
    place = ((1 + 8 * share).sqrt() - 1) / 2
    return (place * steps).long().clamp(max=steps - 1) + 1


def _embeddings(network: DiffPoseTalkNetwork) -> Mapping[str, Embed]:
    """How motion is measured on the configured head, for normalized channels."""
    config = network.config
    if not config.head:
        return {}
    wanted = config.loss_weights
    names = [name for name, term in (("all", "vertices"), ("lips", "lips")) if term in wanted]
    if not names and {"velocity", "smooth"} & wanted.keys():
        names = ["all"]
    return {
        name: _on_head(network.space, tuple(network.columns), config.head, name) for name in names
    }


def _on_head(space: Space, columns: tuple[int, ...], head: str, name: str) -> Embed:
    embed = _embedding(head, space.layout, name)
    chosen = list(columns)
    mean, std = (
        torch.from_numpy(part[chosen]) for part in (space.statistics.mean, space.statistics.std)
    )
    neutral = torch.from_numpy(space.layout.neutral)

    def coordinates(motion: Tensor) -> Tensor:
        whole = neutral.to(motion).expand(*motion.shape[:-1], -1).clone()
        whole[..., chosen] = motion * std.to(motion) + mean.to(motion)
        return embed(whole)

    return coordinates


@lru_cache(maxsize=8)
def _embedding(head: str, layout: MotionLayout, name: str) -> Embed:
    from kinevox.heads import load_head
    from kinevox.losses.vertices import embedding

    loaded = load_head(head)
    return embedding(loaded, layout, None if name == "all" else loaded.regions.lips)
