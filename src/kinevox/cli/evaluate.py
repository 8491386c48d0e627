"""`kinevox evaluate`: methods compared on a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from rich.table import Column, Table
from rich.text import Text
from tyro.conf import arg

from kinevox import api
from kinevox.cli._console import HEAD, OUTPUTS, print_json, progress_bar, results
from kinevox.evaluation.plan import DEFAULT_METHODS, listed_contestants
from kinevox.evaluation.tables import Table as MainTable
from kinevox.evaluation.tables import main_table


@dataclass(frozen=True)
class Evaluate:
    """Compare methods on a corpus; what is measured stays, so a stopped run goes on.

    Contestants: a method by name, with a style or weights behind a colon (articulate:lively,
    regressor:RUN), options of sampling behind an @ (diffposetalk:RUN@steps=4,style=clip.npz);
    ground-truth; teacher, another take by the rules that made the corpus;
    mean-pose; shuffled-audio, or shuffled-audio:NAME. They hear the recording only; NAME+transcript
    is told the words, NAME+phones the phone times.
    """

    corpus: Annotated[str, arg(metavar="FOLDER|NAME")]
    """A corpus, the name of one in the cache, or video:FOLDER: videos, captured first."""
    split: Annotated[str, arg(metavar="train|valid|test")] = "test"
    """Which of its clips."""
    methods: Annotated[str, arg(metavar="A,B,...")] = ",".join(DEFAULT_METHODS)
    """Contestants."""
    seeds: int = 10
    """Takes of each clip; intervals are over them."""
    limit: Annotated[int | None, arg(metavar="CLIPS", help_behavior_hint="(default: all)")] = None
    """At most this many clips, spread over performers."""
    workers: int = 1
    """Processes that work side by side."""
    head: HEAD = api.DEFAULT_HEAD
    """The head that vertices are measured on."""
    out: OUTPUTS = ()
    """File to write: .md, .json or .html; repeat it for more."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        with progress_bar() as progress:
            found = api.evaluate(
                self.corpus,
                split=self.split,
                methods=listed_contestants(self.methods),
                seeds=self.seeds,
                limit=self.limit,
                workers=self.workers,
                head=self.head,
                out=self.out,
                progress=progress,
            )
        if self.json:
            print_json(found.to_json())
        elif self.out:
            print(*self.out, sep="\n")
        else:
            _show(main_table(found))
        return 0


COMMAND = Evaluate


def _show(overview: MainTable) -> None:
    """Contestants side by side, which fits a terminal better than one per row."""
    rows = [row for row in overview.rows if len(row) > 1]
    columns = (Column(row[0], overflow="fold") for row in rows)
    shown = Table("", *columns, caption=overview.note)
    for number, title in enumerate(overview.columns[1:], start=1):
        shown.add_row(title, *(Text(row[number]) for row in rows))
    results.print(shown)
