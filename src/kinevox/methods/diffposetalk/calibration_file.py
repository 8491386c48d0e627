"""A network's calibration on disk: an npz beside its weights."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kinevox.errors import AssetError
from kinevox.files import written_whole
from kinevox.methods.diffposetalk.habits import SIZED, Habits
from kinevox.methods.diffposetalk.manner import Manners
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.sampling import Course
from kinevox.methods.diffposetalk.style_file import encoder_digest
from kinevox.pauses import OPENING


def write_calibration(path: Path, network: DiffPoseTalkNetwork, by: str) -> None:
    """Writes what was measured for a network; it belongs to its style encoder.

    Args:
        by: What it was measured on, for the record.
    """
    stored = {
        "encoder": np.array(encoder_digest(network.style_encoder)),
        "measured_on": np.array(by),
    }
    if network.drawn_in is not None:
        stored |= {name: np.array(value) for name, value in network.drawn_in._asdict().items()}
    for part, module, names in _modules(network.manners, network.habits):
        stored[part] = np.array(names)
        stored |= {f"{part}.{key}": t.numpy() for key, t in module.state_dict().items()}
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **stored)


def read_calibration(path: Path, network: DiffPoseTalkNetwork) -> None:
    """Reads what was measured for a network, and gives it that.

    Raises:
        AssetError: it is no such file, or belongs to another style encoder.
    """
    width = network.config.style_width
    manners = Manners(network.space.layout, network.style_encoder.columns, width)
    try:
        with np.load(path, allow_pickle=False) as stored:
            habits = Habits(width) if "habits" in stored else None
            drawn_in = None
            if "steps" in stored:
                drawn_in = Course(int(stored["steps"]), float(stored["spacing"]))
            same = str(stored["encoder"]) == encoder_digest(network.style_encoder)
            for part, module, names in _modules(manners, habits):
                same = same and stored[part].tolist() == names
                own = {k: torch.from_numpy(stored[f"{part}.{k}"]) for k in module.state_dict()}
                module.load_state_dict(own)
        if not same:
            raise ValueError("it belongs to another style encoder")
    except (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise AssetError(
            f"{path} does not fit the weights beside it ({error}). Make it again: `kinevox weights "
            "calibrate`, or remove it."
        ) from error
    network.manners, network.habits, network.drawn_in = manners, habits, drawn_in


def _modules(
    manners: Manners | None, habits: Habits | None
) -> list[tuple[str, nn.Module, list[str]]]:
    """The parts of a calibration that there are, with what their numbers stand for."""
    found: list[tuple[str, nn.Module, list[str]]] = []
    if manners is not None:
        found.append(("manners", manners, list(manners.names)))
    if habits is not None:
        found.append(("habits", habits, [*SIZED, *OPENING]))
    return found
