"""Results as files: Markdown, JSON, HTML, by suffix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from kinevox.errors import UnknownNameError
from kinevox.evaluation.results import Results
from kinevox.evaluation.run import Progress
from kinevox.evaluation.tables import to_markdown
from kinevox.files import written_whole

SUFFIXES = (".html", ".json", ".md")


def check_outputs(paths: Sequence[str | Path]) -> None:
    """All suffixes are known.

    Raises:
        UnknownNameError: one is not.
    """
    for path in paths:
        if Path(path).suffix not in SUFFIXES:
            raise UnknownNameError("kind of results", Path(path).suffix or str(path), SUFFIXES)


def write_results(results: Results, path: Path, tell: Progress) -> None:
    """Writes one file; HTML performs the clips it shows again."""
    if path.suffix == ".html":
        from kinevox.evaluation.judge import Judge
        from kinevox.evaluation.report import to_html

        text = to_html(results, Judge(results.plan), tell)
    elif path.suffix == ".json":
        text = json.dumps(results.to_json(), indent=1) + "\n"
    else:
        text = to_markdown(results)
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
