"""What a method must reach on people it has not seen, from the scores of one evaluation.

Each target is a ratio of two scores, or a score, and the bounds it has to keep. A target whose
references did not take part is left out, so a table never claims what was not measured. Ratios
without bounds stand beside those that have some, to be read with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kinevox.evaluation.contestants import Contestant
from kinevox.evaluation.plan import GROUND_TRUTH
from kinevox.evaluation.results import Results, Score

TEACHER = "teacher"
BASELINES = ("articulate", "regressor")
"""Methods that others are compared with; they have no targets themselves."""

Against = Callable[[Results, str], float]


@dataclass(frozen=True)
class Target:
    """One line: a figure and what is asked of it."""

    title: str
    metric: str
    against: str
    """`best baseline`, the name of a reference, or nothing, and then the score itself counts."""
    low: float = -np.inf
    high: float = np.inf

    @property
    def bound(self) -> str:
        """In words; nothing where there is none."""
        if np.isfinite(self.low) and np.isfinite(self.high):
            return f"{self.low:g} to {self.high:g}"
        if np.isfinite(self.low):
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if np.isfinite(self.high) else ""

    def met(self, figure: float) -> bool | None:
        """None where there is no bound."""
        return self.low <= figure <= self.high if self.bound else None

    def figure(self, results: Results, name: str) -> float:
        """What a contestant reaches; NaN when something is missing."""
        value = _value(results.scores[name], self.metric)
        if not self.against:
            return value
        if self.against == BEST_BASELINE:
            scores = [_value(results.scores[other], self.metric) for other in baselines(results)]
            base = min((score for score in scores if np.isfinite(score)), default=np.nan)
        else:
            base = _value(results.scores.get(self.against, {}), self.metric)
        return value / base if base else np.nan


BEST_BASELINE = "best baseline"

TARGETS = (
    Target("LVE, against the best baseline", "lve_mm", BEST_BASELINE, high=1.0),
    Target("LVE, against the teacher", "lve_mm", TEACHER),
    Target("MOD, against the best baseline", "mod_mm", BEST_BASELINE, high=1.0),
    Target("MOD, against the teacher", "mod_mm", TEACHER),
    Target("Upper-face motion (FDD)", "upper_face_motion", GROUND_TRUTH, 0.85, 1.15),
    Target("Head motion", "head_motion_deg", GROUND_TRUTH, 0.85, 1.15),
    Target("BA to the voice", "beat_alignment_audio", GROUND_TRUTH, low=0.9),
    Target("BA to the voice, above chance", "beat_alignment_audio_excess", GROUND_TRUTH),
    Target("BA to the reference, against the teacher", "beat_alignment_reference", TEACHER, 0.9),
    Target(
        "BA to the reference, above chance, against the teacher",
        "beat_alignment_reference_excess",
        TEACHER,
    ),
    Target("Diversity of the face", "diversity_face_mm", TEACHER, 0.75, 1.25),
    Target("Diversity of the head", "diversity_head_deg", TEACHER, 0.75, 1.25),
    Target("Jerk at window borders, face", "border_jerk_ratio_face", "", high=1.05),
    Target("Jerk at window borders, head", "border_jerk_ratio_head", "", high=1.05),
)


def subjects(results: Results) -> list[str]:
    """Contestants that have targets."""
    return [
        name
        for name, who in results.contestants.items()
        if who.kind == "method" and who.method not in BASELINES
    ]


def baselines(results: Results) -> list[str]:
    """Contestants to be beaten: they hear what the subject hears, but not who performs."""
    return [name for name, who in results.contestants.items() if _is_baseline(who)]


def _is_baseline(who: Contestant) -> bool:
    simple = who.method in BASELINES or who.kind == "control"
    return simple and who.kind != "reference" and not (who.true_style or who.other_voice)


def figures(results: Results) -> Sequence[tuple[Target, Mapping[str, float]]]:
    """Every target with the figure of each subject; those that nobody has a figure for left out."""
    found = [
        (target, {name: target.figure(results, name) for name in subjects(results)})
        for target in TARGETS
    ]
    return [
        (target, row) for target, row in found if any(np.isfinite(value) for value in row.values())
    ]


def _value(scores: Mapping[str, Score], metric: str) -> float:
    return scores[metric].value if metric in scores else np.nan
