"""Rule-based performer: phones and prosody to the motion of a face.

Needs no training. Lips follow coarticulated visemes (Cohen and Massaro 1993) with JALI's rules
(Edwards et al. 2016); head, brows, lids and gaze follow prosody with seeded randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox import rotation, timebase
from kinevox.audio.prosody import Prosody, analyze_prosody
from kinevox.closures import closure
from kinevox.errors import ConfigError
from kinevox.methods._base import ExtractedStyle
from kinevox.methods.articulate._noise import CONTROL_RATE
from kinevox.methods.articulate.brows import brow_raise, brow_weights
from kinevox.methods.articulate.coarticulation import articulator_curves, segments_of
from kinevox.methods.articulate.eyes import blinks, eye_weights, gaze
from kinevox.methods.articulate.head import head_angles
from kinevox.methods.articulate.mouth import mouth_weights, styled
from kinevox.methods.articulate.style import (
    PRESETS,
    SUFFIX,
    StyleFactors,
    load_style,
    mixed,
    save_style,
)
from kinevox.methods.articulate.visemes import ARTICULATORS
from kinevox.motion import ARKIT, Motion, MotionLayout
from kinevox.phones import Phones, find_phones
from kinevox.speech import Speech
from kinevox.timing import stage

LIP_LEAD = 0.015
"""Lips move this much ahead of the sound they make [s]."""
LOUDNESS_EFFECT = 0.35
"""Relative change of jaw and lip opening from quiet to loud speech."""
JITTER = 0.06
"""Relative variation of articulation from take to take."""


@dataclass(frozen=True)
class Articulate:
    """The method; see `kinevox.methods`."""

    name: str = "articulate"
    summary: str = "Rules: phones to coarticulated lips, prosody to head, brows and eyes"
    references: tuple[str, ...] = (
        "@inproceedings{edwards2016jali, title={JALI: An Animator-Centric Viseme Model for "
        "Expressive Lip Synchronization}, author={Edwards, Pif and Landreth, Chris and Fiume, "
        "Eugene and Singh, Karan}, booktitle={ACM SIGGRAPH}, year={2016}}",
        "@incollection{cohen1993modeling, title={Modeling Coarticulation in Synthetic Visual "
        "Speech}, author={Cohen, Michael M. and Massaro, Dominic W.}, booktitle={Models and "
        "Techniques in Computer Animation}, year={1993}}",
    )
    style_suffix: str = SUFFIX
    style_hears: bool = True
    takes_words: bool = True
    """A transcript or phone times make a difference."""

    def styles(self) -> Mapping[str, StyleFactors]:
        """The named presets."""
        return PRESETS

    def load_style(self, source: str | Path | None) -> StyleFactors:
        """A preset by name or factors from a `.style.json` file."""
        return load_style(source)

    def extract_style(
        self,
        motions: Sequence[Motion],
        speeches: Sequence[Speech] | None,
        progress: Callable[[int, int], None],
    ) -> ExtractedStyle:
        """Factors with which the rules would move alike; see `recovery`."""
        from kinevox.methods.articulate.recovery import recover

        heard = None if speeches is None else [hear(speech) for speech in speeches]
        return recover(motions, heard, progress)

    def mix_styles(self, styles: Sequence[StyleFactors], weights: Sequence[float]) -> StyleFactors:
        """Every factor between those of the styles."""
        return mixed(styles, weights)

    def describe_style(self, style: StyleFactors) -> Mapping[str, str]:
        """Its factors."""
        return {name: f"{value:g}" for name, value in vars(style).items()}

    def save_style(self, style: StyleFactors, path: Path) -> None:
        """Writes the factors as JSON."""
        if not path.name.endswith(SUFFIX):
            raise ConfigError(f"{path.name}: styles of articulate are files *{SUFFIX}.")
        save_style(style, path)

    def output_layout(self) -> MotionLayout:
        """ARKit's weights and the head."""
        return ARKIT

    def generate(
        self, speech: Speech, style: StyleFactors, *, seed: int = 0, fps: float = timebase.FPS
    ) -> Motion:
        """A take of the whole recording.

        Another seed gives another natural take; the same seed the same one bit for bit. Each
        part of the face has random numbers of its own, so changing one style factor leaves the
        rest of the take as it was.
        """
        return perform(hear(speech), style, seed=seed, fps=fps)


@dataclass(frozen=True, eq=False)
class Heard:
    """All that the rules take from a recording."""

    phones: Phones
    prosody: Prosody
    num_samples: int
    """Length of the recording at `SAMPLE_RATE`."""

    @property
    def seconds(self) -> float:
        return self.num_samples / timebase.SAMPLE_RATE


def hear(speech: Speech) -> Heard:
    """Finds phones and prosody."""
    with stage("phones"):
        phones = find_phones(speech)
    with stage("prosody"):
        prosody = analyze_prosody(speech.samples)
    return Heard(phones, prosody, len(speech.samples))


def perform(heard: Heard, style: StyleFactors, *, seed: int, fps: float) -> Motion:
    """A take; see `Articulate.generate`."""
    count = timebase.num_frames(heard.num_samples, timebase.SAMPLE_RATE, fps)
    times = timebase.frame_times(count, fps)
    prosody, seconds = heard.prosody, heard.seconds
    streams = dict(
        zip(
            ("lips", "head", "blinks", "gaze", "brows"),
            map(np.random.default_rng, np.random.SeedSequence(seed).spawn(5)),
            strict=True,
        )
    )
    with stage("head, eyes, brows"):
        head = head_angles(prosody, seconds, style, streams["head"])
        eyes = gaze(prosody, head, seconds, style, streams["gaze"])
        lids = blinks(prosody, seconds, style, streams["blinks"])
        brows = brow_raise(prosody, seconds, style, streams["brows"])
    with stage("lips"):
        weights = _lips(heard.phones, prosody, times, fps, style, streams["lips"])
    weights |= eye_weights(_at(times, lids), _at(times, eyes), style)
    weights |= brow_weights(_at(times, brows), style)
    turn = rotation.axis_angle_from_yaw_pitch_roll(_at(times, head))
    weights |= {f"head_{axis}": turn[:, i] for i, axis in enumerate("xyz")}
    rest = Motion(np.zeros((count, ARKIT.num_channels), np.float32), fps)
    return rest.with_channels(**weights)


def _lips(
    phones: Phones,
    prosody: Prosody,
    times: Float[np.ndarray, " frames"],
    fps: float,
    style: StyleFactors,
    rng: np.random.Generator,
) -> dict[str, Float[np.ndarray, " frames"]]:
    """Mouth weights; opening follows loudness, and every phone varies a little."""
    segments = segments_of(phones)
    middles = (segments.starts + segments.ends) / 2
    loudness = np.interp(middles, prosody.times, prosody.loudness)
    effort = 1 + LOUDNESS_EFFECT * (loudness - 0.5)
    effort *= 1 + JITTER * np.clip(rng.standard_normal(len(middles)), -2, 2)
    gains = np.ones_like(segments.targets)
    opening = [ARTICULATORS.index("jaw"), ARTICULATORS.index("aperture")]
    gains[:, opening] = effort[:, None]
    ahead = times + LIP_LEAD
    curves = articulator_curves(segments.scaled(gains), ahead)
    return mouth_weights(styled(curves, style), closure(phones, ahead, fps), style)


def _at(
    times: Float[np.ndarray, " frames"], curve: Float[np.ndarray, "ticks *columns"]
) -> Float[np.ndarray, "frames *columns"]:
    """A control curve at frame times."""
    position = times * CONTROL_RATE
    before = np.minimum(position.astype(int), len(curve) - 2)
    fraction = (position - before).reshape(-1, *[1] * (curve.ndim - 1))
    return curve[before] + fraction * (curve[before + 1] - curve[before])


METHOD = Articulate()
