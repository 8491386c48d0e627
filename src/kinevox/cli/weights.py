"""`kinevox weights`: trained weights to give away, and those that others released."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import FILE, messages, progress_bar


@dataclass(frozen=True)
class Pack:
    """Make trained weights ready to be given away: half precision, all they need, and a card."""

    run_folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of a training or of a checkpoint, or the name of a run in the cache."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="FOLDER")]
    """Folder of the result; then: --method diffposetalk:FOLDER."""
    results: Annotated[FILE, arg(metavar="FILE")] = None
    """JSON of `kinevox evaluate -o FILE.json`, for the card."""

    def run(self) -> int:
        files = api.pack_weights(self.run_folder, self.out, self.results)
        sizes = [path.stat().st_size / 1e6 for path in files]
        for path, size in zip(files, sizes, strict=True):
            messages.print(f"{size:8.3f} MB  {path.relative_to(self.out)}", markup=False)
        messages.print(f"{sum(sizes):8.3f} MB  in all")
        print(self.out)
        return 0


@dataclass(frozen=True)
class Calibrate:
    """Measure how people with a style move, so that performances move like that."""

    run_folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of a training of diffposetalk or of its checkpoint, or the name of a run in the cache.
    The result, calibration.npz, goes beside the weights."""
    corpus: Annotated[str, arg(metavar="CORPUS")]
    """Folder or name of the corpus whose people are measured, such as that of the training."""
    steps: int | None = None
    """In how many steps it shall draw from now on, unless told otherwise. Fewer are quicker, and
    take variety from the takes; how far people move is made good. By default as it was trained."""
    spacing: float | None = None
    """How these lie: 1 is at even distance, more spends more of them in noise, less fewer. By
    default as it was trained."""

    def run(self) -> int:
        with progress_bar() as progress:
            path = api.calibrate_weights(
                self.run_folder,
                self.corpus,
                steps=self.steps,
                spacing=self.spacing,
                progress=progress,
            )
        print(path)
        return 0


@dataclass(frozen=True)
class Convert:
    """Convert weights that the authors of DiffPoseTalk released; nothing in the files is run."""

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    """Checkpoint of the denoiser, such as iter_0110000.pt."""
    style: Annotated[Path, arg(metavar="FILE")]
    """Checkpoint of the style encoder that it was trained with."""
    statistics: Annotated[Path, arg(metavar="FILE")]
    """Statistics of their training data, stats_train.npz."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="FOLDER")]
    """Folder of the result; then: --method diffposetalk:FOLDER --head FLAME."""

    def run(self) -> int:
        print(api.convert_weights(self.model, self.style, self.statistics, self.out))
        return 0


COMMAND = {"pack": Pack, "calibrate": Calibrate, "convert": Convert}
