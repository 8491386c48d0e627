"""A method from one line of text, as a command line gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kinevox.errors import ConfigError
from kinevox.methods._base import LearnedMethod, Method
from kinevox.methods._options import split_options, with_options
from kinevox.timing import stage

if TYPE_CHECKING:
    from kinevox.training import Trainable


def load_method(text: str) -> Method:
    """A method by name, or with weights of your own behind a colon: `regressor:runs/long`.

    What follows the colon is the folder of a run or checkpoint, or the name of a run in the cache.
    Behind an `@` stand options of sampling: `diffposetalk:runs/face@steps=4,style-scale=1.5`.

    Raises:
        UnknownNameError: no such method or option.
        ConfigError: weights for a method that takes none, or an option that does not fit.
        AssetError: there are no such weights.
    """
    from kinevox.methods import METHODS

    text, options = split_options(text)
    name, _, weights = text.partition(":")
    method = METHODS.get(name)
    if not weights:
        return with_options(method, options)
    if not isinstance(method, LearnedMethod):
        raise ConfigError(f"Method '{name}' takes no weights; write --method {name}.")
    from kinevox.training.run import run_folder

    with stage("weights"):
        loaded = method.load(run_folder(weights))
    return with_options(loaded, options)


def default_method() -> str:
    """What performs unless told otherwise: the diffusion where its weights are, else the rules."""
    from kinevox.methods import METHODS

    return "articulate" if METHODS.get("diffposetalk").bundled is None else "diffposetalk"


def trainables() -> Mapping[str, Trainable]:
    """Every network of every method that can be trained, by name, with default configuration."""
    from kinevox.methods import METHODS

    return {
        name: stage
        for _, method in METHODS
        if isinstance(method, LearnedMethod)
        for name, stage in method.stages.items()
    }
