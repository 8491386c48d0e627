"""What styles let expect of motion, and what drawing makes too small; measured, not trained.

Least squares from the style of a performer's other clips to how much each window of a clip moves,
how far the eyes wander, how often they blink and where the lips rest. Then the network performs
clips of people whom it has not learned from, if there are some, and what is drawn is compared with
what they did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kinevox.blinks import count_blinks
from kinevox.data import Corpus
from kinevox.errors import AssetError, MotionError
from kinevox.gaze import steady_sight
from kinevox.methods._base import Performance
from kinevox.methods.diffposetalk import Style
from kinevox.methods.diffposetalk.channels import normalized
from kinevox.methods.diffposetalk.dynamics import LEAST_FRAMES, Dynamics, parts_of
from kinevox.methods.diffposetalk.habits import (
    QUANTILES,
    SIZED,
    Habits,
    glances_of,
    rest_of,
    sizes_of,
    wander_of,
)
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.performances import perform_all
from kinevox.methods.diffposetalk.sampling import usual_sampling
from kinevox.methods.diffposetalk.style import pieces_of, shared_style
from kinevox.motion import ARKIT, Motion
from kinevox.pauses import closing, pauses_of
from kinevox.speech import Speech

Progress = Callable[[str, int, int], None]

LISTENED = 800
"""Clips of which lips at rest are measured; to hear where somebody pauses takes a while."""
PERFORMED = 150
"""Clips that are performed and compared."""
LEAST_RESTING = 5
"""Fewer frames of a clip do not tell where lips rest."""
SMALLEST = 1e-3
"""Weights that are smaller on average are not scaled."""


class _Pair(NamedTuple):
    """A clip as somebody performed it, and as the network does."""

    true: Motion
    drawn: Motion
    style: Tensor
    """From the person's other clips."""
    speaking: Bool[np.ndarray, " frames"]


def calibrate(
    network: DiffPoseTalkNetwork,
    corpus: Corpus,
    progress: Progress = lambda stage, done, total: None,
) -> None:
    """Gives a network what the styles of people of a corpus let expect.

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
    clips = corpus.split("train")
    told = dict(_styles(network, clips, progress))
    if not told:
        raise MotionError(f"Corpus '{corpus.name}' has nobody with two clips to train on.")
    named = space.layout == ARKIT
    network.dynamics, network.habits = _dynamics(network, clips, told), None
    habits = _habits(network, clips, told, progress) if named else None
    unseen = corpus.split("valid") if "valid" in corpus.index["split"] else clips
    if pairs := list(_performed(network, unseen, progress)):
        true = _all_windows(network, network.dynamics, [pair.true for pair in pairs])
        drawn = _all_windows(network, network.dynamics, [pair.drawn for pair in pairs])
        _make_up(network.dynamics, true, drawn)
        if habits is not None:
            _size(habits, pairs)
            _glance(habits, pairs)
    network.habits = habits


def _styles(
    network: DiffPoseTalkNetwork, clips: Corpus, progress: Progress
) -> Iterator[tuple[int, Tensor]]:
    """Clips that are long enough, each with the style of the performer's other clips."""
    names = np.unique(clips.index["style"])
    for done, name in enumerate(names):
        progress("Reading styles", done, len(names))
        rows = np.flatnonzero(
            (clips.index["style"] == name) & (clips.index["frames"] >= LEAST_FRAMES)
        ).tolist()
        if len(rows) < 2:
            continue
        pieces = [pieces_of(network.style_encoder, clips.motion(i).values) for i in rows]
        for own, i in enumerate(rows):
            others = np.concatenate([part for k, part in enumerate(pieces) if k != own])
            yield i, torch.from_numpy(shared_style(others))
    progress("Reading styles", len(names), len(names))


def _dynamics(network: DiffPoseTalkNetwork, clips: Corpus, told: dict[int, Tensor]) -> Dynamics:
    """How far and how quickly people move in each window."""
    parts = parts_of(network.space.layout, network.columns)
    dynamics = Dynamics(parts, network.config.style_width)
    styles, shown = [], []
    for i, style in told.items():
        found = _windows(network, dynamics, clips.motion(i))
        styles += [style] * len(found)
        shown += found
    inputs, targets = torch.stack(styles), torch.stack(shown)
    dynamics.expectation.fit(inputs, targets.flatten(1))
    _make_up(dynamics, targets, dynamics.expected(inputs))
    return dynamics


def _all_windows(
    network: DiffPoseTalkNetwork, dynamics: Dynamics, motions: Sequence[Motion]
) -> Float[Tensor, "windows parts 2"]:
    return torch.stack([w for motion in motions for w in _windows(network, dynamics, motion)])


def _windows(network: DiffPoseTalkNetwork, dynamics: Dynamics, motion: Motion) -> list[Tensor]:
    """How far and how quickly the parts move in each window of a clip."""
    values = torch.from_numpy(normalized(network.space, network.columns, motion.values))
    return [
        dynamics.measured(window[None], torch.ones(1, len(window), dtype=torch.bool))[0]
        for window in values.split(network.config.window)
        if len(window) >= LEAST_FRAMES
    ]


def _make_up(
    dynamics: Dynamics,
    true: Float[Tensor, "windows parts 2"],
    instead: Float[Tensor, "windows parts 2"],
) -> None:
    """Expects so much more of everybody as is lacking on average.

    Of sizes, not of their logarithms, whose mean is that of less.
    """
    far = _missing(true[..., 0], instead[..., 0])
    # Spread and pace together are the size of steps.
    steps = _missing(true.sum(dim=-1), instead.sum(dim=-1))
    dynamics.expectation.shift(torch.stack([far, steps - far], dim=-1).flatten())


def _missing(
    true: Float[Tensor, "examples parts"], instead: Float[Tensor, "examples parts"]
) -> Float[Tensor, " parts"]:
    """Of logarithms of sizes, by how much the mean size falls short."""
    return (true.exp().mean(dim=0) / instead.exp().mean(dim=0)).log()


def _habits(
    network: DiffPoseTalkNetwork, clips: Corpus, told: dict[int, Tensor], progress: Progress
) -> Habits:
    """What eyes and lips do, without what was drawn."""
    habits = Habits(network.config.style_width)
    eyes, rests, listened = [], {}, set(_spread(list(told), LISTENED))
    for done, i in enumerate(told):
        progress("Measuring habits", done, len(told))
        motion = clips.motion(i)
        rate = count_blinks(motion) / motion.seconds
        eyes.append(torch.tensor([np.log(wander_of(steady_sight(motion))), rate]))
        if i in listened:
            resting = closing(motion.times, pauses_of(clips[i].speech.samples)) >= 0.95
            if resting.sum() >= LEAST_RESTING:
                rests[i] = torch.from_numpy(rest_of(motion, resting))
    progress("Measuring habits", len(told), len(told))
    habits.eyes.fit(torch.stack(list(told.values())), torch.stack(eyes))
    if rests:
        habits.lips.fit(torch.stack([told[i] for i in rests]), torch.stack(list(rests.values())))
    return habits


def _performed(network: DiffPoseTalkNetwork, clips: Corpus, progress: Progress) -> Iterator[_Pair]:
    """Some clips as the network performs them, and as they were."""
    sampling, told = usual_sampling(network.config), dict(_styles(network, clips, progress))
    chosen = _spread(list(told), PERFORMED)
    for done, i in enumerate(chosen):
        progress("Performing for comparison", done, len(chosen))
        clip = clips[i]
        speech, style = Speech(clip.speech.samples), Style(tuple(told[i].tolist()))
        (take,) = perform_all(network, [Performance(speech, style, i)], sampling, clips.fps)
        frames = min(take.num_frames, clip.motion.num_frames)
        true, drawn = (m.replace(values=m.values[:frames]) for m in (clip.motion, take))
        yield _Pair(true, drawn, told[i], closing(true.times, pauses_of(speech.samples)) == 0)
    progress("Performing for comparison", len(chosen), len(chosen))


def _size(habits: Habits, pairs: Sequence[_Pair]) -> None:
    """Compares what was drawn while somebody spoke with what they did."""
    true, drawn = np.zeros(len(SIZED)), np.zeros(len(SIZED))
    for pair in pairs:
        if pair.speaking.any():
            true += sizes_of(pair.true, pair.speaking)
            drawn += sizes_of(pair.drawn, pair.speaking)
    known = np.minimum(drawn, true) > SMALLEST * len(pairs)
    ratio = np.divide(true, drawn, out=np.ones(len(SIZED)), where=known)
    habits.sizes.copy_(torch.from_numpy(np.log(ratio)))


def _glance(habits: Habits, pairs: Sequence[_Pair]) -> None:
    """Compares how far eyes leave what they look at."""
    drawn = [glances_of(steady_sight(pair.drawn)) for pair in pairs]
    true = [
        glances_of(steady_sight(pair.true)) / habits.wander(pair.style.numpy()) for pair in pairs
    ]
    for table, found in ((habits.drawn_glances, drawn), (habits.glances, true)):
        table.copy_(torch.from_numpy(np.quantile(np.concatenate(found), QUANTILES)))


def _spread(places: list[int], count: int) -> list[int]:
    """Some of them, at even distance."""
    at = np.unique(np.linspace(0, len(places) - 1, min(count, len(places))).astype(int))
    return [places[k] for k in at.tolist()]
