"""A network on disk: a checkpoint, and the speech encoder that belongs to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.training.checkpoint import read_checkpoint, read_header


def read_network(folder: Path) -> tuple[DiffPoseTalkNetwork, Path]:
    """The network of a run or checkpoint, without its calibration, and the folder it is in.

    A speech encoder in a folder `encoder` beside the weights belongs to them.

    Raises:
        AssetError: there are no weights, or they belong to another network.
    """
    place, header = read_header(folder)
    network = cast("DiffPoseTalkNetwork", read_checkpoint(place, DiffPoseTalkConfig()).network)
    network.hears = header.get("hears")
    if (own := place / "encoder").is_dir():
        network.config = replace(network.config, encoder=f"{network.config.encoder}:{own}")
    return network, place
