"""Finds interchangeable parts by file name.

Every public module or package of a folder is one part, named as its file (underscores become
hyphens); a leading underscore marks a helper. Listing does not import anything. Other packages
add parts through entry points of the group `kinevox.<folder>`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from kinevox.errors import UnknownNameError


class Catalog:
    """The parts of one folder, e.g. `Catalog("kinevox.export", "EXPORTER", "export format")`."""

    def __init__(self, package: str, attribute: str, kind: str):
        self._package, self._attribute, self._kind = package, attribute, kind

    def names(self) -> tuple[str, ...]:
        """Names of all parts, sorted."""
        return tuple(sorted(self._sources()))

    def get(self, name: str):
        """The part itself.

        Raises:
            UnknownNameError: no such part; the nearest name is suggested.
        """
        sources = self._sources()
        if name not in sources:
            raise UnknownNameError(self._kind, name, sources)
        module, _, attribute = sources[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((name, self.get(name)) for name in self.names())

    @cache  # noqa: B019  (one catalogue per folder lives as long as the program)
    def _sources(self) -> dict[str, str]:
        path = importlib.import_module(self._package).__path__
        found = {
            module.name.replace("_", "-"): f"{self._package}.{module.name}:{self._attribute}"
            for module in pkgutil.iter_modules(path)
            if not module.name.startswith("_")
        }
        group = "kinevox." + self._package.rpartition(".")[2]
        return {point.name: point.value for point in entry_points(group=group)} | found
