"""`kinevox bench`: how fast, how large."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.table import Table
from rich.text import Text
from tyro.conf import arg

from kinevox import api
from kinevox.bench.result import Report
from kinevox.bench.tables import facts, tables, to_markdown
from kinevox.cli._console import FILES, METHOD, OUTPUTS, print_json, progress_bar, results
from kinevox.cli.main import FAILED
from kinevox.errors import ConfigError
from kinevox.files import written_whole

_WRITERS = {
    ".md": to_markdown,
    ".json": lambda report: json.dumps(report.to_json(), indent=1) + "\n",
}


@dataclass(frozen=True)
class Bench:
    """Measure time, first-frame latency and memory: the whole, and every stage.

    What the figures mean is written in docs/benchmarks.md.
    """

    lengths: Annotated[tuple[float, ...], arg(metavar="SECONDS...")] = (4.0, 60.0)
    """Lengths of the clips [s]; 4 60 600 3600 takes a while."""
    methods: Annotated[tuple[METHOD, ...], arg(metavar="METHOD...")] = (api.DEFAULT_METHOD,)
    """Ways to make motion."""
    threads: Annotated[tuple[int, ...], arg(metavar="CORES...")] = (0,)
    """Processor cores to allow; 0 is all of them."""
    batch_sizes: Annotated[tuple[int, ...], arg(metavar="LINES...")] = (1,)
    """Lines given in one call."""
    transcript: bool = False
    """Give the words too, so that phones are aligned and not recognized."""
    repeats: int = 5
    """How often everything is measured; the median is reported."""
    frames: int = 100
    """Frames to pose and draw at most; 0 measures audio to motion only."""
    speech: Annotated[FILES, arg(metavar="FILE...")] = ()
    """Recordings to build clips from; else those of KINEVOX_SHARED, else the example."""
    compare: Annotated[tuple[str, str] | None, arg(metavar="A B", help_behavior_hint="")] = None
    """Two configurations in turn, such as method=articulate,style=calm,threads=1,transcript=yes."""
    out: Annotated[OUTPUTS, arg(help_behavior_hint="")] = ()
    """Report to write, .md or .json; repeat it for both."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        paths = [Path(path) for path in self.out]
        for path in paths:
            if path.suffix not in _WRITERS:
                raise ConfigError(f"{path.name}: a report is written as .md or .json.")
        with progress_bar() as progress:
            report = api.bench(
                lengths=self.lengths,
                methods=self.methods,
                threads=self.threads,
                batch_sizes=self.batch_sizes,
                transcript=self.transcript,
                repeats=self.repeats,
                frames=self.frames,
                speech=self.speech,
                compare=self.compare,
                progress=progress,
            )
        for path in paths:
            with written_whole(path) as temporary:
                temporary.write_text(_WRITERS[path.suffix](report), encoding="utf-8")
        if self.json:
            print_json(report.to_json())
        else:
            _show(report)
        return FAILED if report.failed else 0


COMMAND = Bench


def _show(report: Report) -> None:
    for fact in facts(report):
        results.print(fact, markup=False)
    for table in tables(report):
        shown = Table(*table.columns, title=table.title, caption=table.note or None)
        for row in table.rows:
            shown.add_row(*map(Text, row))
        results.print()
        results.print(shown)
