"""The style encoder: a few seconds of somebody's motion to one vector.

It is trained on its own so that clips of one person lie close together and those of others apart,
and so that what a corpus knows about its people can be read from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional

from kinevox.data import Corpus
from kinevox.errors import MotionError
from kinevox.methods.articulate.style import STYLE_FACTORS
from kinevox.methods.diffposetalk.channels import columns_of, normalized
from kinevox.methods.diffposetalk.config import GAP, StyleConfig
from kinevox.motion import Motion
from kinevox.nn.positional import Positions, turns
from kinevox.nn.transformer import Layer
from kinevox.training import Space
from kinevox.training.batch import Batch

LEAST_FRAMES = 25
"""Shorter stretches say nothing about somebody's style."""
STEP = 4.0
"""Steps from frame to frame are this much smaller than the poses they lead to, or more."""
LOG_STEP = -2.0
"""Logarithm of the usual spread of steps."""
LEAST_VARIANCE = 1e-5
"""Of what does not move."""
_AT_ONCE = 64
"""Pieces that pass through the network together."""
_TINY = 1e-12


class StyleEncoder(nn.Module):
    """A transformer over frames, then means over time; nothing behind it, and no unit length.

    With `movement`, frames come with their step from the one before, and spreads over time, of the
    transformer's output and of motion and steps as they come in, are kept too (statistics
    pooling); one map brings all to a style of fixed length.

    Source: DiffPoseTalk, Sun et al. 2024, Section 4.1, after its code; statistics pooling after
    Snyder et al. 2018 (x-vectors).
    """

    def __init__(self, config: StyleConfig, space: Space):
        super().__init__()
        self.config, self.space = config, space
        self.columns = columns_of(space.layout, config.fixed)
        channels = len(self.columns)
        self.motion = nn.Linear(2 * channels if config.movement else channels, config.width)
        self.positions = Positions(config.positions, config.clip, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            Layer(config.width, config.heads, ratio=config.ratio, dropout=config.dropout)
            for _ in range(config.layers)
        )
        if config.movement:
            self.joined = nn.Linear(2 * config.width + 3 * channels, config.width)
        if config.factors:
            self.factors = nn.Linear(config.width, len(config.factors))

    def forward(
        self,
        motion: Float[Tensor, "batch frames channels"],
        mask: Bool[Tensor, "batch frames"] | None = None,
    ) -> Float[Tensor, "batch width"]:
        """Styles of normalized motion; frames outside the mask do not count."""
        if not self.config.movement:
            return mean_over(self._hidden(motion, mask), mask)
        steps = motion.diff(dim=1)
        moving = None if mask is None else mask[:, 1:]
        hidden = self._hidden(
            torch.cat([motion, STEP * functional.pad(steps, (0, 0, 1, 0))], dim=-1), mask
        )
        parts = [mean_over(hidden, mask), spread_over(hidden, mask), mean_over(motion, mask)]
        parts += [spread_over(motion, mask).log(), spread_over(steps, moving).log() - LOG_STEP]
        style = self.joined(torch.cat([part.to(motion.dtype) for part in parts], dim=-1))
        return functional.normalize(style.float(), dim=-1) * self.config.width**0.5

    def _hidden(
        self,
        frames: Float[Tensor, "batch frames inputs"],
        mask: Bool[Tensor, "batch frames"] | None,
    ) -> Float[Tensor, "batch frames width"]:
        hidden = self.drop(self.positions(self.motion(frames)))
        places = None
        if self.config.positions == "rotary":
            size = self.config.width // self.config.heads
            places = turns(frames.shape[1], size, frames.device)
        for layer in self.layers:
            hidden = layer(hidden, turns=places, seen=mask)
        return hidden

    def factors_of(self, style: Float[Tensor, "batch width"]) -> Float[Tensor, "batch factors"]:
        """The factors that a style shows, in sixths of their ranges from the middle, which is
        about the spread among people."""
        return self.factors(functional.normalize(style, dim=-1) * self.config.width**0.5)


def mean_over(
    values: Float[Tensor, "batch frames width"], mask: Bool[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch width"]:
    """Over the frames of the mask."""
    if mask is None:
        return values.mean(dim=1)
    share = mask / mask.sum(dim=1, keepdim=True)
    return (values * share[..., None]).sum(dim=1)


def spread_over(
    values: Float[Tensor, "batch frames width"], mask: Bool[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch width"]:
    """Standard deviation over the frames of the mask; never quite 0."""
    values = values.float()
    away = values - mean_over(values, mask)[:, None]
    return (mean_over(away.square(), mask) + LEAST_VARIANCE).sqrt()


def nt_xent(
    one: Float[Tensor, "pairs width"],
    other: Float[Tensor, "pairs width"],
    temperature: float,
    person: Int[Tensor, " pairs"] | None = None,
) -> Float[Tensor, ""]:
    """How hard it is to find each clip's partner among all other clips.

    Args:
        person: Pairs with the same number are one person's, so they are not told apart.

    Source: Chen et al. 2020 (SimCLR), Eq. 1.
    """
    count = len(one)
    vectors = functional.normalize(torch.cat([one, other]).float(), dim=1)
    likeness = vectors @ vectors.T / temperature
    itself = torch.eye(2 * count, dtype=torch.bool, device=one.device)
    partner = torch.arange(2 * count, device=one.device).roll(count)
    hidden = itself
    if person is not None:
        twice = torch.cat([person, person])
        same = twice[:, None] == twice
        same[torch.arange(2 * count, device=one.device), partner] = False
        hidden = itself | same
    return functional.cross_entropy(likeness.masked_fill(hidden, -torch.inf), partner)


def style_loss(network: StyleEncoder, batch: Batch, generator: Generator) -> Mapping[str, Tensor]:
    """NT-Xent over the batch, `contrast`, and mean square error of factors, `factors`.

    Pairs with too little motion in either clip are left out, and factors of clips that were given
    another pose.
    """
    config, columns = network.config, network.columns
    motion, mask = batch.motion, batch.mask
    if config.pairs == "near":
        second = slice(config.clip + GAP, None)
        pair = (motion[:, second], mask[:, second])
        motion, mask = motion[:, : config.clip], mask[:, : config.clip]
    else:
        assert batch.other is not None and batch.other_mask is not None
        pair = (batch.other[:, 0], batch.other_mask[:, 0])
    enough = (mask.sum(1) >= LEAST_FRAMES) & (pair[1].sum(1) >= LEAST_FRAMES)
    # Nobody else in the batch: nothing to learn, but still a number that depends on the weights.
    if not enough.any():
        enough = torch.zeros_like(enough).index_fill_(0, torch.tensor(0, device=mask.device), True)
    motion, mask, moved, seen = (part[enough] for part in (motion, mask, *pair))
    coin, number = torch.rand(2, generator=generator, device=generator.device).tolist()
    posed = coin < config.same_pose
    if posed:
        pose = mean_pose(motion, mask)[int(number * len(motion))]
        motion, moved = in_pose(motion, mask, pose), in_pose(moved, seen, pose)
    one, other = network(motion[..., columns], mask), network(moved[..., columns], seen)
    # Unknown persons are all different.
    place = torch.arange(len(batch.style), device=mask.device)
    person = torch.where(batch.style < 0, -1 - place, batch.style)
    terms = {"contrast": nt_xent(one, other, config.temperature, person[enough])}
    if config.factors:
        assert batch.factors is not None
        error = factor_error(network, torch.cat([one, other]), batch.factors[enough].repeat(2, 1))
        terms["factors"] = error * (not posed)
    return terms


def factor_error(
    network: StyleEncoder,
    style: Float[Tensor, "batch width"],
    factors: Float[Tensor, "batch factors"],
) -> Float[Tensor, ""]:
    """Mean square error of the factors that are known; 0 where none are."""
    ranges = torch.tensor([STYLE_FACTORS[name] for name in network.config.factors])
    low, high = ranges.to(factors).unbind(dim=1)
    told = (factors - (low + high) / 2) * 6 / (high - low)
    known = ~told.isnan()
    error = (network.factors_of(style.float()) - told.nan_to_num()).square()
    return (error * known).sum() / known.sum().clamp(min=1)


def mean_pose(
    motion: Float[Tensor, "batch frames channels"], mask: Bool[Tensor, "batch frames"]
) -> Float[Tensor, "batch channels"]:
    """Of each clip, over the frames that exist."""
    return (motion * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def in_pose(
    motion: Float[Tensor, "batch frames channels"],
    mask: Bool[Tensor, "batch frames"],
    pose: Float[Tensor, " channels"],
) -> Float[Tensor, "batch frames channels"]:
    """The same movements about another mean pose."""
    return motion - mean_pose(motion, mask)[:, None] + pose


def style_of(network: StyleEncoder, *motions: Motion) -> Float[np.ndarray, " width"]:
    """The style of one person's motion, of any length: what the pieces that cover it share.

    Motions too short to say anything are left out.

    Raises:
        MotionError: another layout, or all are too short.
    """
    space, clip = network.space, network.config.clip
    for motion in motions:
        if motion.layout != space.layout:
            raise MotionError(
                f"The motion has layout '{motion.layout.name}'; styles are taken from "
                f"'{space.layout.name}'. Convert it with `kinevox convert` first."
            )
    values = [motion.resample(space.fps).values for motion in motions]
    longest = max(map(len, values), default=0)
    if longest < LEAST_FRAMES:
        raise MotionError(
            f"The motion has {longest} frames at {space.fps:g} fps; a style takes at least "
            f"{LEAST_FRAMES}, better {clip}."
        )
    told = [_styles_of_pieces(network, v) for v in values if len(v) >= LEAST_FRAMES]
    return shared_style(np.concatenate(told))


def shared_style(styles: Float[np.ndarray, "pieces width"]) -> Float[np.ndarray, " width"]:
    """What styles of one person have in common, as of `shared`."""
    pieces = torch.from_numpy(styles)[None]
    return shared(pieces, torch.ones(pieces.shape[:2], dtype=torch.bool))[0].numpy()


def shared(
    styles: Float[Tensor, "batch pieces width"], counts: Bool[Tensor, "batch pieces"]
) -> Float[Tensor, "batch width"]:
    """What several styles of each person have in common: the mean direction, the mean length.

    People are told apart by direction alone, so each piece counts the same, however long its
    vector; and the result is as long as the styles of single pieces, which the denoiser knows.

    Args:
        counts: Pieces that are looked at; the first one where there are none.
    """
    none = ~counts.any(dim=1, keepdim=True)
    counts = counts | (none & (torch.arange(counts.shape[1], device=counts.device) == 0))
    lengths = styles.norm(dim=-1).clamp(min=_TINY)
    direction = mean_over(styles / lengths[..., None], counts)
    length = (lengths * counts).sum(dim=1) / counts.sum(dim=1)
    return functional.normalize(direction, dim=-1) * length[:, None]


@torch.no_grad()
def _styles_of_pieces(
    network: StyleEncoder, values: Float[np.ndarray, "frames channels"]
) -> Float[np.ndarray, "pieces width"]:
    size = min(network.config.clip, len(values))
    count = -(-len(values) // size)
    starts = np.linspace(0, len(values) - size, count).round().astype(int)
    device = network.motion.weight.device
    clips = normalized(network.space, network.columns, values)
    stacked = torch.from_numpy(np.stack([clips[s : s + size] for s in starts]))
    return torch.cat([network(some.to(device)).cpu() for some in stacked.split(_AT_ONCE)]).numpy()


def validation_scores(network: StyleEncoder, corpus: Corpus) -> Mapping[str, float]:
    """Scores on the people of a corpus, each with two clips.

    `contrast`: NT-Xent over all of them; `confused`: share of first clips whose nearest second clip
    is somebody else's; both also `same_pose`, where all clips are given the mean pose of the
    training, so that only movement tells. `factors`: mean square error of the factors. `decisive`:
    the sum of the latter and `contrast_same_pose`, which chooses the best weights.
    """
    pairs, factors = _two_clips(corpus, network.config.factors)
    mean = network.space.statistics.mean
    posed = [tuple(_in_mean_pose(clip, mean) for clip in pair) for pair in pairs]
    scores = {}
    for suffix, clips in (("", pairs), ("_same_pose", posed)):
        one, other = (
            torch.from_numpy(np.stack([style_of(network, clip) for clip in side])).float()
            for side in zip(*clips, strict=True)
        )
        likeness = functional.normalize(one, dim=1) @ functional.normalize(other, dim=1).T
        right = likeness.argmax(dim=1) == torch.arange(len(one))
        scores["contrast" + suffix] = float(nt_xent(one, other, network.config.temperature))
        scores["confused" + suffix] = 1 - float(right.float().mean())
        if factors.size and not suffix:
            known = torch.from_numpy(factors).repeat(2, 1)
            with torch.no_grad():
                scores["factors"] = float(factor_error(network, torch.cat([one, other]), known))
    scores["decisive"] = scores["contrast_same_pose"] + scores.get("factors", 0.0)
    return scores


def _in_mean_pose(motion: Motion, mean: Float[np.ndarray, " channels"]) -> Motion:
    return motion.replace(values=motion.values - motion.values.mean(axis=0) + mean)


def _two_clips(
    corpus: Corpus, factors: Sequence[str]
) -> tuple[Sequence[tuple[Motion, Motion]], Float[np.ndarray, "people factors"]]:
    """Of each person two clips, from two recordings where there are, and what is known of them."""
    styles = corpus.index["style"]
    found, known = [], []
    for person in dict.fromkeys(styles.tolist()):
        clips = np.flatnonzero(styles == person)
        first, last = corpus.motion(int(clips[0])), corpus.motion(int(clips[-1]))
        if len(clips) == 1:
            middle = first.num_frames // 2
            last = first.replace(values=first.values[middle:])
            first = first.replace(values=first.values[:middle])
        if min(first.num_frames, last.num_frames) >= LEAST_FRAMES:
            told = json.loads(corpus.index["factors"][clips[0]] or "{}")
            found.append((first, last))
            known.append([told.get(name, np.nan) for name in factors])
    if not found:
        raise MotionError(f"Corpus '{corpus.name}' has nobody with two clips of a second.")
    return found, np.array(known, np.float32)
