"""The style encoder: a few seconds of somebody's motion to one vector.

It is trained on its own so that clips of one person lie close together and those of others apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional

from kinevox.data import Corpus
from kinevox.errors import MotionError
from kinevox.methods.diffposetalk.channels import columns_of, normalized
from kinevox.methods.diffposetalk.config import GAP, StyleConfig
from kinevox.motion import Motion
from kinevox.nn.positional import Positions, turns
from kinevox.nn.transformer import Layer
from kinevox.training import Space
from kinevox.training.batch import Batch

LEAST_FRAMES = 25
"""Shorter stretches say nothing about somebody's style."""
_AT_ONCE = 64
"""Pieces that pass through the network together."""
_TINY = 1e-12


class StyleEncoder(nn.Module):
    """A transformer over frames, averaged over time; nothing behind it, and no unit length.

    Source: DiffPoseTalk, Sun et al. 2024, Section 4.1, after its code.
    """

    def __init__(self, config: StyleConfig, space: Space):
        super().__init__()
        self.config, self.space = config, space
        self.columns = columns_of(space.layout, config.fixed)
        self.motion = nn.Linear(len(self.columns), config.width)
        self.positions = Positions(config.positions, config.clip, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            Layer(config.width, config.heads, ratio=config.ratio, dropout=config.dropout)
            for _ in range(config.layers)
        )

    def forward(
        self,
        motion: Float[Tensor, "batch frames channels"],
        mask: Bool[Tensor, "batch frames"] | None = None,
    ) -> Float[Tensor, "batch width"]:
        """Styles of normalized motion; frames outside the mask do not count."""
        hidden = self.drop(self.positions(self.motion(motion)))
        places = None
        if self.config.positions == "rotary":
            size = self.config.width // self.config.heads
            places = turns(motion.shape[1], size, motion.device)
        for layer in self.layers:
            hidden = layer(hidden, turns=places, seen=mask)
        if mask is None:
            return hidden.mean(dim=1)
        share = mask / mask.sum(dim=1, keepdim=True)
        return (hidden * share[..., None]).sum(dim=1)


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


def contrastive_loss(
    network: StyleEncoder, batch: Batch, generator: Generator
) -> Mapping[str, Tensor]:
    """NT-Xent over the batch; pairs with too little motion in either clip are left out."""
    config, columns = network.config, network.columns
    motion, mask = batch.motion, batch.mask
    if config.pairs == "near":
        second = slice(config.clip + GAP, None)
        pair = (motion[:, second], mask[:, second])
        motion, mask = motion[:, : config.clip], mask[:, : config.clip]
    else:
        assert batch.other is not None and batch.other_mask is not None
        pair = (batch.other, batch.other_mask)
    enough = (mask.sum(1) >= LEAST_FRAMES) & (pair[1].sum(1) >= LEAST_FRAMES)
    # Nobody else in the batch: nothing to learn, but still a number that depends on the weights.
    if not enough.any():
        enough = torch.zeros_like(enough).index_fill_(0, torch.tensor(0, device=mask.device), True)
    motion, mask, moved, seen = (part[enough] for part in (motion, mask, *pair))
    coin, number = torch.rand(2, generator=generator, device=generator.device).tolist()
    if coin < config.same_pose:
        pose = mean_pose(motion, mask)[int(number * len(motion))]
        motion, moved = in_pose(motion, mask, pose), in_pose(moved, seen, pose)
    one, other = network(motion[..., columns], mask), network(moved[..., columns], seen)
    # Unknown persons are all different.
    place = torch.arange(len(batch.style), device=mask.device)
    person = torch.where(batch.style < 0, -1 - place, batch.style)
    return {"contrast": nt_xent(one, other, config.temperature, person[enough])}


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
    """What styles of one person have in common: the mean direction, and the mean length.

    People are told apart by direction alone, so each piece counts the same, however long its
    vector; and the result is as long as the styles of single pieces, which the denoiser knows.
    """
    lengths = np.linalg.norm(styles, axis=1, keepdims=True)
    direction = (styles / np.maximum(lengths, _TINY)).mean(axis=0)
    return direction * (lengths.mean() / max(float(np.linalg.norm(direction)), _TINY))


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
    """`contrast`: NT-Xent over all people of the corpus, each with two clips; `confused`: share of
    first clips whose nearest second clip is somebody else's; both also `same_pose`, where all
    clips are given the mean pose of the training, so that only movement tells."""
    pairs = _two_clips(corpus)
    mean = network.space.statistics.mean
    posed = [tuple(_in_mean_pose(clip, mean) for clip in pair) for pair in pairs]
    scores = {}
    for suffix, clips in (("", pairs), ("_same_pose", posed)):
        one, other = (
            torch.from_numpy(np.stack([style_of(network, clip) for clip in side]))
            for side in zip(*clips, strict=True)
        )
        likeness = functional.normalize(one, dim=1) @ functional.normalize(other, dim=1).T
        right = likeness.argmax(dim=1) == torch.arange(len(one))
        scores["contrast" + suffix] = float(nt_xent(one, other, network.config.temperature))
        scores["confused" + suffix] = 1 - float(right.float().mean())
    return scores


def _in_mean_pose(motion: Motion, mean: Float[np.ndarray, " channels"]) -> Motion:
    return motion.replace(values=motion.values - motion.values.mean(axis=0) + mean)


def _two_clips(corpus: Corpus) -> Sequence[tuple[Motion, Motion]]:
    """Of each person two clips, from two recordings where there are."""
    styles = corpus.index["style"]
    found = []
    for person in dict.fromkeys(styles.tolist()):
        clips = np.flatnonzero(styles == person)
        first, last = corpus.motion(int(clips[0])), corpus.motion(int(clips[-1]))
        if len(clips) == 1:
            middle = first.num_frames // 2
            last = first.replace(values=first.values[middle:])
            first = first.replace(values=first.values[:middle])
        if min(first.num_frames, last.num_frames) >= LEAST_FRAMES:
            found.append((first, last))
    if not found:
        raise MotionError(f"Corpus '{corpus.name}' has nobody with two clips of a second.")
    return found
