"""The text of docs/metrics.md, printed from the descriptors."""

from __future__ import annotations

import importlib

from kinevox.metrics import FAMILIES, Metric

_INTRO = """\
# Metrics

Every number kinevox reports, with its definition. This page is printed from the descriptors in
`kinevox.metrics`; `make golden` prints it again.

- Region sets (lips, inner-lip pairs, upper face) come from the head, so the same metric runs on
  every head; numbers of different heads are not comparable.
- Metrics of vertices are computed with head rotation removed. Meters and seconds inside; the unit
  of a reported number is in its row.
- *Better* is lower (↓), higher (↑) or closer (→) to the stated value; "→ reference" is the value
  the reference clips themselves have.
- A clip with nothing to measure, such as one without p, b or m, gives NaN, which averages skip.
- A definition whose numbers change gets a new version; the name stays.
- In formulas r is the reference, p the prediction, t runs over frames and v over vertices.
"""


def page() -> str:
    """One table of all metrics, then each family's conventions and each definition."""
    lines = [_INTRO, "| metric | unit | better | version | measures |", "|---|---|---|---|---|"]
    for family, metrics in FAMILIES:
        lines += [
            f"| [`{m.name}`](#{family}) | {m.unit} | {_better(m)} | {m.version} | {m.title} |"
            for m in metrics
        ]
    for family, metrics in FAMILIES:
        lines += ["", f"## {family}", "", _conventions(family)]
        for m in metrics:
            lines += ["", f"**`{m.name}`** {m.title} [{m.unit}], {_better(m)}, v{m.version}."]
            lines += [m.definition]
            lines += ["", f"    {m.formula}"] if m.formula else []
            lines += ["", f"Source: {m.source}."] if m.source else []
    return "\n".join(lines) + "\n"


def _better(metric: Metric) -> str:
    if metric.better != "closer":
        return {"lower": "↓", "higher": "↑"}[metric.better]
    return "→ reference" if metric.target is None else f"→ {metric.target:g}"


def _conventions(family: str) -> str:
    """The docstring of the family's module without its list of metrics."""
    module = importlib.import_module(f"kinevox.metrics.{family.replace('-', '_')}")
    return (module.__doc__ or "").partition("\n\nMetrics:")[0].strip()
