"""What a training takes over from one before: the space it was in, and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from kinevox.errors import AssetError
from kinevox.training._base import Space
from kinevox.training.checkpoint import read_header, read_space
from kinevox.training.run import run_folder

ORIGINS = ("taught_by", "from_run", "style_run")
"""Options of networks that name a run whose weights they begin with."""


def space_like(own: Space, run: str) -> Space:
    """Motion normalized as in another run, so that its weights mean the same.

    Raises:
        AssetError: there is no such run, or it is about other motion.
    """
    folder = run_folder(run)
    theirs = read_space(folder)
    if (theirs.layout, theirs.fps) != (own.layout, own.fps):
        raise AssetError(
            f"{folder} was trained on layout '{theirs.layout.name}' at {theirs.fps:g} fps; the "
            f"corpus has '{own.layout.name}' at {own.fps:g} fps, so its weights are of no use."
        )
    return replace(own, statistics=theirs.statistics)


def adopt(
    network: nn.Module,
    weights: Mapping[str, Tensor],
    own: Callable[[str], bool] = lambda name: False,
) -> None:
    """Puts trained weights into a new network.

    Args:
        own: Weights that the network may have beyond those, or keep, by name.

    Raises:
        AssetError: they are of another size.
    """
    expected = {name: weight.shape for name, weight in network.state_dict().items()}
    wrong = [name for name, weight in weights.items() if expected.get(name) != weight.shape]
    wrong += [name for name in expected if name not in weights and not own(name)]
    if wrong:
        raise AssetError(
            f"The weights to go on from belong to a network of another size ({', '.join(wrong[:3])}"
            "); give the sizes that it was trained with."
        )
    network.load_state_dict(weights, strict=False)


def history(header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The trainings whose weights a checkpoint began with, each before those that it began with.

    Args:
        header: Of the checkpoint. Runs that are gone are left out, but for those that packed
            weights tell of.
    """
    found: dict[str, dict[str, Any]] = {}

    def follow(header: Mapping[str, Any]) -> None:
        config = header["network"]["config"]
        for run in filter(None, map(config.get, ORIGINS)):
            folder = run_folder(run)
            if folder.name in found or not folder.is_dir():
                continue
            origin = read_header(folder)[1]
            training, data = origin["training"], origin["data"]
            found[folder.name] = {
                "run": folder.name,
                "network": origin["network"]["name"],
                "corpus": data["made"].get("command", data["name"]),
                **{name: training[name] for name in ("samples_seen", "steps", "hours")},
            }
            follow(origin)
            for training in origin.get("earlier", ()):
                found.setdefault(training["run"], training)

    follow(header)
    return list(found.values())
