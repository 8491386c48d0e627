"""What a metric says about itself, and the check that two motions can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kinevox.errors import MotionError
from kinevox.motion import Motion
from kinevox.timebase import exact_fps


@dataclass(frozen=True)
class Metric:
    """The written definition of one number. Whatever changes the number raises the version."""

    name: str
    """Key in results; never changes, whatever the version."""
    title: str
    unit: str
    """`mm`, `deg`, ...; `1` for a share, correlation or ratio."""
    better: Literal["lower", "higher", "closer"]
    """`closer` asks for a value near `target`."""
    definition: str
    """In words, with every choice that changes the number."""
    formula: str = ""
    """In plain text; r is the reference, p the prediction, t frames, v vertices."""
    source: str = ""
    version: int = 1
    target: float | None = None
    """What `closer` means: a fixed number, or None for the value the reference itself has."""

    def penalty(self, value: float, reference: float | None = None) -> float:
        """How bad a value is; less is better, so that clips and checkpoints can be ranked.

        Args:
            reference: Value of the reference itself, where the metric is to come close to it.
        """
        if self.better == "lower":
            return value
        if self.better == "higher":
            return -value
        target = reference if self.target is None else self.target
        if target is None:
            raise ValueError(f"'{self.name}' is judged against the reference; give its value.")
        return abs(value - target)


def validate_pair(reference: Motion, predicted: Motion) -> None:
    """Two motions can be compared frame by frame.

    Raises:
        MotionError: layout, frame rate or length differ, or there are no frames; all that is
            wrong is listed.
    """
    wrong = []
    if reference.layout != predicted.layout:
        wrong.append(
            f"layouts '{reference.layout.name}' and '{predicted.layout.name}'; convert one of them"
        )
    if exact_fps(reference.fps) != exact_fps(predicted.fps):
        wrong.append(f"{reference.fps:g} and {predicted.fps:g} fps; resample one of them")
    elif reference.num_frames != predicted.num_frames:
        wrong.append(
            f"{reference.num_frames} and {predicted.num_frames} frames; cut both to one length"
        )
    if not reference.num_frames or not predicted.num_frames:
        wrong.append("no frames at all; give at least one")
    if wrong:
        raise MotionError("Reference and prediction cannot be compared: " + "; ".join(wrong) + ".")
