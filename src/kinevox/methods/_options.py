"""Options of sampling in one line of text: `diffposetalk:runs/face@steps=4,style-scale=1.5`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from kinevox.errors import ConfigError, UnknownNameError
from kinevox.methods._base import Method, SampledMethod, SamplingOptions

_TEXT = re.compile(r"(?P<name>.*?)@(?P<options>[\w-]+=[^@]*)")
GUIDANCE = "guidance"
"""`guidance=off` stands for both scales at 1: conditions as they are, asked for once."""


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the `@`, and the options behind it by name.

    Raises:
        ConfigError: an option has no value.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        return text, {}
    options = {}
    for item in found["options"].split(","):
        name, sign, value = (part.strip() for part in item.partition("="))
        if not (name and sign and value):
            raise ConfigError(f"'{item}' in '{text}' is not understood; write NAME=VALUE.")
        options[name] = value
    return found["name"], options


def with_options(method: Method, options: Mapping[str, str]) -> Method:
    """The method, drawing as the options say.

    Raises:
        UnknownNameError: no such option.
        ConfigError: a value does not fit, or the method draws nothing.
    """
    if not options:
        return method
    if not isinstance(method, SampledMethod):
        raise ConfigError(
            f"Method '{method.name}' draws nothing from noise, so it knows no "
            f"{', '.join(options)}; write it without '@'."
        )
    return method.with_sampling(sampling_options(options))


def sampling_options(options: Mapping[str, str]) -> SamplingOptions:
    """Options from text.

    Raises:
        UnknownNameError: no such option.
        ConfigError: a value does not fit.
    """
    known = {field.name.replace("_", "-"): field for field in fields(SamplingOptions)}
    chosen = SamplingOptions()
    for name, value in options.items():
        if name == GUIDANCE:
            _read(name, value, {"off": True}.__getitem__, "off")
            chosen = replace(chosen, audio_scale=1.0, style_scale=1.0)
        elif name not in known:
            raise UnknownNameError("sampling option", name, [*known, GUIDANCE])
        else:
            read, example = _KINDS[str(known[name].type).removesuffix(" | None")]
            chosen = replace(chosen, **{known[name].name: _read(name, value, read, example)})
    return chosen


def _read(name: str, value: str, read: Callable[[str], Any], example: str) -> Any:
    try:
        return read(value)
    except (ValueError, KeyError):
        raise ConfigError(f"{name} is '{value}'; write for instance {name}={example}.") from None


def _interval(value: str) -> tuple[float, float]:
    low, _, high = value.partition(":")
    return float(low), float(high)


_KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "int": (int, "4"),
    "float": (float, "1.5"),
    "tuple[float, float]": (_interval, "0.1:0.9"),
    "bool": ({"yes": True, "no": False}.__getitem__, "yes"),
    "str": (str, "ddim"),
}
"""How fields are read, by the text of their type, and an example."""
