"""`kinevox doctor`: is this machine ready?"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rich.table import Table
from rich.text import Text

from kinevox import api
from kinevox.cli._console import print_json, results
from kinevox.cli.main import FAILED

_MARKS = {"ok": "ok", "missing": "--", "broken": "!!"}


@dataclass(frozen=True)
class Doctor:
    """Check this machine: what works, what does not, and what to do about it."""

    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        checks = api.doctor()
        if self.json:
            print_json([asdict(check) for check in checks])
        else:
            table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
            for check in checks:
                told = "\n".join(filter(None, (check.found, check.advice)))
                table.add_row(_MARKS[check.status], check.name, Text(told))
            results.print(table)
        return FAILED if any(check.status == "broken" for check in checks) else 0


COMMAND = Doctor
