"""`kinevox card`: the model card of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import FILE


@dataclass(frozen=True)
class Card:
    """Write the model card of trained weights, with the scores of an evaluation."""

    run_folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of a training or of a checkpoint, or the name of a run in the cache."""
    results: Annotated[FILE, arg(metavar="FILE")] = None
    """JSON of `kinevox evaluate -o FILE.json`; without it the card shows the validation."""

    def run(self) -> int:
        print(api.write_card(self.run_folder, self.results))
        return 0


COMMAND = Card
