"""Checkpoints: weights in safetensors, everything else in JSON. Nothing is pickled.

    RUN/
      config.json            what was asked for (`run.py`)
      best/
        checkpoint.json      configuration, space, scores, how and on what it was trained
        weights-N.safetensors
        calibration.npz      where `kinevox weights calibrate` measured what styles let expect
        card.md
      state.safetensors      everything an interrupted training goes on from
      log/                   TensorBoard

`checkpoint.json` names its weights and is replaced last, so it is whole at any moment; so is the
state, as one file. N counts the samples seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kinevox.data.normalize import Statistics
from kinevox.data.store import LAYOUTS
from kinevox.errors import AssetError
from kinevox.files import written_whole
from kinevox.timebase import SAMPLE_RATE
from kinevox.training._base import Space, Trainable

FORMAT, VERSION = "kinevox checkpoint", 1
CALIBRATION = "calibration.npz"
"""File beside the weights with what was measured on people for them."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network."""

    stage: Trainable
    """Its configuration."""
    network: nn.Module
    """Ready to use, on the CPU."""
    space: Space
    header: Mapping[str, Any]
    """All of `checkpoint.json`."""


def write_checkpoint(
    folder: Path,
    stage: Trainable,
    space: Space,
    network: nn.Module,
    facts: Mapping[str, Any],
    *,
    half: bool = False,
) -> None:
    """Writes a checkpoint in place of an older one, which stays whole until the last moment; but
    for its calibration, which has to be measured again.

    Args:
        facts: What else the card needs: `training` (with `samples_seen`), `data`, `metrics`, ...
        half: In half precision, which is half as large; read, it is single precision again.
    """
    weights = f"weights-{facts['training']['samples_seen']:010d}.safetensors"
    with written_whole(folder / weights) as temporary:
        save_file(_plain(network, half), temporary)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "network": {"name": stage.name, "config": asdict(stage)},
        "space": _space_as_json(space),
        **facts,
        "weights": weights,
    }
    with written_whole(folder / "checkpoint.json") as temporary:
        temporary.write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")
    # What was measured on other weights is not true of these.
    (folder / CALIBRATION).unlink(missing_ok=True)
    for old in folder.glob("weights-*.safetensors"):
        if old.name != weights:
            old.unlink()


def read_header(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The JSON of a checkpoint, and the folder it is in: the one given, or its `best`.

    Raises:
        AssetError: there is no checkpoint of ours.
    """
    found = [place for place in (folder, folder / "best") if (place / "checkpoint.json").is_file()]
    if not found:
        raise AssetError(
            f"{folder} holds no checkpoint (checkpoint.json or best/checkpoint.json). "
            "`kinevox train` makes one; its first comes with the first validation."
        )
    path = found[0] / "checkpoint.json"
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AssetError(f"{path} is not readable as JSON ({error}). Copy it again.") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise AssetError(f"{path} was not written by `kinevox train`; it cannot be used.")
    if header["version"] > VERSION:
        raise AssetError(
            f"{path} has version {header['version']}; this kinevox reads up to {VERSION}. "
            "Update kinevox."
        )
    return found[0], header


def read_checkpoint(folder: str | Path, prototype: Trainable) -> Checkpoint:
    """A trained network.

    Args:
        folder: Of the checkpoint, or of the run that made it.
        prototype: Any configuration of the network that is expected.

    Raises:
        AssetError: missing, broken, foreign, or of another network.
    """
    place, header = read_header(Path(folder))
    name = header["network"]["name"]
    if name != prototype.name:
        raise AssetError(
            f"{place} holds network '{name}', not '{prototype.name}'. "
            f"Give the folder of a `kinevox train {prototype.name}`."
        )
    try:
        stage = type(prototype)(**_tuples(header["network"]["config"]))
        space = _space_from_json(header["space"])
        network = stage.build(space).eval()
        network.load_state_dict(load_file(place / header["weights"]))
    except FileNotFoundError as error:
        raise AssetError(f"{place} lacks {header['weights']}. Copy the whole folder.") from error
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise AssetError(
            f"{place} does not fit network '{name}' of this kinevox ({type(error).__name__}: "
            f"{reason}). It is damaged, or was made by a version that is too different."
        ) from error
    return Checkpoint(stage, network, space, header)


def read_space(folder: Path) -> Space:
    """The space of a checkpoint or of the best one of a run.

    Raises:
        AssetError: missing, broken or foreign.
    """
    place, header = read_header(folder)
    try:
        return _space_from_json(header["space"])
    except (KeyError, TypeError, ValueError) as error:
        raise AssetError(f"{place} does not tell its space ({error}). Copy it again.") from error


def save_state(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    facts: Mapping[str, Any],
) -> None:
    """Everything a training goes on from, in one file. Noise and order follow from the step."""
    tensors = {f"network.{k}": v for k, v in _plain(network).items()}
    tensors |= {f"average.{k}": v for k, v in _plain(average).items()}
    for number, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{k}": v.cpu() for k, v in values.items()}
    with written_whole(path) as temporary:
        save_file(tensors, temporary, {"state": json.dumps(dict(facts))})


def load_state(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Puts a saved state back, and returns its facts.

    Raises:
        AssetError: the file is damaged or belongs to another network.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads(file.metadata()["state"])
        tensors = load_file(path)
        network.load_state_dict(_under("network", tensors))
        average.load_state_dict(_under("average", tensors))
        values: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer", tensors).items():
            number, _, key = name.partition(".")
            values.setdefault(int(number), {})[key] = tensor
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": values, "param_groups": groups})
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise AssetError(
            f"{path} is no state of this training ({str(error).strip().splitlines()[-1].strip()}). "
            "Remove it to start again, or give another --out."
        ) from error
    return facts


def _plain(network: nn.Module, half: bool = False) -> dict[str, Tensor]:
    state = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    return {name: value.contiguous() for name, value in state.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _tuples(config: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples they were."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}


def _space_as_json(space: Space) -> dict[str, Any]:
    return {
        "layout": space.layout.name,
        "channels": space.layout.names,
        "fps": space.fps,
        "sample_rate": SAMPLE_RATE,
        "mean": space.statistics.mean.tolist(),
        "std": space.statistics.std.tolist(),
        "styles": space.styles,
    }


def _space_from_json(raw: Mapping[str, Any]) -> Space:
    layout = LAYOUTS[raw["layout"]]
    if list(layout.names) != raw["channels"]:
        raise ValueError(f"layout '{layout.name}' has other channels here")
    if raw["sample_rate"] != SAMPLE_RATE:
        raise ValueError(f"sound at {raw['sample_rate']} Hz, here it is {SAMPLE_RATE}")
    mean, std = (np.array(raw[name], np.float32) for name in ("mean", "std"))
    return Space(layout, raw["fps"], Statistics(mean, std), tuple(raw["styles"]))
