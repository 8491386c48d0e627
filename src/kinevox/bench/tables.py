"""A report as tables: for people, on the screen or in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from kinevox.bench.plan import clock_length
from kinevox.bench.result import Comparison, Part, Report, Result, quartiles


@dataclass(frozen=True)
class Table:
    """Rows of text under column names."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    note: str = ""


def facts(report: Report) -> list[str]:
    """One line each: the machine, the libraries, the speech."""
    machine = report.machine
    commit = f", commit {machine.commit}" if machine.commit else ""
    loads = [
        one.load_average
        for one in (*report.cases, *report.comparisons)
        if one.load_average is not None
    ]
    load = f", load average {min(loads):g} to {max(loads):g} before the cases" if loads else ""
    packages = ", ".join(f"{name} {version}" for name, version in report.packages.items())
    return [
        f"Machine: {machine.cpu}, {machine.cores} cores, {machine.memory_gb:g} GB, "
        f"{machine.system}{load}",
        f"Software: kinevox {machine.kinevox}{commit}, {machine.python}, {packages}",
        f"Speech: {report.speech}; FLAC, 16 kHz, mono",
    ]


def tables(report: Report) -> list[Table]:
    """All tables that have rows."""
    done = [case for case in report.cases if case.error is None]
    found = [_whole(done), _stages(done), _start(done), _compared(report.comparisons)]
    return [table for table in (*found, _failed(report)) if table.rows]


def to_markdown(report: Report) -> str:
    """The report as a page, the command on top."""
    page = ["# Benchmark", "", "```", report.command, "```", ""]
    page += [f"- {fact}" for fact in facts(report)]
    page += ["", "What the figures mean is written in docs/benchmarks.md."]
    for table in tables(report):
        page += ["", f"## {table.title}", ""]
        page += [f"| {' | '.join(_escaped(table.columns))} |", "|---" * len(table.columns) + "|"]
        page += [f"| {' | '.join(_escaped(row))} |" for row in table.rows]
        page += ["", table.note] if table.note else []
    return "\n".join(page) + "\n"


def _whole(cases: Sequence[Result]) -> Table:
    columns = (
        "case",
        "real-time factor",
        "x real time",
        "CPU s per s",
        "first frame",
        "memory",
        "memory, with files and pictures",
    )
    rows = []
    for case in cases:
        whole, again = case.whole, case.again
        assert whole is not None and again is not None
        low, high = (
            seconds / whole.speech_seconds for seconds in (min(whole.wall), max(whole.wall))
        )
        helpers = case.memory_mb["motion_helpers"]
        rows.append(
            (
                str(case.case),
                f"{whole.real_time_factor:.4f} ({low:.4f} to {high:.4f})",
                f"{whole.times_real_time:.1f} (cached {again.times_real_time:.0f})",
                f"{whole.cpu_factor:.4f}",
                f"{median(whole.wall):.2f} s",
                f"{case.memory_mb['motion']:.0f} MB" + f" + {helpers:.0f} MB" * (helpers > 0),
                f"{case.memory_mb['everything']:.0f} MB" if "everything" in case.memory_mb else "-",
            )
        )
    note = (
        "Median (lowest to highest) of the repeats. Memory: the process at its peak, plus its "
        "helpers at theirs."
    )
    return Table("Audio file to motion", columns, rows, note)


def _stages(cases: Sequence[Result]) -> Table:
    names = dict.fromkeys(part.name for case in cases for part in case.stages)
    rows = []
    for name in names:
        parts = [{part.name: part for part in case.stages}.get(name) for case in cases]
        rows.append((name, *(_milliseconds(part) for part in parts)))
    columns = ("stage", *(str(case.case) for case in cases))
    note = "Milliseconds per second of speech: on the wall / of all processors. " + _frame_note(
        cases
    )
    return Table("Stages", columns, rows, note.strip())


def _frame_note(cases: Sequence[Result]) -> str:
    drawn = [part for case in cases for part in case.stages if part.name == "render"]
    if not drawn:
        return ""
    fps = cases[0].case.setup.fps
    most = max(round(part.speech_seconds * fps) + 1 for part in drawn)
    rates = [fps * part.times_real_time for part in drawn]
    return (
        f"Vertices and pictures of the first {most} frames at most. Rendering ran at "
        f"{min(rates):.0f} to {max(rates):.0f} frames per second."
    )


def _milliseconds(part: Part | None) -> str:
    if part is None:
        return "-"
    if part.name.endswith("once"):
        return f"{median(part.wall):.2f} s / {median(part.cpu):.2f} s"
    return f"{1000 * part.real_time_factor:.2f} / {1000 * part.cpu_factor:.2f}"


def _start(cases: Sequence[Result]) -> Table:
    columns = ("case", "import and load the method", "first call, 1 s of speech", "load the head")
    keys = ("import_seconds", "first_call_seconds", "head_seconds")
    rows = [
        (
            str(case.case),
            *(f"{case.start[key]:.2f} s" if key in case.start else "-" for key in keys),
        )
        for case in cases
    ]
    return Table("Start", columns, rows, "Once per process, files already read by the system.")


def _compared(comparisons: Sequence[Comparison]) -> Table:
    rows = []
    for pair in comparisons:
        if pair.error is not None:
            continue
        speeds = (f"{part.times_real_time:.1f}" for part in pair.parts)
        ratios = (
            "{1:.3f} ({0:.3f} to {2:.3f})".format(*quartiles(pair.ratios(c))) for c in _CLOCKS
        )
        rows.append((clock_length(pair.clip_seconds), *speeds, *ratios))
    columns = ("clip", "A, x real time", "B, x real time", "A / B, wall", "A / B, CPU")
    note = ""
    if rows:
        note = (
            f"A is {comparisons[0].a}. B is {comparisons[0].b}. Ratios of time over "
            f"{len(comparisons[0].ratios())} pairs: median (quartiles); above 1, A is slower."
        )
    return Table("Comparison", columns, rows, note)


_CLOCKS = ("wall", "cpu")


def _failed(report: Report) -> Table:
    rows = []
    for case in report.cases:
        rows += [(str(case.case), "all", case.error)] if case.error is not None else []
        rows += [(str(case.case), stage, error) for stage, error in case.failures.items()]
    for pair in report.comparisons:
        if pair.error is not None:
            rows.append((f"{pair.a} against {pair.b}", "all", pair.error))
    return Table("Failed", ("case", "stage", "error"), rows)


def _escaped(cells: Sequence[str]) -> list[str]:
    return [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]
