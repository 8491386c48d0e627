"""How the style encoder is trained, and what it is worth on unseen people.

Clips of one person shall lie close together and those of others apart; and what a corpus knows
about its people shall be readable from their styles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from kinevox.data import Corpus
from kinevox.errors import MotionError
from kinevox.methods.articulate.style import STYLE_FACTORS
from kinevox.methods.diffposetalk.config import GAP
from kinevox.methods.diffposetalk.style import LEAST_FRAMES, StyleEncoder, style_of
from kinevox.motion import Motion
from kinevox.training.batch import Batch


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
