"""Small things that are written in one word of a command line, such as 2.0:3.5."""

from __future__ import annotations

from collections.abc import Mapping

from kinevox.errors import ConfigError


def span(word: str, option: str) -> tuple[float, float]:
    """Two numbers with a colon between them; without the first from 0, without the last to the end.

    Raises:
        ConfigError: it is something else.
    """
    first, colon, last = word.partition(":")
    try:
        return float(first or (0 if last else "")), float(last or ("inf" if colon else ""))
    except ValueError:
        raise ConfigError(f"{option} is '{word}'; expected two numbers such as 0.5:1.") from None


def pose(word: str) -> tuple[float, str | Mapping[str, float]]:
    """A time and what stands there: 1.2=smile.npz, or 1.2=jawOpen:0.3,mouthPucker:0.5.

    Raises:
        ConfigError: it is something else.
    """
    time, _, what = word.partition("=")
    try:
        at = float(time)
        if not what:
            raise ValueError
    except ValueError:
        raise ConfigError(
            f"--pose is '{word}'; expected a time and a file or channels, such as 1.2=smile.npz or "
            "1.2=jawOpen:0.3,mouthPucker:0.5."
        ) from None
    try:
        pairs = [pair.rpartition(":") for pair in what.split(",")]
        return at, {name: float(value) for name, _, value in pairs}
    except ValueError:
        return at, what
