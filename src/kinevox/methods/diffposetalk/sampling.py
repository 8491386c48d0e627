"""How motion is drawn from the network: choices, and the defaults of ours and of the paper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

from kinevox.diffusion.guidance import PLAIN, Guidance
from kinevox.errors import ConfigError, UnknownNameError
from kinevox.methods._base import SamplingOptions
from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig

Sampler = Literal["dpm-solver", "ddim", "ancestral"]


FOLLOWED = Guidance(sound=1.8, style=1.8, mode="style-first", interval=(0.75, 1.0))
"""How `base` follows styles on people of the validation split without losing at the lips; more
makes takes alike. Equal strengths take two branches. What guidance does for styles it does in the
first quarter of the way; in the second half it only makes heads tremble."""
NOISY = 2.0
"""Spacing of steps. How far and how often somebody moves is decided where there is hardly anything
but noise: even steps are too few there, and motion gets smaller and more like everybody's."""


class Course(NamedTuple):
    """The way from noise to motion."""

    steps: int
    """Calls of the network per window."""
    spacing: float
    """How they lie, as of `spaced`."""


@dataclass(frozen=True)
class Sampling:
    """How motion is drawn from the network."""

    sampler: Sampler = "dpm-solver"
    """`ancestral` takes all steps that the network was trained with."""
    steps: int = 12
    """Calls of the network per window, for the other samplers."""
    spacing: float = NOISY
    """How those lie, as of `spaced`."""
    guidance: Guidance = FOLLOWED
    """How strongly sound and style are followed; published: 1.15 and 3."""
    mouth_noise: float = 0.05
    """How much of the noise jaw, lips and tongue grow from; published: 1. What is said decides
    where they go, and the rest of their spread is doubt about what was heard."""
    flexibility: float = 0.0
    """Of `ancestral`."""
    overlap: int = 24
    """Frames that a window shares with the one before; published: 0. In fewer, heads hurry from one
    window's way to that of the next."""
    same_noise: bool = False
    """Start every window from the same noise, as published; windows then look more alike."""
    silence_behind: bool = False
    """Hear silence behind the end of the recording, as published, rather than nothing."""
    bf16: bool = False
    """Compute in bfloat16."""
    steady_head: bool = True
    """Take out of the head's turns what is quicker than heads are."""
    steady_gaze: bool = True
    """Keep the eyes on something between leaps, in layout `arkit`."""
    whole_blinks: bool = True
    """Shut the lids in a blink, or leave them open, in layout `arkit`."""
    calibrated: bool = True
    """Move as people with the style are expected to, where that was measured for the network."""
    close_in_silence: bool = True
    """Close the mouth where nobody speaks, in layout `arkit`."""
    close_lips: bool = True
    """Close the lips on p, b and m, as they are given or heard, in layout `arkit`."""

    def changed(self, options: SamplingOptions) -> Sampling:
        """With what was chosen in place of its own.

        Raises:
            ConfigError: a choice is out of its range.
        """
        if options.steps is not None and options.steps < 1:
            raise ConfigError(f"steps is {options.steps}; at least one is needed.")
        if options.spacing is not None and not options.spacing > 0:
            raise ConfigError(
                f"spacing is {options.spacing}; expected 1 (even steps), more (more of them in "
                "noise), or less, but above 0."
            )
        if options.sampler is not None and options.sampler not in get_args(Sampler):
            raise UnknownNameError("sampler", options.sampler, get_args(Sampler))
        if options.mouth_noise is not None and not 0 <= options.mouth_noise <= 1:
            raise ConfigError(
                f"mouth_noise is {options.mouth_noise}; expected 0 (none) to 1 (as trained)."
            )
        scales = _chosen(
            sound=options.audio_scale,
            style=options.style_scale,
            interval=options.guidance_interval,
        )
        guidance = replace(self.guidance, **scales)
        if guidance.branches == (PLAIN,):
            guidance = guidance.plain
        chosen = _chosen(
            steps=options.steps,
            bf16=options.bf16,
            close_in_silence=options.close_in_silence,
            calibrated=options.calibrated,
            sampler=options.sampler,
            mouth_noise=options.mouth_noise,
            spacing=options.spacing,
        )
        return replace(self, guidance=guidance, **chosen)


def _chosen(**choices: Any) -> dict[str, Any]:
    return {name: choice for name, choice in choices.items() if choice is not None}


def usual_sampling(config: DiffPoseTalkConfig, course: Course | None = None) -> Sampling:
    """How a network draws unless told otherwise: as it was trained to.

    Args:
        course: What it was calibrated for, where it was.
    """
    # Short windows share no more of themselves than long ones, and leave the context whole.
    overlap = min(Sampling.overlap, config.window // 4, config.window - config.context)
    usual = Sampling(steps=min(Sampling.steps, config.steps), overlap=overlap)
    if config.taught_by:
        usual = replace(
            usual,
            sampler="ddim",
            steps=config.few_steps,
            spacing=config.spacing,
            guidance=FOLLOWED.plain,
        )
    return usual if course is None else replace(usual, steps=course.steps, spacing=course.spacing)


PUBLISHED = Sampling(
    "ancestral",
    guidance=Guidance(),
    mouth_noise=1.0,
    overlap=0,
    same_noise=True,
    silence_behind=True,
    steady_head=False,
    steady_gaze=False,
    whole_blinks=False,
    calibrated=False,
    close_in_silence=False,
    close_lips=False,
)
"""As in the authors' demo."""
