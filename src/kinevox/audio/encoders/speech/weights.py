"""Weights of the encoder: one safetensors file in half precision, with what it is as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from kinevox.audio.encoders.speech.config import SpeechConfig
from kinevox.audio.encoders.speech.network import SpeechNetwork
from kinevox.errors import AssetError
from kinevox.files import written_whole

FORMAT, VERSION = "kinevox speech encoder", 1


def write_weights(path: Path, network: SpeechNetwork, facts: Mapping[str, Any]) -> None:
    """Writes a network in place of an older one.

    Args:
        facts: How and on what it was trained, and how well it does.
    """
    header = {
        "format": FORMAT,
        "version": VERSION,
        "config": asdict(network.config),
        **facts,
    }
    tensors = {name: t.detach().half().contiguous() for name, t in network.state_dict().items()}
    with written_whole(path) as temporary:
        save_file(tensors, temporary, {"kinevox": json.dumps(header)})


def read_weights(path: Path) -> tuple[SpeechNetwork, dict[str, Any]]:
    """A network for use on the CPU in single precision, and the facts written with it.

    Raises:
        AssetError: missing, damaged, or something else.
    """
    if not path.is_file():
        raise AssetError(f"There are no weights at {path}. `kinevox train speech` makes some.")
    try:
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()["kinevox"])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
        if header["format"] != FORMAT or header["version"] > VERSION:
            raise ValueError(f"it is '{header['format']}', version {header['version']}")
        config = header.pop("config")
        network = SpeechNetwork(SpeechConfig(**config | {"ahead": tuple(config["ahead"])}))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise AssetError(
            f"{path} holds no speech encoder of this kinevox ({reason}). Copy it again, or train "
            "one with `kinevox train speech`."
        ) from error
    return network.eval().requires_grad_(False), header


def digest_of(path: Path) -> str:
    """Sixteen characters that change with the weights."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
