"""The page: tables, who is who, worst clips with links, faces and curves of the clips linked."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from kinevox.errors import MissingExtraError, RenderError
from kinevox.evaluation.judge import Judge
from kinevox.evaluation.plan import GROUND_TRUTH
from kinevox.evaluation.report.curves import plot
from kinevox.evaluation.report.faces import Camera, choose_moments
from kinevox.evaluation.results import Results, metric_of
from kinevox.evaluation.run import Progress
from kinevox.evaluation.tables import (
    Table,
    arrow,
    family_tables,
    main_table,
    targets_table,
    unit,
)
from kinevox.motion import Motion

RANKED = (
    "lve_mm",
    "mod_mm",
    "closure_recall",
    "mouth_opening_correlation",
    "fdd_absolute",
    "head_dynamics_absolute_deg",
)
"""Metrics whose worst clips are shown."""
WORST = 2
"""Worst clips of each contestant and metric."""
COLORS = (
    "#1c1f24", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d3b",
    "#7a52c7", "#b22222",
)  # fmt: skip
"""Of contestants in order, told apart by color-blind people too (Okabe and Ito)."""


def to_html(results: Results, judge: Judge, tell: Progress) -> str:
    """The whole page. Clips that are shown are performed again, with seed 0."""
    names = list(results.contestants)
    judged = [n for n in names if results.contestants[n].kind == "method"] or names[1:]
    typical = _typical(results, judged)
    worst = _worst_table(results, judged)
    shown = list(dict.fromkeys([*typical, *worst.places]))
    facts = results.facts
    machine = facts["machine"]
    targets = targets_table(results)
    parts = [
        f"<h1>Evaluation on {escape(facts['corpus']['name'])}</h1>",
        f"<pre>{escape(results.plan.command)}</pre>",
        f"<p class=quiet>kinevox {escape(machine['kinevox'])} {escape(machine['commit'])}, "
        f"{escape(machine['cpu'])}, {machine['cores']} cores, {escape(machine['python'])}</p>",
        "<ul>", *(f"<li>{escape(limit)}</li>" for limit in results.limits), "</ul>",
        _table(main_table(results)),
        *([_table(targets)] if targets else []),
        "<h2>Contestants</h2>", _legend(results, names),
        *_faces(results, judge, typical, tell),
        worst.html,
        "<h2>Curves</h2>",
        "<p>Takes with seed 0. Bands are p, b and m, where lips should meet. "
        "Contestants are shown and hidden in the bar.</p>",
        _switches(results, names),
    ]  # fmt: skip
    for number, place in enumerate(shown):
        tell("Drawing curves", number, len(shown))
        parts.append(_curves(results, judge, place))
    parts.append("<h2>All metrics</h2>")
    parts += [_table(table, level=3) for table in family_tables(results)]
    style = files("kinevox.evaluation.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>Evaluation on {escape(facts['corpus']['name'])}</title>"
        f"<style>{style}{''.join(_colors(len(names)))}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


class _Worst:
    """The table of worst clips, and which clips it links."""

    def __init__(self, html: str, places: list[int]):
        self.html, self.places = html, places


def _worst_table(results: Results, judged: list[str]) -> _Worst:
    places: list[int] = []
    rows = []
    for metric in RANKED:
        described = metric_of(metric)
        cells = [
            f"<th>{escape(described.title)} <small>{unit(described)} {arrow(described)}</small>"
        ]
        for name in judged:
            found = results.worst(name, metric, WORST)
            places += [place for place, _ in found]
            cells.append("<td>" + "<br>".join(_link(results, *one) for one in found))
        rows.append("<tr>" + "".join(cells))
    heads = "".join(f"<th>{escape(name)}" for name in judged)
    html = (
        f"<h2>Worst clips</h2><p>The {WORST} worst of each method, by the mean over its takes; "
        f"each leads to its curves.</p><div class=wide><table><tr><th>{heads}{''.join(rows)}"
        "</table></div>"
    )
    return _Worst(html, sorted(set(places), key=places.index))


def _link(results: Results, place: int, value: float) -> str:
    clip = results.clips[place]
    return f'<a href="#{escape(clip)}">{escape(clip)}</a> <b>{value:.3g}</b>'


def _typical(results: Results, judged: list[str]) -> list[int]:
    """The clips where the first method does worst, middling and best, by lip vertex error."""
    ranked = [place for place, _ in results.worst(judged[0], "lve_mm", len(results.clips))]
    return list(dict.fromkeys([ranked[len(ranked) // 2], ranked[0], ranked[-1]]))


def _faces(results: Results, judge: Judge, places: list[int], tell: Progress) -> Iterator[str]:
    yield "<h2>Faces</h2>"
    try:
        camera = Camera(judge.head)
    except (RenderError, MissingExtraError) as error:
        yield f"<p class=quiet>No pictures: {escape(str(error))}</p>"
        return
    yield (
        "<p>The same instants of a middling, the worst and the best clip of the first method by "
        "lip vertex error; takes with seed 0.</p>"
    )
    try:
        for number, place in enumerate(places):
            tell("Drawing faces", number, len(places))
            record = judge.record(judge.chosen.measured[place])
            moments = choose_moments(record.motion, record.speech.phones)
            strips = camera.strips(_takes(results, judge, place), moments)
            heads = "".join(f"<span>{escape(moment.label)}</span>" for moment in moments)
            clip = escape(record.id)
            yield f'<h3><a href="#{clip}">{clip}</a></h3><div class=wide><div class=faces>'
            yield f"<b></b><div class=moments>{heads}</div>"
            for name, strip in strips.items():
                yield f'<b>{escape(name)}</b><img alt="{escape(name)}" src="{strip}">'
            yield "</div></div>"
    finally:
        camera.close()


def _takes(results: Results, judge: Judge, place: int) -> dict[str, Motion]:
    clip = judge.chosen.measured[place]
    return {name: judge.take(who, clip, 0) for name, who in results.contestants.items()}


def _curves(results: Results, judge: Judge, place: int) -> str:
    record = judge.record(judge.chosen.measured[place])
    said = f"<q>{escape(record.speech.transcript)}</q>" if record.speech.transcript else ""
    language = escape(record.metadata.get("language", ""))
    lve = ", ".join(
        f"{escape(name)} {results.per_clip[name]['lve_mm'][place]:.2f}"
        for name in results.contestants
        if name != GROUND_TRUTH
    )
    svg = plot(judge.head, _takes(results, judge, place), record.speech.phones)
    return (
        f'<section id="{escape(record.id)}"><h3>{escape(record.id)}</h3><p class=quiet>Performer '
        f"{escape(record.style)}, voice {escape(record.speaker)} {language} {said}<br>"
        f"LVE [mm]: {lve}</p>{svg}</section>"
    )


def _legend(results: Results, names: list[str]) -> str:
    rows = (
        f"<tr><th><i class=k{k}></i>{escape(name)}<td>{escape(results.contestants[name].told)}"
        for k, name in enumerate(names)
    )
    return f"<div class=wide><table class=words>{''.join(rows)}</table></div>"


def _switches(results: Results, names: list[str]) -> str:
    """Check boxes that hide curves, by style sheet alone; controls start hidden."""
    boxes = "".join(
        f"<label><input type=checkbox id=s{k}"
        f"{'' if results.contestants[name].kind == 'control' else ' checked'}>"
        f"<i class=k{k}></i>{escape(name)}</label>"
        for k, name in enumerate(names)
    )
    return f"<div class=switches>{boxes}</div>"


def _colors(count: int) -> Iterator[str]:
    for k in range(count):
        color = COLORS[k % len(COLORS)]
        yield f".c{k}{{stroke:{color}}}.k{k}{{background:{color}}}"
        yield f"body:has(#s{k}:not(:checked)) .c{k}{{display:none}}"


def _table(table: Table, level: int = 2) -> str:
    heads = "".join(f"<th>{escape(column)}" for column in table.columns)
    rows = []
    for number, row in enumerate(table.rows):
        if len(row) == 1:
            rows.append(f"<tr><th class=group colspan={len(table.columns)}>{escape(row[0])}")
            continue
        cells = "".join(
            f"<td{' class=best' if (number, k) in table.best else ''}>{_soft(text)}"
            for k, text in enumerate(row[1:], start=1)
        )
        rows.append(f"<tr><th>{escape(row[0])}{cells}")
    note = f"<p class=quiet>{escape(table.note)}</p>" if table.note else ""
    return (
        f"<h{level}>{escape(table.title)}</h{level}><div class=wide><table><tr>{heads}"
        f"{''.join(rows)}</table></div>{note}"
    )


def _soft(text: str) -> str:
    """A cell whose interval steps back."""
    value, sign, half_width = escape(text).partition(" ±")
    return f"{value}<small>{sign}{half_width}</small>" if sign else value
