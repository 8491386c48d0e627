"""A style between others: calm:0.3,somebody.style:0.7."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from kinevox.api._styles import style_of
from kinevox.api._values import PathLike, Progress
from kinevox.errors import ConfigError
from kinevox.methods import METHODS, Method, StyleMixer


def mixed_style(performer: Method, style: PathLike | None, progress: Progress | None) -> Any:
    """A style by name, file or clip, or a mixture of such.

    Raises:
        ConfigError: weights that are none, or a method that cannot mix.
    """
    parts = style_parts(performer, style)
    if len(parts) == 1:
        return style_of(performer, style, progress)
    if not isinstance(performer, StyleMixer):
        able = [name for name, other in METHODS if isinstance(other, StyleMixer)]
        raise ConfigError(
            f"Method '{performer.name}' cannot mix styles; methods that can: {', '.join(able)}."
        )
    total = sum(weight for _, weight in parts)
    if not total > 0:
        raise ConfigError(f"The weights of '{style}' add up to {total:g}; one must be above 0.")
    styles = [style_of(performer, name, progress) for name, _ in parts]
    return performer.mix_styles(styles, [weight / total for _, weight in parts])


def style_name(performer: Method, style: PathLike | None) -> str:
    """What to call a style in the notes of a result."""
    parts = style_parts(performer, style)
    if len(parts) == 1:
        return Path(parts[0][0]).name
    return ",".join(f"{Path(name).name}:{weight:g}" for name, weight in parts)


def style_parts(performer: Method, style: PathLike | None) -> list[tuple[str, float]]:
    """Names or files with their weights; a single one is meant as it is written.

    Raises:
        ConfigError: a weight is negative or not finite.
    """
    text = "neutral" if style is None else str(style)
    if "," not in text or text in performer.styles() or Path(text).exists():
        return [(text, 1.0)]
    parts = [_part(word) for word in text.split(",")]
    for name, weight in parts:
        if not name or not (math.isfinite(weight) and weight >= 0):
            raise ConfigError(
                f"'{text}' is no mixture of styles; expected names or files with weights, such as "
                "calm:0.3,somebody.style:0.7."
            )
    return parts


def _part(word: str) -> tuple[str, float]:
    """A name and its weight; without one it is 1."""
    name, colon, weight = word.strip().rpartition(":")
    if not colon:
        return weight, 1.0
    try:
        return name, float(weight)
    except ValueError:
        return word.strip(), 1.0
