"""Results as tables: first in the layout of the papers, then everything by family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kinevox.evaluation.contestants import KINDS
from kinevox.evaluation.plan import GROUND_TRUTH
from kinevox.evaluation.results import Results, Score, metric_of
from kinevox.evaluation.targets import baselines, figures, subjects
from kinevox.metrics import FAMILIES, Metric

MAIN = (
    ("lve_mm", "LVE"),
    ("fdd_absolute", "FDD"),
    ("mod_mm", "MOD"),
    ("beat_alignment_audio", "BA"),
    ("beat_alignment_audio_excess", "BA excess"),
    ("closure_recall", "Closures"),
    ("mouth_opening_correlation", "Opening corr."),
    ("frechet_face", "Frechet face"),
    ("frechet_head", "Frechet head"),
    ("diversity_face_mm", "Diversity face"),
    ("style_top1", "Style top-1"),
    ("factor_r2", "Factor R²"),
)
"""Metrics of the first table with short names; the first four are those of the papers."""


@dataclass(frozen=True)
class Table:
    """Rows of text under column names."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    """A row of one cell heads those after it."""
    note: str = ""
    best: frozenset[tuple[int, int]] = frozenset()
    """Row and column of cells that stand out."""


def main_table(results: Results) -> Table:
    """One row per contestant, by kind; the best of several methods stands out."""
    shown = [(name, title) for name, title in MAIN if _known(results, name)]
    rows: list[list[str]] = []
    best: set[tuple[int, int]] = set()
    for kind, heading in KINDS.items():
        of_kind = [name for name, who in results.contestants.items() if who.kind == kind]
        rows += [[heading]] if of_kind else []
        for name in of_kind:
            rows.append([name, *(cell(results.scores[name].get(m)) for m, _ in shown)])
        if kind == "method" and len(of_kind) > 1:
            first = len(rows) - len(of_kind)
            best = {
                (first + i, k)
                for k, (m, _) in enumerate(shown, 1)
                for i in _best(results, of_kind, m)
            }
    columns = ("", *(f"{title} {unit(metric_of(m))} {arrow(metric_of(m))}" for m, title in shown))
    note = (
        "LVE, FDD, MOD and BA as in DiffPoseTalk's table: distances, not squares; FDD by vertex in "
        "absolute value; MOD by the middle pair of the inner lips; BA to accents of the voice. BA "
        "excess is BA above chance."
    )
    return Table(
        "Overview", tuple(" ".join(c.split()) for c in columns), rows, note, frozenset(best)
    )


def targets_table(results: Results) -> Table | None:
    """What methods must reach, and whether they do; None where nobody has targets."""
    found, names = figures(results), subjects(results)
    if not found:
        return None
    rows = []
    for target, row in found:
        cells = [_judged(row[name], target.met(row[name])) for name in names]
        rows.append([target.title, target.bound or "-", *cells])
    note = (
        f"Ratios to the ground truth where nothing else is named. Baselines: "
        f"{', '.join(baselines(results)) or 'none'}. A head that trembles is near every beat: read "
        "BA beside what is above chance."
    )
    return Table("Targets", ("", "asked for", *names), rows, note)


def _judged(figure: float, met: bool | None) -> str:
    text = cell(Score(figure))
    if text == "-" or met is None:
        return text
    return f"{text} met" if met else f"{text} missed"


def family_tables(results: Results) -> list[Table]:
    """Every metric, one table per family, one column per contestant."""
    tables = []
    for family, metrics in FAMILIES:
        names = [metric.name for metric in metrics if _known(results, metric.name)]
        if names:
            tables.append(_across(results, family.replace("-", " ").capitalize(), names))
    factors = sorted({m for s in results.scores.values() for m in s if m.startswith("factor_r2/")})
    factors = [name for name in factors if _known(results, name)]
    if factors:
        tables.append(_across(results, "Style factors, R² of each", factors))
    return tables


def to_markdown(results: Results) -> str:
    """The whole evaluation as a page."""
    facts = results.facts
    machine = facts["machine"]
    commit = f" ({machine['commit']})" if machine["commit"] else ""
    corpus = facts["corpus"]
    made = f", made by `{corpus['made']['command']}`" if "command" in corpus["made"] else ""
    lines = ["# Evaluation", "", "```", results.plan.command, "```", ""]
    lines += [
        f"Corpus `{corpus['name']}`, version {corpus['version']}{made}. kinevox "
        f"{machine['kinevox']}{commit}, {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['python']}.",
        "",
    ]
    lines += [f"- {limit}" for limit in results.limits]
    lines += ["", *_as_markdown(main_table(results))]
    targets = targets_table(results)
    lines += ["", *_as_markdown(targets)] if targets else []
    lines += ["", "## Contestants", ""]
    lines += [f"- **{name}** {who.told}." for name, who in results.contestants.items()]
    for table in family_tables(results):
        lines += ["", *_as_markdown(table)]
    lines += ["", "Definitions of all metrics are in docs/metrics.md. " + _versions(results)]
    return "\n".join(lines) + "\n"


def cell(score: Score | None) -> str:
    """Three digits, and half the width of the interval to the same place."""
    if score is None or not np.isfinite(score.value):
        return "-"
    value, half_width = score.value, score.half_width
    size = max(abs(value), half_width or 0.0)
    if size < 1e-12:
        return "0"
    if size < 1e-3 or size >= 1e5:
        text = f"{value:.2e}"
        return text if half_width is None else f"{text} ± {half_width:.0e}"
    places = int(np.clip(2 - np.floor(np.log10(size)), 0, 3))
    text = f"{value:.{places}f}"
    return text if half_width is None else f"{text} ± {half_width:.{places}f}"


def _best(results: Results, names: Sequence[str], metric: str) -> list[int]:
    """Places of the names that share the best value, as it is printed."""
    goal = results.scores[GROUND_TRUTH].get(metric, Score(np.nan)).value
    texts = [cell(results.scores[name].get(metric)).partition(" ±")[0] for name in names]
    penalties = [
        metric_of(metric).penalty(results.scores[name].get(metric, Score(np.nan)).value, goal)
        for name in names
    ]
    if not np.isfinite(penalties).any():
        return []
    winner = texts[int(np.nanargmin(penalties))]
    return [i for i, text in enumerate(texts) if text == winner]


def _across(results: Results, title: str, names: Iterable[str]) -> Table:
    rows = []
    for name in names:
        metric = metric_of(name)
        label = name.partition("/")[2] or metric.title
        scores = [cell(results.scores[who].get(name)) for who in results.contestants]
        rows.append([label, unit(metric), arrow(metric), *scores])
    return Table(title, ("metric", "unit", "", *results.contestants), rows)


def _as_markdown(table: Table) -> list[str]:
    lines = [f"## {table.title}", ""]
    lines += [_row(table.columns), _row("---" for _ in table.columns)]
    for number, row in enumerate(table.rows):
        if len(row) == 1:
            row = [f"*{row[0]}*", *[""] * (len(table.columns) - 1)]
        lines.append(
            _row(f"**{c}**" if (number, k) in table.best else c for k, c in enumerate(row))
        )
    return [*lines, "", table.note] if table.note else lines


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _known(results: Results, metric: str) -> bool:
    """Whether anybody has a value."""
    found = [scores[metric].value for scores in results.scores.values() if metric in scores]
    return bool(np.isfinite(found).any()) if found else False


def unit(metric: Metric) -> str:
    return "" if metric.unit == "1" else metric.unit


def arrow(metric: Metric) -> str:
    if metric.better != "closer":
        return {"lower": "↓", "higher": "↑"}[metric.better]
    return "→ truth" if metric.target is None else f"→ {metric.target:g}"


def _versions(results: Results) -> str:
    names = {metric_of(name).name for scores in results.scores.values() for name in scores}
    newer = sorted(f"{n} v{metric_of(n).version}" for n in names if metric_of(n).version > 1)
    return f"Version 1 of each, but {', '.join(newer)}." if newer else "Version 1 of each."
