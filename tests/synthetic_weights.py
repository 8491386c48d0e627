"""Trained weights as far as tests need them: a tiny network with the facts of a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from kinevox.methods import METHODS
from kinevox.training.checkpoint import write_checkpoint

FACTS: dict[str, Any] = {
    "data": {
        "name": "toy",
        "digest": "0" * 16,
        "splits": {"train": {"clips": 1, "hours": 0.1, "speakers": 1, "styles": 1}},
        "hours_by_licence": {"CC0-1.0": 0.1},
        "hours_by_language": {"en": 0.1},
        "made": {},
    },
    "kinevox": "0.1.0",
    "code": "0123456789ab",
    "training": {
        "samples_seen": 64,
        "steps": 4,
        "seed": 0,
        "hours": 0.0,
        "processes": 1,
        "machine": "a machine",
        "options": {},
    },
    "metrics": {"split": "valid", "decided_by": "error", "error": 1.0},
}


def tiny_diffposetalk(folder: Path, **config: Any) -> Path:
    """A checkpoint of an untrained network, as `kinevox train diffposetalk` leaves it."""
    tiny = METHODS.get("diffposetalk").debug().network
    stage = replace(tiny.config, **config)
    network = stage.build(tiny.space)
    network.load_state_dict(tiny.state_dict() | {"sound.weight": network.sound.weight.detach()})
    write_checkpoint(folder, stage, tiny.space, network, FACTS)
    return folder
