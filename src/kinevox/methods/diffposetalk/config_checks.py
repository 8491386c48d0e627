"""Whether the numbers and names of a configuration can be meant."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

from kinevox.errors import ConfigError, UnknownNameError
from kinevox.timebase import FPS
from kinevox.training import Space


def check_counts(config: Any, *names: str, least: int = 1) -> None:
    """Raises ConfigError where a number is less."""
    for name in names:
        if getattr(config, name) < least:
            raise ConfigError(f"{name} is {getattr(config, name)}; at least {least} is expected.")


def check_shares(config: Any, *names: str) -> None:
    """Raises ConfigError where a number is no share."""
    for name in names:
        if not 0 <= getattr(config, name) <= 1:
            raise ConfigError(f"{name} is {getattr(config, name)}; it is a share from 0 to 1.")


def check_choices(config: Any) -> None:
    """Raises UnknownNameError where a field that has a few choices holds something else."""
    for name, kind in get_type_hints(type(config)).items():
        if get_origin(kind) is Literal and (value := getattr(config, name)) not in get_args(kind):
            raise UnknownNameError(name, str(value), get_args(kind))


def check_sizes(width: int, layers: int, heads: int, dropout: float) -> None:
    """Raises ConfigError where no transformer can be built."""
    if min(width, layers, heads) < 1 or width % (2 * heads):
        raise ConfigError(
            f"width is {width}, heads {heads}, layers {layers}; the width must be a multiple of "
            "twice the heads, and all must be positive."
        )
    if not 0 <= dropout < 1:
        raise ConfigError(f"dropout is {dropout}; it is a share below 1.")


def check_rate(space: Space) -> None:
    """Raises ConfigError where motion has another clock than hearing and dynamics."""
    if space.fps != FPS:
        raise ConfigError(
            f"The corpus has {space.fps:g} frames per second; diffposetalk is made for {FPS:g}. "
            f"Resample it, with `Motion.resample({FPS:g})`; what is performed can have any rate."
        )
