"""What commands print: progress and messages on stderr, results on stdout."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from tyro.conf import UseAppendAction, arg

from kinevox.api import Progress as ProgressCallback
from kinevox.methods import METHODS

messages = Console(stderr=True, highlight=False)
results = Console(highlight=False)

METHOD = Annotated[
    str,
    arg(
        metavar="METHOD",
        help_behavior_hint=lambda default: f"({', '.join(METHODS.names())}; default: {default})",
    ),
]
TEXT = Annotated[str | None, arg(metavar="TEXT", help_behavior_hint="")]
NUMBER = Annotated[float | None, arg(metavar="NUMBER", help_behavior_hint="")]
WHOLE = Annotated[int | None, arg(metavar="NUMBER", help_behavior_hint="")]
WORDS = Annotated[UseAppendAction[tuple[str, ...]], arg(help_behavior_hint="")]
FILE = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")]
FILES = Annotated[tuple[Path, ...], arg(help_behavior_hint="")]
HEAD = Annotated[str, arg(metavar="HEAD")]
OUTPUTS = Annotated[
    UseAppendAction[tuple[str, ...]],
    arg(aliases=("-o",), metavar="FILE", help_behavior_hint=""),
]
"""Kinds of options that several commands share."""


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """A bar that follows an api call; log records of the library appear above it.

    Nothing is drawn where stderr is not a terminal.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=messages, transient=True, disable=not messages.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)

        def follow(stage: str, done: int, total: int) -> None:
            if bar.tasks[0].description != stage:
                bar.reset(task)
            bar.update(task, description=stage, completed=done, total=total or None)

        with _logged():
            yield follow


@contextmanager
def _logged() -> Iterator[None]:
    logger = logging.getLogger("kinevox")
    handler = logging.Handler()
    handler.emit = lambda record: messages.print(record.getMessage(), markup=False)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def print_json(result: Any) -> None:
    """One JSON document on stdout; paths become text."""
    print(json.dumps(result, indent=2, default=str))
