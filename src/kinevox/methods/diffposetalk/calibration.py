"""What styles let expect of motion, and what drawing makes too small; measured, not trained.

Least squares from the style of a performer's other clips to the manner of a clip, and to where the
lips rest. Then the network performs clips of people whom it has not learned from, if there are
some, and what is drawn is compared with what they did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float

from kinevox.data import Corpus
from kinevox.diffusion.samplers import spaced
from kinevox.diffusion.schedules import schedule
from kinevox.errors import AssetError, MotionError
from kinevox.gaze import steady_sight
from kinevox.methods._base import Performance
from kinevox.methods.diffposetalk import Style
from kinevox.methods.diffposetalk.dynamics import LEAST_FRAMES, parts_of
from kinevox.methods.diffposetalk.habits import (
    QUANTILES,
    SIZED,
    Habits,
    glances_of,
    rest_of,
    sizes_of,
)
from kinevox.methods.diffposetalk.manner import Manners, joined, manner_of
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.performances import perform_all
from kinevox.methods.diffposetalk.sampling import Course, usual_sampling
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


class _Told(NamedTuple):
    """A clip of somebody, and what is known of them beside it."""

    clip: int
    style: Style
    """From the person's other clips."""
    manner: Float[np.ndarray, " numbers"]
    """Of this clip."""


class _Pair(NamedTuple):
    """A clip as somebody performed it, and as the network does."""

    true: Motion
    drawn: Motion
    style: Style
    """From the person's other clips."""
    speaking: Bool[np.ndarray, " frames"]


def calibrate(
    network: DiffPoseTalkNetwork,
    corpus: Corpus,
    progress: Progress = lambda stage, done, total: None,
    *,
    steps: int | None = None,
    spacing: float | None = None,
) -> None:
    """Gives a network what the styles of people of a corpus let expect.

    Args:
        steps: In how many it shall draw; as many as before by default.
        spacing: How these shall lie, as of `spaced`; likewise.

    Raises:
        ConfigError: it cannot draw in so many.
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
    if steps is not None or spacing is not None:
        usual = usual_sampling(network.config, network.drawn_in)
        course = Course(
            usual.steps if steps is None else steps,
            usual.spacing if spacing is None else spacing,
        )
        spaced(schedule(network.config.schedule, network.config.steps), *course)
        network.drawn_in = course
    parts = parts_of(space.layout, network.columns)
    if network.config.style_from != "encoder" or not parts:
        raise AssetError(
            "This network has no style encoder, or moves neither upper face nor head; there is "
            "nothing to expect of a style."
        )
    clips = corpus.split("train")
    told = list(_told(network, clips, progress))
    if not told:
        raise MotionError(f"Corpus '{corpus.name}' has nobody with two clips to train on.")
    network.manners, network.habits = _manners(network, told), None
    habits = _habits(network, clips, told, progress) if space.layout == ARKIT else None
    unseen = corpus.split("valid") if "valid" in corpus.index["split"] else clips
    if pairs := list(_performed(network, unseen, progress)):
        encoder = network.style_encoder
        true = np.array([manner_of(encoder, pair.true) for pair in pairs])
        drawn = np.array([manner_of(encoder, pair.drawn) for pair in pairs])
        _make_up(network.manners, true, drawn)
        if habits is not None:
            _size(habits, pairs)
            _glance(habits, network.manners, pairs)
    network.habits = habits


def _told(network: DiffPoseTalkNetwork, clips: Corpus, progress: Progress) -> Iterator[_Told]:
    """Clips that are long enough, each with the style of the performer's other clips."""
    encoder = network.style_encoder
    names = np.unique(clips.index["style"])
    for done, name in enumerate(names):
        progress("Reading styles", done, len(names))
        rows = np.flatnonzero(
            (clips.index["style"] == name) & (clips.index["frames"] >= LEAST_FRAMES)
        ).tolist()
        if len(rows) < 2:
            continue
        motions = [clips.motion(i) for i in rows]
        pieces = [pieces_of(encoder, motion.values) for motion in motions]
        manners = np.array([manner_of(encoder, motion) for motion in motions])
        seconds = np.array([motion.seconds for motion in motions])
        for own, i in enumerate(rows):
            others = [k for k in range(len(rows)) if k != own]
            vector = shared_style(np.concatenate([pieces[k] for k in others])).tolist()
            yield _Told(i, joined(vector, manners[others], seconds[others]), manners[own])
    progress("Reading styles", len(names), len(names))


def _manners(network: DiffPoseTalkNetwork, told: Sequence[_Told]) -> Manners:
    """What styles let expect of how people move."""
    space, config = network.space, network.config
    manners = Manners(space.layout, network.style_encoder.columns, config.style_width)
    styles, shown = [one.style for one in told], np.array([one.manner for one in told])
    manners.fit(styles, shown)
    _make_up(manners, shown, np.array([manners.numbers(style) for style in styles]))
    return manners


def _make_up(
    manners: Manners,
    true: Float[np.ndarray, "clips numbers"],
    instead: Float[np.ndarray, "clips numbers"],
) -> None:
    """Asks for so much more movement of everybody as is lacking on average.

    By mean sizes; the mean of their logarithms would be that of less.
    """
    sizes = slice(len(manners.moves))
    missing = np.log(np.exp(true).mean(axis=0) / np.exp(instead).mean(axis=0))
    manners.lacking[sizes] += torch.from_numpy(missing[sizes])


def _habits(
    network: DiffPoseTalkNetwork, clips: Corpus, told: Sequence[_Told], progress: Progress
) -> Habits:
    """Where lips rest, without what was drawn."""
    habits = Habits(network.config.style_width)
    styles, rests, chosen = [], [], _spread(told, LISTENED)
    for done, one in enumerate(chosen):
        progress("Measuring lips at rest", done, len(chosen))
        motion = clips.motion(one.clip)
        resting = closing(motion.times, pauses_of(clips[one.clip].speech.samples)) >= 0.95
        if resting.sum() >= LEAST_RESTING:
            styles.append(one.style.vector)
            rests.append(torch.from_numpy(rest_of(motion, resting)))
    progress("Measuring lips at rest", len(chosen), len(chosen))
    if rests:
        habits.lips.fit(torch.tensor(styles), torch.stack(rests))
    return habits


def _performed(network: DiffPoseTalkNetwork, clips: Corpus, progress: Progress) -> Iterator[_Pair]:
    """Some clips as the network performs them, and as they were."""
    sampling = usual_sampling(network.config, network.drawn_in)
    chosen = _spread(list(_told(network, clips, progress)), PERFORMED)
    for done, one in enumerate(chosen):
        progress("Performing for comparison", done, len(chosen))
        clip = clips[one.clip]
        speech = Speech(clip.speech.samples)
        performance = Performance(speech, one.style, one.clip)
        (take,) = perform_all(network, [performance], sampling, clips.fps)
        frames = min(take.num_frames, clip.motion.num_frames)
        true, drawn = (m.replace(values=m.values[:frames]) for m in (clip.motion, take))
        speaking = closing(true.times, pauses_of(speech.samples)) == 0
        yield _Pair(true, drawn, one.style, speaking)
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


def _glance(habits: Habits, manners: Manners, pairs: Sequence[_Pair]) -> None:
    """Compares how far eyes leave what they look at."""
    drawn = [glances_of(steady_sight(pair.drawn)) for pair in pairs]
    true = [
        glances_of(steady_sight(pair.true)) / manners.expected(pair.style).wander for pair in pairs
    ]
    for table, found in ((habits.drawn_glances, drawn), (habits.glances, true)):
        table.copy_(torch.from_numpy(np.quantile(np.concatenate(found), QUANTILES)))


def _spread(some: Sequence[_Told], count: int) -> list[_Told]:
    """Some of them, at even distance."""
    at = np.unique(np.linspace(0, len(some) - 1, min(count, len(some))).astype(int))
    return [some[k] for k in at.tolist()]
