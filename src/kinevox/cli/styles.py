"""`kinevox styles`: the named styles of a method."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import METHOD, print_json
from kinevox.errors import UnknownNameError


def list_styles(method: METHOD = api.DEFAULT_METHOD, json: bool = False) -> int:
    """List the named styles of a method.

    Args:
        method: How motion is made.
        json: Print the result as JSON.
    """
    names = list(api.styles(method))
    if json:
        print_json(names)
    else:
        print(*names, sep="\n")
    return 0


def show_style(
    name: Annotated[Positional[str], arg(metavar="NAME")],
    /,
    method: METHOD = api.DEFAULT_METHOD,
    json: bool = False,
) -> int:
    """Print the factors of a style.

    Args:
        name: One of `kinevox styles list`.
        method: How motion is made.
        json: Print JSON, which can be saved to a file, edited and given to --style.
    """
    known = api.styles(method)
    if name not in known:
        raise UnknownNameError("style", name, known)
    factors = asdict(known[name])
    if json:
        print_json(factors)
    else:
        width = max(map(len, factors))
        print(*(f"{factor:{width}}  {value}" for factor, value in factors.items()), sep="\n")
    return 0


COMMAND = {"list": list_styles, "show": show_style}
