"""Style from motion: with which factors would the rules move like this?

Nothing is trained. The rules perform the same speech some hundred times, with factors drawn at
random around neutral; each performance is described by numbers (`_describe`), and a ridge
regression says how factors follow from numbers. Applied to the recording, it gives each factor,
and from performances left out of the fit how much of it such a recording shows: its certainty. As
far as a factor is uncertain, it stays neutral. When the rules change, recovery changes with them.

Without the sound, made-up speech is performed instead (`_made_up`); what cannot be told from the
speaker's words then is told less surely.

Source: simulation-based inference with regression adjustment (Beaumont, Zhang and Balding 2002),
without its rejection step, and with leave-one-out residuals of ridge regression in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
from jaxtyping import Float

from kinevox.errors import MotionError
from kinevox.methods._base import ExtractedStyle
from kinevox.methods.articulate import Heard, perform
from kinevox.methods.articulate._describe import describe
from kinevox.methods.articulate._made_up import make_up
from kinevox.methods.articulate.style import StyleFactors
from kinevox.motion import ARKIT, Motion
from kinevox.timebase import FPS

MIN_SECONDS = 2.0
"""Shorter motion says too little [s]."""
MAX_SECONDS = 120.0
"""Only so much is looked at, from the start [s]."""
SLACK_SECONDS = 1.0
"""Sound and motion may differ by so much in length [s]; what is left over is ignored."""
SIMULATED_SECONDS = 6000.0
"""Length of all performances together [s]."""
FEWEST, MOST = 200, 300
"""Performances."""
SPREAD = 1 / 6
"""Standard deviation of the factors that are drawn, as a part of their range."""
RIDGE = 0.03
"""Strength of the ridge per performance."""
ODD = 3.0
"""A number further from those of the performances than this is taken to be this far [deviations].
Real faces do what the rules never do."""

_FACTORS = fields(StyleFactors)
_NEUTRAL = np.array([factor.default for factor in _FACTORS])
_LOW = np.array([factor.metadata["low"] for factor in _FACTORS])
_HIGH = np.array([factor.metadata["high"] for factor in _FACTORS])
_RATIOS = [
    index
    for index, factor in enumerate(_FACTORS)
    if factor.name in ("jaw_gain", "lip_gain", "rounding", "head_amplitude", "head_tempo")
]
"""Factors that multiply, which are looked for as logarithms."""
_RATIO_FLOOR = 0.15
"""Keeps the logarithm of a head that never moves finite."""


def recover(
    motions: Sequence[Motion],
    heard: Sequence[Heard] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ExtractedStyle:
    """The style of one person, from one clip or several.

    Args:
        heard: The speech of each clip, which makes the answer far more certain.

    Raises:
        MotionError: not ARKit's layout, too short, or not as long as the speech.
    """
    (extracted,) = recover_each([motions], heard, progress)
    return extracted


def recover_each(
    takes: Sequence[Sequence[Motion]],
    heard: Sequence[Heard] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[ExtractedStyle]:
    """The styles of several performances of the same clips, which the rules perform but once.

    Raises:
        MotionError: as `recover`, or clips of the performances differ in length.
    """
    prepared = [_prepared(motions, heard) for motions in takes]
    if len({tuple(clip.num_frames for clip in clips) for clips, _ in prepared}) > 1:
        raise MotionError("The performances differ in length; give takes of the same clips.")
    clips, heard = prepared[0]
    accents = None
    if heard is not None:
        accents = [
            [accent for accent in words.prosody.accents if accent.time < clip.seconds]
            for words, clip in zip(heard, clips, strict=True)
        ]
    seconds = sum(clip.seconds for clip in clips)
    count = int(np.clip(SIMULATED_SECONDS / seconds, FEWEST, MOST))
    rng = np.random.default_rng(0)
    drawn = np.array([_draw(rng) for _ in range(count)])
    numbers = []
    for number, values in enumerate(drawn):
        progress(number, count)
        speech = heard or [make_up(clip.seconds, rng) for clip in clips]
        style = StyleFactors(*map(float, values))
        acted = [
            perform(words, style, seed=int(rng.integers(2**32)), fps=FPS).cut(0, clip.seconds)
            for words, clip in zip(speech, clips, strict=True)
        ]
        numbers.append(describe(acted, accents))
    rows = np.array(numbers)
    return [_extracted(rows, drawn, describe(motions, accents)) for motions, _ in prepared]


def _extracted(
    rows: Float[np.ndarray, "takes numbers"],
    drawn: Float[np.ndarray, "takes factors"],
    row: Float[np.ndarray, " numbers"],
) -> ExtractedStyle:
    """The factors that a row of numbers tells, after the rows of performances with known ones."""
    found, certainty = _regress(rows, _to_scale(drawn), row)
    # The regression falls back to the mean of what was drawn, which one-sided factors have off
    # neutral; an unseen factor shall stay neutral.
    found += (1 - certainty) * (_to_scale(_NEUTRAL[None])[0] - _to_scale(drawn).mean(axis=0))
    values = np.clip(_from_scale(found), _LOW, _HIGH)
    names = [factor.name for factor in _FACTORS]
    return ExtractedStyle(
        StyleFactors(*(round(float(value), 4) for value in values)),
        dict(zip(names, certainty.round(3).tolist(), strict=True)),
    )


def _prepared(
    motions: Sequence[Motion], heard: Sequence[Heard] | None
) -> tuple[list[Motion], list[Heard] | None]:
    """Clips at one frame rate, as long as their speech, and no more than is looked at."""
    clips, words, seconds = [], [], 0.0
    for number, motion in enumerate(motions):
        if motion.layout != ARKIT:
            raise MotionError(
                "Style is read from ARKit's 52 weights and the head; this motion has layout "
                f"'{motion.layout.name}'. Name the head it was made for: --source-head flame:FILE"
            )
        if heard is not None and abs(heard[number].seconds - motion.seconds) > SLACK_SECONDS:
            raise MotionError(
                f"The motion is {motion.seconds:.2f} s long and the sound "
                f"{heard[number].seconds:.2f} s. Give the recording that belongs to it, or none."
            )
        length = min(motion.seconds, MAX_SECONDS - seconds)
        if heard is not None:
            length = min(length, heard[number].seconds)
        if length < 3 / FPS:
            continue
        clips.append(motion.resample(FPS).cut(0, length))
        seconds += clips[-1].seconds
        if heard is not None:
            words.append(heard[number])
    if seconds < MIN_SECONDS:
        raise MotionError(
            f"The motion is {seconds:.2f} s long; style needs {MIN_SECONDS:g} s, better 30 s."
        )
    return clips, words or None


def _draw(rng: np.random.Generator) -> Float[np.ndarray, " factors"]:
    """Factors around neutral; what falls out of its range is drawn again."""
    values = np.full(len(_FACTORS), np.inf)
    while (out := (values < _LOW) | (values > _HIGH)).any():
        again = rng.normal(_NEUTRAL, SPREAD * (_HIGH - _LOW))
        values = np.where(out, again, values)
    return values


def _to_scale(values: Float[np.ndarray, "n factors"]) -> Float[np.ndarray, "n factors"]:
    scaled = values.copy()
    scaled[:, _RATIOS] = np.log(values[:, _RATIOS] + _RATIO_FLOOR)
    return scaled


def _from_scale(scaled: Float[np.ndarray, " factors"]) -> Float[np.ndarray, " factors"]:
    values = scaled.copy()
    values[_RATIOS] = np.exp(scaled[_RATIOS]) - _RATIO_FLOOR
    return values


def _regress(
    rows: Float[np.ndarray, "takes numbers"],
    targets: Float[np.ndarray, "takes factors"],
    row: Float[np.ndarray, " numbers"],
) -> tuple[Float[np.ndarray, " factors"], Float[np.ndarray, " factors"]]:
    """Targets of `row` by ridge regression, and R2 of each over takes left out of the fit."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    varies = spread > 1e-9
    x = ((rows - mean) / np.where(varies, spread, 1))[:, varies]
    middle = targets.mean(axis=0)
    left, sizes, right = np.linalg.svd(x, full_matrices=False)
    shrunk = sizes / (sizes**2 + RIDGE * len(x))
    slopes = (right.T * shrunk) @ (left.T @ (targets - middle))
    # Leaving a take out enlarges its residual by its leverage; the mean takes a share of its own.
    leverage = (left**2 * (sizes * shrunk)).sum(axis=1) + 1 / len(x)
    errors = (targets - middle - x @ slopes) / (1 - leverage)[:, None]
    explained = 1 - (errors**2).sum(axis=0) / ((targets - middle) ** 2).sum(axis=0)
    odd = np.clip(((row - mean) / np.where(varies, spread, 1))[varies], -ODD, ODD)
    return middle + odd @ slopes, np.clip(explained, 0, 1)
