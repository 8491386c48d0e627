"""Training of the speech encoder. Its loop is its own: there is no motion in what it learns from.

As in `loop`, everything random follows from the seed and the number of the step, and a training
that was killed goes on where its state was saved.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import kinevox
from kinevox.audio.encoders.speech.config import SpeechConfig
from kinevox.audio.encoders.speech.learning import WEIGHTS, Batch, hearing_loss, hearing_scores
from kinevox.audio.encoders.speech.network import SpeechNetwork
from kinevox.audio.encoders.speech.weights import write_weights
from kinevox.data.phonetic.examples import Examples
from kinevox.data.phonetic.pack import Part
from kinevox.nn.precision import products_in_bf16
from kinevox.training import run
from kinevox.training.averaging import Average
from kinevox.training.checkpoint import load_state, save_state
from kinevox.training.options import HEARING, TrainingOptions
from kinevox.training.report import Position, Report

FRAMES = 400
"""Length of an example, 100 per second."""
_log = logging.getLogger(__name__)


def train_speech(
    config: SpeechConfig,
    parts: Sequence[Part],
    folder: Path,
    options: TrainingOptions = HEARING,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Path:
    """Trains the encoder, or goes on where a training in this folder stopped.

    Returns:
        The best weights.

    Raises:
        ConfigError: the folder holds another training.
        AssetError: the saved state is damaged.
    """
    facts = {
        "data": {"digest": "-".join(part.digest for part in parts)},
        "kinevox": kinevox.__version__,
        "code": run.code_version(),
    }
    network_facts = {"name": "speech", "config": asdict(config)}
    run.claim(folder, {"network": network_facts, "options": asdict(options), **facts})
    torch.manual_seed(options.seed)
    network = SpeechNetwork(config)
    average = Average(network, options.average)
    averaged = average.network
    assert isinstance(averaged, SpeechNetwork)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=options.weight_decay)
    position = Position()
    state, weights = folder / "state.safetensors", folder / "speech.safetensors"
    if state.is_file():
        position = Position(**load_state(state, network, average.network, optimizer))
        _log.info("Going on from %s samples.", f"{position.samples_seen:,}")
    report = Report(folder / "log", position, options, active=True)
    batches = _batches(Examples(parts, FRAMES, options.seed), position.step, options)
    begun = time.monotonic() - position.seconds
    for batch in batches:
        progress("Training speech", position.samples_seen, options.steps * options.batch)
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate_at(position.step)
        loss, terms = _step(network, batch, position.step, options)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), options.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()
        position.step += 1
        position.samples_seen += options.batch
        position.seconds = time.monotonic() - begun
        average.update(network, options.batch, position.samples_seen)
        report.after_step({"loss": loss.detach(), **terms, "gradient_norm": norm})
        done = position.step == options.steps
        if done or position.step % options.validate_every == 0:
            scores = _validated(averaged, parts)
            report.after_validation(scores)
            wrong = 1 - next(v for name, v in scores.items() if name.endswith("speech_visemes"))
            if wrong < position.best:
                position.best = wrong
                told = facts | {"training": _facts(options, position), "scores": scores}
                write_weights(weights, averaged, told)
        if done or position.step % options.save_every == 0:
            save_state(state, network, average.network, optimizer, vars(position))
    report.close()
    return weights


def _step(
    network: SpeechNetwork, batch: Batch, step: int, options: TrainingOptions
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    words = np.random.SeedSequence([options.seed, step]).generate_state(2, np.uint64) >> 1
    torch.manual_seed(int(words[0]))
    noise = torch.Generator().manual_seed(int(words[1]))
    with products_in_bf16("cpu", options.bf16):
        terms = hearing_loss(network, batch, noise)
    return torch.stack([WEIGHTS[name] * term for name, term in terms.items()]).sum(), terms


def _validated(network: SpeechNetwork, parts: Sequence[Part]) -> dict[str, float]:
    return {
        f"{group}_{name}": value
        for group in ("real", "synthetic")
        if any(p.split == "valid" and p.group == group for part in parts for p in part.passages)
        for name, value in hearing_scores(network, parts, "valid", group).items()
    }


def _facts(options: TrainingOptions, position: Position) -> dict[str, Any]:
    return {
        "samples_seen": position.samples_seen,
        "steps": position.step,
        "hours": round(position.seconds / 3600, 4),
        "machine": run.machine(),
        "options": asdict(options),
    }


class _Loading(Dataset):
    """Examples as torch's loader wants them."""

    def __init__(self, examples: Examples):
        self._examples = examples

    def __getitem__(self, number: int):
        return self._examples[number]


def _batches(examples: Examples, first: int, options: TrainingOptions) -> Iterator[Batch]:
    size = options.batch
    numbers = [range(step * size, (step + 1) * size) for step in range(first, options.steps)]
    return iter(
        DataLoader(
            _Loading(examples),
            batch_sampler=numbers,  # type: ignore[arg-type]
            num_workers=options.workers,
            collate_fn=Batch.of,
        )
    )
