"""What every face method answers: speech, style, seed -> motion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from kinevox.known import Known
from kinevox.motion import Motion, MotionLayout
from kinevox.speech import Speech

if TYPE_CHECKING:
    from kinevox.training import Trainable

WINDOW_BORDERS = "window_borders"
"""Key of `Motion.metadata`: when each window but the first begins, and when it goes on alone if it
overlaps with the one before [s], separated by spaces."""


@dataclass(frozen=True)
class ExtractedStyle:
    """A style that was read from motion."""

    style: Any
    """As the method's `load_style` returns it."""
    certainty: Mapping[str, float] = field(default_factory=dict)
    """Of each number of the style by name, how much of its variation among people such a recording
    shows: 1 all of it, 0 nothing, and then it is neutral. Empty where styles have no such parts."""


@runtime_checkable
class Method(Protocol):
    """One way to turn speech into motion. A style is whatever the method's `styles` return."""

    name: str
    summary: str
    references: Sequence[str]
    """BibTeX of what a run uses."""

    def styles(self) -> Mapping[str, Any]:
        """Named styles that need no file."""
        ...

    def load_style(self, source: str | Path | None) -> Any:
        """A style by name or from a file; None is the neutral one.

        Raises:
            UnknownNameError: neither a known style nor an existing file.
        """
        ...

    def output_layout(self) -> MotionLayout:
        """The layout of the motion that it makes.

        Raises:
            AssetError: its weights decide, and it has none.
        """
        ...

    def generate(self, speech: Speech, style: Any, *, seed: int, fps: float) -> Motion:
        """Motion for the whole recording; the same seed gives the same motion bit for bit.

        A method that works window by window says so under `WINDOW_BORDERS` in the metadata, so
        that seams can be measured.
        """
        ...


@dataclass(frozen=True)
class SamplingOptions:
    """How a method draws motion from noise; None leaves a choice to the method."""

    steps: int | None = None
    """Calls of the network per window."""
    audio_scale: float | None = None
    """How strongly the sound is followed; 1 is as trained."""
    style_scale: float | None = None
    """How strongly the style is followed; 1 is as trained."""
    guidance_interval: tuple[float, float] | None = None
    """Noise levels at which both scales act, as shares from clean (0) to noise (1)."""
    mouth_noise: float | None = None
    """How much of the noise jaw, lips and tongue grow from; less keeps to what is likeliest."""
    bf16: bool | None = None
    """Compute in bfloat16."""
    close_in_silence: bool | None = None
    """Close the mouth where nobody speaks."""
    calibrated: bool | None = None
    """Move as people with the style are expected to."""
    sampler: str | None = None
    """Which of the method's samplers."""
    spacing: float | None = None
    """How steps lie: 1 is at even distance, more spends more of them in noise, less fewer."""


@dataclass(frozen=True, eq=False)
class Performance:
    """One take to be made."""

    speech: Speech
    style: Any
    seed: int
    known: Known | None = None
    """What the motion grows around, on the clock that is asked for. It comes close to that;
    `Known.hold` makes it exact."""


@runtime_checkable
class SampledMethod(Method, Protocol):
    """A method that draws motion from noise: it can be told how, make several takes at once, and
    draw around what is known."""

    def with_sampling(self, options: SamplingOptions) -> SampledMethod:
        """The method with other ways of drawing.

        Raises:
            ConfigError: a choice is out of its range.
        """
        ...

    def generate_all(self, performances: Sequence[Performance], *, fps: float) -> list[Motion]:
        """What `generate` makes of each, computed together.

        Raises:
            MotionError: what is known is in another layout, or of another length.
        """
        ...


@runtime_checkable
class StyleReader(Protocol):
    """A method that can read its styles from motion."""

    style_suffix: str
    """Ending of its style files."""
    style_hears: bool
    """Whether the sound of clips says more about a style."""

    def extract_style(
        self,
        motions: Sequence[Motion],
        speeches: Sequence[Speech] | None,
        progress: Callable[[int, int], None],
    ) -> ExtractedStyle:
        """The style of one person, from clips of motion and, where known, their sound.

        Raises:
            MotionError: motion of another layout, or too little of it.
        """
        ...

    def describe_style(self, style: Any) -> Mapping[str, str]:
        """What a style is, in numbers that people understand, by name and unit."""
        ...

    def save_style(self, style: Any, path: Path) -> None:
        """Writes a file that `load_style` reads.

        Raises:
            ConfigError: another suffix than the method's styles have.
        """
        ...


@runtime_checkable
class StyleMixer(Protocol):
    """A method with styles between styles."""

    def mix_styles(self, styles: Sequence[Any], weights: Sequence[float]) -> Any:
        """The style between these, by weights that are not negative and add up to 1.

        Raises:
            ConfigError: one of them cannot be mixed.
        """
        ...


@runtime_checkable
class LearnedMethod(Method, Protocol):
    """A method with weights. Fresh from the catalog it has none, unless the package brings some."""

    stages: Mapping[str, Trainable]
    """What is trained, in this order, by name of `kinevox train`; with default configurations."""

    @property
    def bundled(self) -> Path | None:
        """Folder of the weights that the package brings and the method uses by itself, if any."""
        ...

    def load(self, folder: Path) -> LearnedMethod:
        """The method with the weights of a run or a checkpoint.

        Raises:
            AssetError: there are none, or they belong to another network.
        """
        ...

    def debug(self) -> LearnedMethod:
        """The method with a tiny untrained network, for tests through the public door."""
        ...
