"""Small things that are written in one word of a command line, such as 2.0:3.5."""

from __future__ import annotations

from kinevox.errors import ConfigError


def span(word: str, option: str) -> tuple[float, float]:
    """Two numbers with a colon between them.

    Raises:
        ConfigError: it is something else.
    """
    first, _, last = word.partition(":")
    try:
        return float(first), float(last)
    except ValueError:
        raise ConfigError(f"{option} is '{word}'; expected two numbers such as 0.5:1.") from None
