"""How a training goes: loss terms and scores by name, for TensorBoard and the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kinevox.training.options import TrainingOptions

_log = logging.getLogger(__name__)


@dataclass
class Position:
    """How far a training is."""

    step: int = 0
    samples_seen: int = 0
    seconds: float = 0.0
    """Time spent, over all its parts [s]."""
    best: float = float("inf")
    """Lowest value of the deciding score so far."""


class Report:
    """Loss terms and scores by name, for TensorBoard and the log."""

    def __init__(self, folder: Path, position: Position, options: TrainingOptions, active: bool):
        from torch.utils.tensorboard.writer import SummaryWriter

        # What a killed training wrote behind its last save is hidden.
        behind = position.samples_seen + 1
        self._writer = SummaryWriter(str(folder), purge_step=behind) if active else None
        self._position, self._options = position, options
        self._sums: dict[str, Tensor] = {}
        self._count, self._since = 0, time.monotonic()

    def after_step(self, terms: Mapping[str, Tensor]) -> None:
        for name, term in terms.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(term)) + term.detach()
        self._count += 1
        if self._position.step % self._options.log_every or self._writer is None:
            return
        means = {name: float(total) / self._count for name, total in self._sums.items()}
        rate = self._count * self._options.batch / (time.monotonic() - self._since)
        rates = {
            "learning_rate": self._options.learning_rate_at(self._position.step - 1),
            "samples_per_second": rate,
        }
        self._write("train", means | rates)
        _log.info(
            "%s samples: %s; %.0f samples/s",
            f"{self._position.samples_seen:,}",
            ", ".join(f"{name} {value:.4g}" for name, value in means.items()),
            rate,
        )
        self._sums, self._count, self._since = {}, 0, time.monotonic()

    def after_validation(self, scores: Mapping[str, float]) -> None:
        self._write("valid", scores)
        listing = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        _log.info("%s samples: validation %s", f"{self._position.samples_seen:,}", listing)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _write(self, group: str, values: Mapping[str, float]) -> None:
        assert self._writer is not None
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, self._position.samples_seen)
        self._writer.flush()
