"""`kinevox cite`: what to cite for a run."""

from __future__ import annotations

from dataclasses import dataclass

from kinevox import api
from kinevox.cli._console import METHOD


@dataclass(frozen=True)
class Cite:
    """Print BibTeX of what a run uses."""

    method: METHOD = api.DEFAULT_METHOD
    """How motion is made."""

    def run(self) -> int:
        print(*api.cite(self.method), sep="\n\n")
        return 0


COMMAND = Cite
