"""`kinevox cite`: what to cite for a run."""

from __future__ import annotations

from kinevox import api
from kinevox.cli._console import METHOD


def cite(method: METHOD = api.DEFAULT_METHOD) -> int:
    """Print BibTeX of what a run uses.

    Args:
        method: How motion is made.
    """
    print(*api.cite(method), sep="\n\n")
    return 0


COMMAND = cite
