"""`kinevox corpus`: make, convert, list, check and look at corpora."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from rich.table import Table
from rich.text import Text
from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import FILE, HEAD, TEXT, print_json, progress_bar, results
from kinevox.cli.main import FAILED
from kinevox.data.corpora import CORPORA
from kinevox.errors import ConfigError

CORPUS = Annotated[Positional[str], arg(metavar="FOLDER|NAME")]


@dataclass(frozen=True)
class Make:
    """Make `performers` from recordings or `video` from videos, or convert a corpus you have."""

    name: Annotated[Positional[str], arg(metavar="|".join(CORPORA.names()))]
    """Which corpus; `kinevox corpus list` says what each one needs."""
    source: Annotated[FILE, arg(aliases=("--speech",), metavar="FOLDER")] = None
    """Where the recordings or the corpus to convert are."""
    out: Annotated[FILE, arg(aliases=("-o",), metavar="FOLDER")] = None
    """Where it goes. After an interruption the same command goes on where it stopped."""
    hours: float = 10.0
    """How much of `performers` to make."""
    seed: int = 0
    """Another seed makes another `performers` of the same recordings."""
    transcribed: bool = False
    """Only English with a transcript and speaking programs in `performers`: their phones are known.
    Those of other recordings are recognized, and lips follow what was not said."""
    workers: int = 1
    """Processes that make `performers` or `video` side by side."""
    head: Annotated[TEXT, arg(metavar="HEAD")] = None
    """The head that meshes are fitted with, for example flame:generic_model.pkl (vocaset)."""
    speakers: Annotated[FILE, arg(metavar="CSV")] = None
    """Who speaks in which video: columns file, speaker and perhaps split (video)."""

    def run(self) -> int:
        CORPORA.get(self.name)
        if self.source is None or self.out is None:
            raise ConfigError(
                f"Give both folders: kinevox corpus make {self.name} --source FOLDER -o FOLDER"
            )
        with progress_bar() as progress:
            api.make_corpus(
                self.name,
                self.source,
                self.out,
                hours=self.hours,
                seed=self.seed,
                transcribed=self.transcribed,
                workers=self.workers,
                head=self.head,
                speakers=self.speakers,
                progress=progress,
            )
        print(self.out)
        return 0


@dataclass(frozen=True)
class List:
    """List the corpora that can be made or converted, and what each one needs."""

    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        parts = {name: {"summary": c.summary, "source": c.source} for name, c in CORPORA}
        if self.json:
            print_json(parts)
        else:
            table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
            for name, part in parts.items():
                table.add_row(name, Text(f"{part['summary']}\nneeds {part['source']}"))
            results.print(table)
        return 0


@dataclass(frozen=True)
class Check:
    """Check a corpus: lengths, sync, ranges, silence, leaks between splits, loading speed."""

    corpus: CORPUS
    """A finished corpus, or the name of one in the cache."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        with progress_bar() as progress:
            report = api.check_corpus(self.corpus, progress=progress)
        if self.json:
            print_json({**asdict(report), "ok": report.ok})
            return 0 if report.ok else FAILED
        splits = Table(box=None, padding=(0, 2, 0, 0))
        for title in ("", "clips", "hours", "speakers", "styles"):
            splits.add_column(title, justify="right" if title else "left")
        for name, row in report.splits.items():
            cells = (f"{row['clips']}", f"{row['hours']:.2f}")
            splits.add_row(name, *cells, f"{row['speakers']}", f"{row['styles']}")
        findings = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for finding in report.findings:
            findings.add_row("ok" if finding.ok else "!!", finding.what, Text(finding.told))
        results.print(splits)
        results.print()
        results.print(findings)
        return 0 if report.ok else FAILED


@dataclass(frozen=True)
class Show:
    """Draw a contact sheet: faces at loud moments, and the curves of some clips."""

    corpus: CORPUS
    """A finished corpus, or the name of one in the cache."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="FILE")] = Path("sheet.png")
    """PNG to write."""
    head: HEAD = api.DEFAULT_HEAD
    """The head that is drawn; it must have the layout of the corpus."""
    seed: int = 0
    """Another seed shows other clips."""

    def run(self) -> int:
        with progress_bar() as progress:
            api.show_corpus(
                self.corpus, self.out, head=self.head, seed=self.seed, progress=progress
            )
        print(self.out)
        return 0


COMMAND = {"make": Make, "list": List, "check": Check, "show": Show}
