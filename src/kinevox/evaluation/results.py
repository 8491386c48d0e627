"""From measured takes to one number per contestant and metric, with its uncertainty.

The mean over clips is taken for each seed, clips with nothing to measure left out; then mean and
95 % confidence interval over seeds (Student's t). The interval says how much another set of takes
of the same clips would differ, not another set of clips. Diversity compares takes of different
seeds, so it has a value but no interval; so have contestants without randomness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from kinevox.evaluation.contestants import Contestant
from kinevox.evaluation.facts import facts_of, limits_of
from kinevox.evaluation.plan import GROUND_TRUTH, Plan
from kinevox.evaluation.styles import described
from kinevox.metrics import METRICS, Metric, distribution, style
from kinevox.metrics.style import Described

if TYPE_CHECKING:
    from kinevox.evaluation.judge import Judge

FORMAT, VERSION = "kinevox evaluation", 1


@dataclass(frozen=True)
class Score:
    """A metric of a contestant."""

    value: float
    half_width: float | None = None
    """Of the 95 % confidence interval over seeds; None without one."""
    per_seed: tuple[float, ...] = ()


@dataclass(frozen=True)
class Takes:
    """Everything measured of one contestant."""

    results: Sequence[Sequence[Mapping[str, Any]]]
    """Of each seed and clip."""
    diversity: Sequence[Mapping[str, float]]
    """Of each clip; empty without several takes."""


@dataclass(frozen=True, eq=False)
class Results:
    """An evaluation, ready to be shown."""

    plan: Plan
    contestants: Mapping[str, Contestant]
    scores: Mapping[str, Mapping[str, Score]]
    """Of each contestant by metric."""
    clips: tuple[str, ...]
    """Ids of the measured clips."""
    per_clip: Mapping[str, Mapping[str, Float[np.ndarray, " clips"]]]
    """Of each contestant by metric, averaged over seeds; NaN where there is nothing to measure."""
    facts: Mapping[str, Any]
    """Corpus, machine, versions."""
    limits: tuple[str, ...]
    """What the numbers do not say."""

    def worst(self, name: str, metric: str, count: int) -> list[tuple[int, float]]:
        """Places and values of the clips a contestant does worst on, the worst first."""
        values = self.per_clip[name][metric]
        goals = self.per_clip[GROUND_TRUTH][metric]
        penalties = np.array(
            [
                METRICS[metric].penalty(float(v), float(g))
                for v, g in zip(values, goals, strict=True)
            ]
        )
        order = np.argsort(-penalties, kind="stable")
        order = [int(i) for i in order if np.isfinite(penalties[i])]
        return [(i, float(values[i])) for i in order[:count]]

    def to_json(self) -> dict[str, Any]:
        """Everything, with the definition of each metric."""
        used = dict.fromkeys(metric for scores in self.scores.values() for metric in scores)
        return {
            "format": FORMAT,
            "version": VERSION,
            "command": self.plan.command,
            **self.facts,
            "limits": list(self.limits),
            "metrics": {name: _definition(name) for name in used},
            "contestants": {
                name: {
                    "kind": who.kind,
                    "told": who.told,
                    "takes": self.plan.seeds if who.random else 1,
                    "scores": {
                        metric: _score_as_json(score, metric)
                        for metric, score in self.scores[name].items()
                    },
                }
                for name, who in self.contestants.items()
            },
        }


def metric_of(name: str) -> Metric:
    """The metric behind a score; `factor_r2/NAME` belongs to `factor_r2`."""
    return METRICS[name.partition("/")[0]]


def summarized(
    judge: Judge,
    takes: Mapping[str, Takes],
    gallery: Described | None,
    training: Described | None,
) -> Results:
    """Averages everything that was measured.

    Args:
        gallery: Real clips of the performers whose style was asked for.
        training: Real clips of others.
    """
    truth = takes[GROUND_TRUTH].results[0]
    reference = {kind: _windows(truth, kind) for kind in distribution.KINDS}
    scores, per_clip = {}, {}
    for name, measured in takes.items():
        tables = [_table(row) for row in measured.results]
        per_seed = [
            {metric: _mean(values) for metric, values in table.items()}
            | _distribution(row, reference)
            | _style(judge, row, gallery, training)
            for table, row in zip(tables, measured.results, strict=True)
        ]
        scores[name] = {m: score([s[m] for s in per_seed]) for m in per_seed[0]}
        for metric in measured.diversity[0] if measured.diversity else ():
            scores[name][metric] = Score(_mean([clip[metric] for clip in measured.diversity]))
        per_clip[name] = {
            metric: np.array(
                [_mean(column) for column in zip(*(t[metric] for t in tables), strict=True)]
            )
            for metric in tables[0]
        }
    ids = tuple(str(judge.clips.index["id"][i]) for i in judge.chosen.measured)
    facts = facts_of(judge)
    return Results(
        judge.plan, judge.contestants, scores, ids, per_clip, facts, limits_of(judge, facts)
    )


def score(per_seed: Sequence[float]) -> Score:
    """Mean and 95 % confidence interval of values that are drawn independently."""
    from scipy.stats import t

    values = np.array([value for value in per_seed if np.isfinite(value)])
    if len(values) < 2:
        return Score(_mean(per_seed), None, tuple(per_seed))
    error = values.std(ddof=1) / np.sqrt(len(values))
    half_width = float(t.ppf(0.975, len(values) - 1) * error)
    return Score(float(values.mean()), half_width, tuple(per_seed))


def _table(row: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Values of all clips by metric."""
    return {
        metric: [np.nan if r["scores"][metric] is None else r["scores"][metric] for r in row]
        for metric in row[0]["scores"]
    }


def _mean(values: Sequence[float]) -> float:
    """Without what is NaN; NaN if everything is."""
    known = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


def _windows(row: Sequence[Mapping[str, Any]], kind: str) -> Float[np.ndarray, "windows features"]:
    filled = [np.array(result[kind], dtype=np.float64) for result in row if result[kind]]
    return np.concatenate(filled) if filled else np.zeros((0, 1))


def _distribution(
    row: Sequence[Mapping[str, Any]], reference: Mapping[str, Float[np.ndarray, "n features"]]
) -> dict[str, float]:
    scores = {}
    for kind, r in reference.items():
        p = _windows(row, kind)
        scores[f"frechet_{kind}"] = distribution.frechet_distance(r, p)
        scores[f"coverage_{kind}"] = distribution.coverage(r, p)
        scores[f"recall_{kind}"] = distribution.recall(r, p)
        scores[f"precision_{kind}"] = distribution.precision(r, p)
    return scores


def _style(
    judge: Judge,
    row: Sequence[Mapping[str, Any]],
    gallery: Described | None,
    training: Described | None,
) -> dict[str, float]:
    """Style metrics of the takes whose clip is a probe."""
    of_clip = dict(zip(judge.chosen.measured, row, strict=True))
    if gallery is None:
        return {}
    # Clips too short to describe are missing in the gallery, and with them some performers.
    shown = set(gallery.performers)
    chosen = [i for i in judge.chosen.probes if judge.clips.index["style"][i] in shown]
    probes = described(judge.clips, chosen, [of_clip[i]["style"] for i in chosen])
    if probes is None:
        return {}
    comparable = (
        training is not None
        and training.factors is not None
        and set(training.factors) == set(probes.factors or ())
        and not set(training.performers) & set(probes.performers)
    )
    return style.evaluate(probes, gallery, training if comparable else None)


def _definition(name: str) -> dict[str, Any]:
    metric = metric_of(name)
    return {
        "title": metric.title,
        "version": metric.version,
        "unit": metric.unit,
        "better": metric.better,
        "target": metric.target,
    }


def _score_as_json(score: Score, metric: str) -> dict[str, Any]:
    """Value, interval and unit; NaN is null."""
    told: dict[str, Any] = {"value": _finite(score.value), "unit": metric_of(metric).unit}
    if score.half_width is not None:
        low, high = score.value - score.half_width, score.value + score.half_width
        told |= {"low": _finite(low), "high": _finite(high)}
    if len(score.per_seed) > 1:
        told["per_seed"] = [_finite(value) for value in score.per_seed]
    return told


def _finite(value: float) -> float | None:
    return float(f"{value:.7g}") if np.isfinite(value) else None
