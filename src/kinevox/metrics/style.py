"""Style: does generated motion bear the style it was asked for?

Every clip is a row of numbers that describe its style, from a style encoder or from
`motion_style_features`, which needs none. Rows are first standardized: the mean of the gallery is
subtracted and its standard deviation divided out, column by column (a constant column is left
out).

Protocol of retrieval. Gallery: real clips, several per performer; a performer's entry is the mean
of their standardized rows. Probes: generated clips, each made with the style of a performer of
the gallery, from a clip and of speech that are not in the gallery. Performers are ranked by the
cosine of their entry and the probe; a performer as near as the right one counts as nearer, so
that a constant description finds nobody. Chance is 1 or 5 over the number of performers: state it
beside the score.

Protocol of factor recovery, for corpora whose style factors are known. A ridge regression from
standardized rows to factors is fitted on performers of a training split and scored on generated
clips of other performers, so it shows whether a factor is visible in the motion, and not whether
a performer was seen before. Strength of the ridge: 0.01 per training row.

Source: retrieval as usual in metric learning; factor recovery is our own.

Metrics: `style_top1`, `style_top5`, `style_cosine`, `factor_r2` and one `factor_r2/NAME` for
every factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox.errors import ConfigError
from kinevox.metrics._base import Metric
from kinevox.metrics._style_features import STYLE_FEATURES, motion_style_features

__all__ = [
    "METRICS", "STYLE_FEATURES", "Described", "evaluate", "factor_recovery_r2",
    "motion_style_features", "retrieval_ranks", "style_cosine", "top_share", "validate",
]  # fmt: skip

RIDGE = 0.01
"""Strength of the ridge per training row."""

METRICS = (
    Metric(
        "style_top1",
        "Performer retrieval, first",
        "1",
        "higher",
        "Share of probes to which the right performer's gallery entry is the nearest by cosine.",
        "mean_i [rank_i = 1]",
    ),
    Metric(
        "style_top5",
        "Performer retrieval, among five",
        "1",
        "higher",
        "Share of probes to which the right performer is among the five nearest.",
        "mean_i [rank_i <= 5]",
    ),
    Metric(
        "style_cosine",
        "Cosine to the style asked for",
        "1",
        "higher",
        "Cosine of a probe and the gallery entry of its performer, both standardized, averaged "
        "over probes.",
        "mean_i cos(probe_i, entry(performer_i))",
    ),
    Metric(
        "factor_r2",
        "Recovery of style factors",
        "1",
        "higher",
        "Coefficient of determination of each factor, predicted from the probes by a ridge "
        "regression fitted on other performers, averaged over the factors that vary. Each one "
        "is `factor_r2/NAME`. Negative: worse than the mean.",
        "mean_f (1 - sum_i (f_i - f^_i)^2 / sum_i (f_i - mean f)^2)",
    ),
)


@dataclass(frozen=True, eq=False)
class Described:
    """Clips, each described by a row.

    Raises:
        ConfigError: counts differ or numbers are not finite.
    """

    rows: Float[np.ndarray, "clips features"]
    performers: Sequence[str]
    """Whose style each clip bears, or was asked for."""
    factors: Mapping[str, Float[np.ndarray, " clips"]] | None = None
    """Style factors of each clip by name, where they are known."""

    def __post_init__(self) -> None:
        counts = {"performers": len(self.performers)}
        counts |= {f"factor {name}": len(values) for name, values in (self.factors or {}).items()}
        wrong = [f"{count} of {name}" for name, count in counts.items() if count != len(self.rows)]
        if wrong:
            raise ConfigError(f"{len(self.rows)} clips are described, but {', '.join(wrong)}.")
        if not np.isfinite(self.rows).all():
            raise ConfigError(
                "Descriptions hold numbers that are not finite; leave such clips out."
            )


def validate(probes: Described, gallery: Described, training: Described | None = None) -> None:
    """The sets fit each other and the protocol.

    Raises:
        ConfigError: a set is empty, widths differ, a probe's performer is not in the gallery,
            training and probes share performers, or their factors differ.
    """
    sets = {"probes": probes, "gallery": gallery}
    if training is not None:
        sets["training"] = training
    wrong = [f"{name} is empty" for name, part in sets.items() if not len(part.rows)]
    widths = {name: part.rows.shape[1] for name, part in sets.items()}
    if len(set(widths.values())) > 1:
        wrong.append(
            "features per clip differ: " + ", ".join(f"{n} {w}" for n, w in widths.items())
        )
    strangers = sorted(set(probes.performers) - set(gallery.performers))
    if strangers:
        wrong.append(f"{len(strangers)} performers are not in the gallery, e.g. '{strangers[0]}'")
    if training is not None:
        seen = sorted(set(training.performers) & set(probes.performers))
        if seen:
            wrong.append(f"{len(seen)} performers are trained and probed, e.g. '{seen[0]}'")
        if not training.factors or set(training.factors) != set(probes.factors or ()):
            wrong.append("training and probes need the same style factors")
    if wrong:
        raise ConfigError("Style cannot be measured: " + "; ".join(wrong) + ".")


def retrieval_ranks(
    probes: Float[np.ndarray, "probes features"],
    probe_performers: Sequence[str],
    gallery: Float[np.ndarray, "clips features"],
    gallery_performers: Sequence[str],
) -> list[int]:
    """Rank of the right performer for each probe, 1 is the nearest; ties count against it."""
    names, entries = _entries(gallery, gallery_performers)
    cosines = _unit(probes) @ _unit(entries).T
    right = [names.index(name) for name in probe_performers]
    # As near as the right one, within rounding, is nearer; the right one itself makes the rank 1.
    nearer = cosines >= cosines[np.arange(len(probes)), right][:, None] - 1e-12
    return nearer.sum(axis=1).tolist()


def top_share(ranks: Sequence[int], count: int) -> float:
    """Share of probes whose right performer is among the `count` nearest."""
    return float(np.mean(np.asarray(ranks) <= count))


def style_cosine(
    probes: Float[np.ndarray, "probes features"], asked: Float[np.ndarray, "probes features"]
) -> float:
    """Mean cosine between each row and the one it should resemble."""
    return float((_unit(probes) * _unit(asked)).sum(axis=1).mean())


def factor_recovery_r2(
    training_rows: Float[np.ndarray, "training features"],
    training_factor: Float[np.ndarray, " training"],
    rows: Float[np.ndarray, "clips features"],
    factor: Float[np.ndarray, " clips"],
) -> float:
    """R2 of one factor; NaN when it does not vary among the scored clips."""
    spread = ((factor - factor.mean()) ** 2).sum()
    if spread == 0:
        return np.nan
    center, mean = training_rows.mean(axis=0), training_factor.mean()
    x = training_rows - center
    ridge = RIDGE * len(x) * np.eye(x.shape[1])
    slope = np.linalg.solve(x.T @ x + ridge, x.T @ (training_factor - mean))
    return float(1 - ((factor - mean - (rows - center) @ slope) ** 2).sum() / spread)


def evaluate(
    probes: Described, gallery: Described, training: Described | None = None
) -> dict[str, float]:
    """All style metrics of a set of generated clips.

    Args:
        training: Clips of other performers with their factors; without it recovery is NaN.
    """
    validate(probes, gallery, training)
    standard = _standardizer(gallery.rows)
    p, g = standard(probes.rows), standard(gallery.rows)
    ranks = retrieval_ranks(p, probes.performers, g, gallery.performers)
    names, entries = _entries(g, gallery.performers)
    scores = {
        "style_top1": top_share(ranks, 1),
        "style_top5": top_share(ranks, 5),
        "style_cosine": style_cosine(p, entries[[names.index(n) for n in probes.performers]]),
        "factor_r2": np.nan,
    }
    if training is not None and training.factors and probes.factors:
        t = standard(training.rows)
        each = {
            f"factor_r2/{name}": factor_recovery_r2(t, values, p, probes.factors[name])
            for name, values in training.factors.items()
        }
        varying = [r2 for r2 in each.values() if np.isfinite(r2)]
        scores |= {"factor_r2": float(np.mean(varying)) if varying else np.nan} | each
    return scores


def _standardizer(rows: Float[np.ndarray, "clips features"]):
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    varies = spread > 1e-9 * np.maximum(np.abs(mean), 1e-9)

    def standardize(others: Float[np.ndarray, "n features"]) -> Float[np.ndarray, "n varying"]:
        return ((others - mean) / np.where(varies, spread, 1.0))[:, varies]

    return standardize


def _entries(
    rows: Float[np.ndarray, "clips features"], performers: Sequence[str]
) -> tuple[list[str], Float[np.ndarray, "performers features"]]:
    """Performers in order of name, and the mean row of each."""
    names = sorted(set(performers))
    of_each = np.array([names.index(name) for name in performers])
    return names, np.stack([rows[of_each == i].mean(axis=0) for i in range(len(names))])


def _unit(rows: Float[np.ndarray, "n features"]) -> Float[np.ndarray, "n features"]:
    """Rows of length 1; a row of zeros stays."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)
