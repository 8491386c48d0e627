"""What can be asked of a performance, in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from kinevox.api._values import DEFAULT_HEAD, DEFAULT_METHOD, PathLike, Progress
from kinevox.errors import ConfigError, UnknownNameError
from kinevox.methods import METHODS, Method, SampledMethod, SamplingOptions
from kinevox.motion import Motion
from kinevox.strengths import Strengths
from kinevox.timebase import FPS, exact_fps


@dataclass(frozen=True, kw_only=True)
class AnimateOptions:
    """Everything about a performance but the recording.

    Raises:
        ConfigError: a number is out of its range.
    """

    out: PathLike | Sequence[PathLike] = ()
    """Files to write; the suffix chooses the format (`naming.plan_outputs`)."""
    method: str = DEFAULT_METHOD
    """A method by name, with weights of your own behind a colon: `diffposetalk:runs/face`."""
    style: PathLike | None = None
    """A name from `styles(method)`, a style file, or a clip whose style is taken
    (`extract_style`); or a mixture, `calm:0.3,somebody.style:0.7`. None is the neutral style."""
    head: str = DEFAULT_HEAD
    """`anny`, `anny:age=0.9`, or a file such as `avatar.glb` (`heads.load_head`)."""
    fps: float = FPS
    seed: int = 0
    """Take k is performed with seed + k - 1; the same seed gives the same motion to a recording of
    the same name."""
    takes: int = 1
    """How many different performances."""
    transcript: PathLike | None = None
    """What is said, or a text file that holds it. For several recordings a pattern such as
    `lines/{name}.txt`."""
    phones: PathLike | None = None
    """TextGrid, CTM or JSON file with phone times; a pattern as above."""
    progress: Progress | None = None

    steps: int | None = None
    """Sampling steps per window, of methods that draw motion from noise; None is the method's."""
    audio_scale: float | None = None
    """How strongly such a method follows the sound; 1 is as trained."""
    style_scale: float | None = None
    """How strongly it follows the style; 1 is as trained, more is more of it."""
    guidance_interval: tuple[float, float] | None = None
    """Noise levels at which both act, as shares from clean (0) to noise (1)."""
    mouth_noise: float | None = None
    """How much of the noise jaw and lips grow from: 1 is as trained, less keeps them to the
    likeliest way to say it and varies them less between takes."""
    bf16: bool = False
    """Compute in bfloat16: faster where the processor knows it, and nearly the same."""

    close_in_silence: bool = True
    """Such methods close the mouth where nobody speaks."""

    mouth: float = 1.0
    """How much jaw and lips move; lips that are closed stay closed (`strengths.Strengths`)."""
    upper_face: float = 1.0
    """How much brows, cheeks, nose and squints move."""
    head_motion: float = 1.0
    """How far the head leaves its mean pose of the take."""
    blinks: float = 1.0
    """How far the lids close."""

    take: PathLike | Motion | None = None
    """A take of the recording of which a part is made anew; for several recordings a pattern."""
    regenerate: Sequence[tuple[float, float]] = ()
    """Ranges [s] of `take` that are made anew, to infinity for all behind; all other frames stay
    bit for bit."""
    poses: Sequence[tuple[float, PathLike | Motion | Mapping[str, float]]] = ()
    """Times [s] and poses that the performance passes through: values of channels by name, or the
    first frame of a motion, or of a file; `clip.npz@0.8` is the frame at 0.8 s. With `take` and no
    ranges, 0.6 s on either side are made anew."""

    def __post_init__(self) -> None:
        exact_fps(self.fps)
        if self.regenerate and self.take is None:
            raise ConfigError("Ranges are regenerated in a take; give it as well, with --take.")
        if self.take is not None and not (self.regenerate or self.poses):
            raise ConfigError(
                "A take is given, and nothing to change in it; say what, with --regenerate 2.0:3.5 "
                "or --pose."
            )
        _ = self.strengths
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; seeds count from 0.")
        if self.takes < 1:
            raise ConfigError(f"takes is {self.takes}; at least one take is needed.")

    @property
    def sampling(self) -> SamplingOptions:
        return SamplingOptions(
            steps=self.steps,
            audio_scale=self.audio_scale,
            style_scale=self.style_scale,
            guidance_interval=self.guidance_interval,
            mouth_noise=self.mouth_noise,
            bf16=self.bf16 or None,
            close_in_silence=None if self.close_in_silence else False,
        )

    @property
    def told(self) -> Mapping[str, str]:
        """What was asked for beside method, style and seed, as far as a number says it."""
        usual = {field.name: field.default for field in fields(self) if field.name in _NOTED}
        chosen = {name: getattr(self, name) for name in usual}
        told = {name: str(value) for name, value in chosen.items() if value != usual[name]}
        if self.poses:
            told["poses"] = ",".join(f"{time:g}" for time, _ in self.poses)
        return told

    @property
    def strengths(self) -> Strengths:
        return Strengths(self.mouth, self.upper_face, self.head_motion, self.blinks)


_NOTED = (
    *("steps", "audio_scale", "style_scale", "guidance_interval", "mouth_noise", "bf16"),
    *("close_in_silence", "mouth", "upper_face", "head_motion", "blinks"),
)
"""Options that are told in the metadata of a take."""

First = TypeVar("First")
Options = TypeVar("Options")
Result = TypeVar("Result")
Keywords = ParamSpec("Keywords")


def with_options(
    options: Callable[Keywords, Options],
) -> Callable[[Callable[[First, Options], Result]], Callable[Concatenate[First, Keywords], Result]]:
    """Lets a function of two arguments be called with the fields of the second as keywords."""

    def decorate(
        function: Callable[[First, Options], Result],
    ) -> Callable[Concatenate[First, Keywords], Result]:
        @wraps(function)
        def called(first: First, /, *args: Keywords.args, **keywords: Keywords.kwargs) -> Result:
            if unknown := [name for name in keywords if name not in parameters]:
                raise TypeError(str(UnknownNameError("option", unknown[0], parameters)))
            return function(first, options(*args, **keywords))

        own = inspect.signature(function)
        parameters = inspect.signature(options).parameters
        joined = [next(iter(own.parameters.values())), *parameters.values()]
        called.__signature__ = own.replace(parameters=joined)  # type: ignore[attr-defined]
        return called

    return decorate


def sampled(method: Method, options: AnimateOptions) -> Method:
    """The method, drawing as was asked for.

    Raises:
        ConfigError: it draws nothing, so it cannot be told how.
    """
    if options.sampling == SamplingOptions():
        return method
    if not isinstance(method, SampledMethod):
        chosen = [name for name, choice in vars(options.sampling).items() if choice is not None]
        able = [name for name, other in METHODS if isinstance(other, SampledMethod)]
        raise ConfigError(
            f"Method '{method.name}' draws nothing from noise and has no option "
            f"{', '.join(chosen)}; methods that do: {', '.join(able)}."
        )
    return method.with_sampling(options.sampling)
