"""Performances to motion: a recording is heard once, and its takes are drawn together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from kinevox import timebase
from kinevox.arkit import LIP_OPENING_MM
from kinevox.audio.prosody import Pause
from kinevox.blinks import whole_blinks
from kinevox.closures import closure, with_lips_closed
from kinevox.gaze import looking, steady_sight
from kinevox.known import Known
from kinevox.methods._base import WINDOW_BORDERS, Performance
from kinevox.methods.diffposetalk.channels import normalized, restored
from kinevox.methods.diffposetalk.dynamics import equalized, parts_of
from kinevox.methods.diffposetalk.habits import Habits
from kinevox.methods.diffposetalk.hearing import heard, phones_of
from kinevox.methods.diffposetalk.manner import Manner
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.perform import perform, window_borders
from kinevox.methods.diffposetalk.sampling import Sampling
from kinevox.motion import ARKIT, Motion
from kinevox.pauses import closed_in, pauses_of
from kinevox.phones import Phones
from kinevox.speech import Speech
from kinevox.strengths import BLINKS
from kinevox.timing import stage

TOGETHER_SECONDS = 3600.0
"""As much motion is made at once, each recording taking as much as the longest; more would cost
memory and save no time [s]."""


def perform_all(
    network: DiffPoseTalkNetwork,
    performances: Sequence[Performance],
    sampling: Sampling,
    fps: float,
) -> list[Motion]:
    """The motion of each."""
    return [
        motion
        for group in _groups(performances)
        for motion in _perform_group(network, group, sampling, fps)
    ]


def _groups(performances: Sequence[Performance]) -> Iterator[Sequence[Performance]]:
    start, longest = 0, 0.0
    for place, one in enumerate(performances):
        longest = max(longest, one.speech.seconds)
        if place > start and (place - start + 1) * longest > TOGETHER_SECONDS:
            yield performances[start:place]
            start, longest = place, one.speech.seconds
    if performances:
        yield performances[start:]


def _perform_group(
    network: DiffPoseTalkNetwork,
    performances: Sequence[Performance],
    sampling: Sampling,
    fps: float,
) -> list[Motion]:
    space, habits = network.space, network.habits if sampling.calibrated else None
    speeches = {id(one.speech): one.speech for one in performances}
    named = space.layout == ARKIT
    with stage("hearing"):
        features = {
            key: heard(network, speech.samples, sampling) for key, speech in speeches.items()
        }
        pauses = {
            key: pauses_of(s.samples) if named and sampling.close_in_silence else ()
            for key, s in speeches.items()
        }
        phones = {
            key: phones_of(network, s, features[key]) if named and sampling.close_lips else None
            for key, s in speeches.items()
        }
    lengths = [_frames(one.speech, space.fps) for one in performances]
    with stage("diffusion"):
        made = perform(
            network,
            [features[id(one.speech)] for one in performances],
            [_vector(one) for one in performances],
            [one.seed for one in performances],
            sampling,
            lengths=lengths,
            known=[
                None if one.known is None else _as_drawn(one.known.at(space.fps, length), habits)
                for one, length in zip(performances, lengths, strict=True)
            ],
        )
    motions = []
    for one, values in zip(performances, made, strict=True):
        key = id(one.speech)
        borders = window_borders(len(values), network, sampling)
        times = " ".join(f"{border / space.fps:g}" for border in borders)
        manner = _manner(network, one, sampling)
        if manner is not None:
            values = _moved(network, values, manner, one.known)
        motion = Motion(values, space.fps, space.layout, {WINDOW_BORDERS: times})
        if named:
            motion = _finished(motion, one, phones[key], pauses[key], manner, habits, sampling)
        motions.append(_at(motion, fps, one.speech))
    return motions


def _as_drawn(known: Known, habits: Habits | None) -> Known:
    """What is known, in the sizes that the network draws."""
    return known if habits is None else replace(known, motion=habits.unsized(known.motion))


def _manner(
    network: DiffPoseTalkNetwork, performance: Performance, sampling: Sampling
) -> Manner | None:
    """How the person of a performance moves, where there is one and it is known."""
    if network.manners is None or not (sampling.calibrated and performance.style.vector):
        return None
    return network.manners.expected(performance.style)


def _moved(
    network: DiffPoseTalkNetwork,
    values: Float[np.ndarray, "frames channels"],
    manner: Manner,
    known: Known | None,
) -> Float[np.ndarray, "frames channels"]:
    """A take that moves as its person does, as far as it is not known."""
    space, columns = network.space, network.columns
    parts = parts_of(space.layout, columns)
    drawn = normalized(space, columns, values)
    if known is None:
        return restored(space, columns, equalized(parts, drawn, manner.moves))
    weights = known.at(space.fps, len(values)).weights[:, columns]
    free = np.flatnonzero((weights < 1).any(axis=1))
    # What was made anew is measured by itself, as what lies around it is the person's already.
    anew = slice(free[0], free[-1] + 1) if len(free) else slice(0)
    moved = equalized(parts, drawn[anew], manner.moves)
    drawn[anew] += (1 - weights[anew]) * (moved - drawn[anew])
    return restored(space, columns, drawn)


def _finished(
    motion: Motion,
    performance: Performance,
    phones: Phones | None,
    pauses: Sequence[Pause],
    manner: Manner | None,
    habits: Habits | None,
    sampling: Sampling,
) -> Motion:
    """A drawn take of layout `arkit`, with what its person is known for and what is certain."""
    style, rest, count = _vector(performance), None, None
    if habits is not None:
        motion = habits.sized(motion)
        rest = None if style is None else habits.rest(style)
    if sampling.steady_gaze:
        sight = steady_sight(motion)
        if habits is not None and manner is not None and manner.wander is not None:
            sight = habits.glancing(sight, manner.wander)
        motion = looking(motion, sight)
    free = np.ones(motion.num_frames, bool)
    if performance.known is not None:
        free = ~_known_of(BLINKS, performance.known, motion).any(axis=1)
    if manner is not None and manner.blinks is not None:
        # What is left of a blink is one by chance.
        luck = np.random.default_rng(performance.seed).uniform()
        count = int(manner.blinks * free.sum() / motion.fps + luck)
    if sampling.whole_blinks:
        motion = whole_blinks(motion, count, free)
    closed = motion
    if phones is not None:
        closed = with_lips_closed(closed, closure(phones, motion.times, motion.fps))
    closed = closed_in(closed, pauses, rest)
    if performance.known is None:
        return closed
    # Lips that are told where to be are not closed.
    told = _known_of(tuple(LIP_OPENING_MM), performance.known, motion).max(axis=1, keepdims=True)
    return motion.replace(values=motion.values + (1 - told) * (closed.values - motion.values))


def _known_of(
    names: Sequence[str], known: Known, motion: Motion
) -> Float[np.ndarray, "frames channels"]:
    """How firmly channels are known, on the clock of a motion."""
    columns = [motion.layout.index(name) for name in names]
    return known.at(motion.fps, motion.num_frames).weights[:, columns]


def _at(motion: Motion, fps: float, speech: Speech) -> Motion:
    """At another frame rate, as long as the speech."""
    if timebase.exact_fps(fps) == timebase.exact_fps(motion.fps):
        return motion
    count = timebase.num_frames(len(speech.samples), timebase.SAMPLE_RATE, fps)
    return motion.replace(values=motion.sample(timebase.frame_times(count, fps)), fps=fps)


def _frames(speech: Speech, fps: float) -> int:
    return timebase.num_frames(max(len(speech.samples), 1), timebase.SAMPLE_RATE, fps)


def _vector(performance: Performance) -> Float[np.ndarray, " style"] | None:
    vector = performance.style.vector
    return np.array(vector, np.float32) if vector else None
