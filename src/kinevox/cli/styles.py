"""`kinevox styles`: the named styles of a method."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import METHOD, print_json
from kinevox.errors import UnknownNameError


@dataclass(frozen=True)
class List:
    """List the named styles of a method."""

    method: METHOD = api.DEFAULT_METHOD
    """How motion is made."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        names = list(api.styles(self.method))
        if self.json:
            print_json(names)
        else:
            print(*names, sep="\n")
        return 0


@dataclass(frozen=True)
class Show:
    """Print the factors of a style."""

    name: Annotated[Positional[str], arg(metavar="NAME")]
    """One of `kinevox styles list`."""
    method: METHOD = api.DEFAULT_METHOD
    """How motion is made."""
    json: bool = False
    """Print JSON, which can be saved to a file, edited and given to --style."""

    def run(self) -> int:
        known = api.styles(self.method)
        if self.name not in known:
            raise UnknownNameError("style", self.name, known)
        factors = asdict(known[self.name])
        if self.json:
            print_json(factors)
        else:
            width = max(map(len, factors))
            print(*(f"{factor:{width}}  {value}" for factor, value in factors.items()), sep="\n")
        return 0


COMMAND = {"list": List, "show": Show}
