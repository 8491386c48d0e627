"""The training loop, one for every network.

Everything random follows from the seed and the number of the step: the order of the samples, noise
and dropout. So a training that was killed goes on as if nothing had happened, bit for bit on a CPU.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, Dataset

from kinevox.data import Corpus
from kinevox.data.mixture import Mixed, Mixture
from kinevox.data.normalize import motion_statistics
from kinevox.data.windows import Windows
from kinevox.errors import AssetError, ConfigError, KinevoxError, MissingExtraError
from kinevox.nn.precision import products_in_bf16
from kinevox.training import run
from kinevox.training._base import Continued, Listening, Selective, Space, Trainable
from kinevox.training.averaging import Average
from kinevox.training.batch import Batch
from kinevox.training.card import write_card
from kinevox.training.checkpoint import load_state, read_header, save_state, write_checkpoint
from kinevox.training.options import TrainingOptions
from kinevox.training.origin import space_like
from kinevox.training.report import Position, Report

_log = logging.getLogger(__name__)


def space_of(corpus: Corpus) -> Space:
    """The space of a corpus's training split."""
    clips = corpus.split("train")
    styles = tuple(sorted(set(clips.index["style"].tolist())))
    return Space(clips.layout, clips.fps, motion_statistics(clips), styles)


def train(
    stage: Trainable,
    corpus: Corpus,
    folder: Path,
    options: TrainingOptions | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
    mixed: Mixed | None = None,
) -> dict[str, Any]:
    """Trains a network, or goes on where a training in this folder stopped.

    Args:
        mixed: Another corpus, whose split `train` is learned from as well.

    Returns:
        The header of the best checkpoint, which lies in `folder / "best"`.

    Raises:
        ConfigError: the folder holds another training, options contradict each other, or corpora
            do not mix.
        AssetError: the corpus lacks a split, or the saved state is damaged.
        KinevoxError: the training diverged.
    """
    options = options or stage.training
    accelerator = _accelerator()
    if options.batch % accelerator.num_processes:
        raise ConfigError(
            f"batch is {options.batch}; it must be a multiple of the number of processes, "
            f"{accelerator.num_processes}."
        )
    clips, unseen = (_useful(stage, corpus.split(split)) for split in ("train", "valid"))
    few = None
    if mixed:
        mixed.check(corpus)
        few = _useful(stage, mixed.corpus.split("train"))
    wanted = run.configuration(stage, corpus, options, mixed)
    if accelerator.is_main_process:
        run.claim(folder, wanted)
    accelerator.wait_for_everyone()

    space = space_of(corpus)
    if isinstance(stage, Continued) and stage.origin:
        space = space_like(space, stage.origin)
    torch.manual_seed(options.seed)
    network = stage.build(space)
    if isinstance(stage, Continued) and not (folder / "state.safetensors").is_file():
        stage.begin(network)
    average = Average(network, options.average)
    optimizer = torch.optim.AdamW(_groups(network, options.weight_decay), options.learning_rate)
    position = Position()
    if (folder / "state.safetensors").is_file():
        saved = folder / "state.safetensors"
        position = Position(**load_state(saved, network, average.network, optimizer))
        _log.info("Going on from %s samples.", f"{position.samples_seen:,}")
    average.network.to(accelerator.device)
    # The network decides itself which of its parts learn.
    network.train()
    losses, optimizer = accelerator.prepare(_Losses(stage, network), optimizer)

    windows = _windows(stage, corpus, clips, space, options, progress)
    if mixed and few is not None:
        others = _windows(stage, mixed.corpus, few, space, options, progress)
        windows = Mixture(windows, others, mixed.every)
    share = slice(accelerator.process_index, None, accelerator.num_processes)
    batches = _batches(windows, position.step, options, share)
    report = Report(folder / "log", position, options, accelerator.is_main_process)
    facts = {key: wanted[key] for key in ("data", "kinevox", "code")}
    total = options.steps * options.batch
    begun = time.monotonic() - position.seconds
    while position.step < options.steps:
        progress(f"Training {stage.name}", position.samples_seen, total)
        batch = next(batches).to(accelerator.device)
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate_at(position.step)
        noise = _seeded(options.seed, position.step, accelerator)
        with products_in_bf16(accelerator.device.type, options.bf16):
            terms = losses(batch, noise)
        loss = _weighted(terms, stage.loss_weights)
        _check_finite(loss, terms, position)
        accelerator.backward(loss)
        norm = accelerator.clip_grad_norm_(losses.parameters(), options.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()

        position.step += 1
        position.samples_seen += options.batch
        position.seconds = time.monotonic() - begun
        average.update(network, options.batch, position.samples_seen)
        report.after_step({"loss": loss, **terms, "gradient_norm": norm})
        done = position.step == options.steps
        if not accelerator.is_main_process:
            continue
        if done or position.step % options.validate_every == 0:
            scores = {k: float(v) for k, v in stage.validate(average.network, unseen).items()}
            report.after_validation(scores)
            if scores[stage.decided_by] < position.best:
                position.best = scores[stage.decided_by]
                facts["training"] = _training_facts(options, position, accelerator.num_processes)
                facts["metrics"] = {"split": "valid", "decided_by": stage.decided_by, **scores}
                write_checkpoint(folder / "best", stage, space, average.network, facts)
        if done or position.step % options.save_every == 0:
            state = folder / "state.safetensors"
            save_state(state, network, average.network, optimizer, vars(position))
    progress(f"Training {stage.name}", total, total)
    report.close()
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        write_card(folder)
    return read_header(folder)[1]


def _windows(
    stage: Trainable,
    corpus: Corpus,
    clips: Corpus,
    space: Space,
    options: TrainingOptions,
    progress: Callable[[str, int, int], None],
) -> Windows:
    """Those of some clips of a corpus."""
    return Windows(
        clips,
        space.statistics,
        space.styles,
        stage.windows,
        options.balance,
        options.seed,
        stage.kept_features(corpus, progress) if isinstance(stage, Listening) else None,
    )


def _useful(stage: Trainable, clips: Corpus) -> Corpus:
    """The clips that the network learns from, or is validated on.

    Raises:
        AssetError: there are none.
    """
    if not isinstance(stage, Selective):
        return clips
    useful = [stage.learns_from(json.loads(text)) for text in clips.index["metadata"].tolist()]
    if not any(useful):
        raise AssetError(
            f"Of corpus '{clips.name}' no clip of split '{clips.index['split'][0]}' is of use to "
            f"{stage.name}. `kinevox train {stage.name} --help` says which clips it leaves out."
        )
    return clips.select(np.array(useful))


class _Losses(nn.Module):
    """The loss as a module, so that DistributedDataParallel sees all that happens in it."""

    def __init__(self, stage: Trainable, network: nn.Module):
        super().__init__()
        self.stage, self.network = stage, network

    def forward(self, batch: Batch, generator: Generator) -> Mapping[str, Tensor]:
        return self.stage.loss(self.network, batch, generator)


class _Steps:
    """Numbers of the windows of each batch, from a step to the last; one process's share."""

    def __init__(self, first: int, options: TrainingOptions, share: slice):
        self._first, self._options, self._share = first, options, share

    def __iter__(self) -> Iterator[list[int]]:
        size = self._options.batch
        for step in range(self._first, self._options.steps):
            yield list(range(step * size, (step + 1) * size))[self._share]

    def __len__(self) -> int:
        return max(self._options.steps - self._first, 0)


class _Loading(Dataset):
    """Windows as torch's loader wants them."""

    def __init__(self, windows: Windows | Mixture):
        self._windows = windows

    def __getitem__(self, number: int):
        return self._windows[number]


def _batches(
    windows: Windows | Mixture, first: int, options: TrainingOptions, share: slice
) -> Iterator[Batch]:
    return iter(
        DataLoader(
            _Loading(windows),
            batch_sampler=_Steps(first, options, share),  # type: ignore[arg-type]
            num_workers=options.workers,
            collate_fn=Batch.of,
        )
    )


def _accelerator() -> Any:
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise MissingExtraError("Training", "train") from error
    # Precision is this loop's own choice (`TrainingOptions.bf16`).
    return Accelerator(mixed_precision="no")


def _groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases and scales do not."""
    weights = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _seeded(seed: int, step: int, accelerator: Any) -> Generator:
    """Noise of one step in one process; torch's own generator, for dropout, is seeded too."""
    entropy = np.random.SeedSequence([seed, step, accelerator.process_index])
    dropout, noise = (int(word) for word in entropy.generate_state(2, np.uint64) >> 1)
    torch.manual_seed(dropout)
    return Generator(accelerator.device).manual_seed(noise)


def _weighted(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    assert terms.keys() == weights.keys(), f"terms {set(terms)}, weights {set(weights)}"
    return torch.stack([weights[name] * term for name, term in terms.items()]).sum()


def _check_finite(loss: Tensor, terms: Mapping[str, Tensor], position: Position) -> None:
    if not torch.isfinite(loss):
        listing = ", ".join(f"{name} {float(term.detach()):.4g}" for name, term in terms.items())
        raise KinevoxError(
            f"The loss is no number after {position.samples_seen:,} samples ({listing}). Lower the "
            "learning rate or the gradient clip, or train without bf16, in a new folder."
        )


def _training_facts(options: TrainingOptions, position: Position, processes: int) -> dict[str, Any]:
    return {
        "samples_seen": position.samples_seen,
        "steps": position.step,
        "seed": options.seed,
        "hours": round(position.seconds / 3600, 4),
        "processes": processes,
        "machine": run.machine(),
        "options": asdict(options),
    }
