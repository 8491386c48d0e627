"""Ways to turn speech into motion, one per file or folder; `METHODS` lists them by name."""

from kinevox.catalog import Catalog
from kinevox.methods._base import Method

METHODS = Catalog("kinevox.methods", "METHOD", "method")

__all__ = ["METHODS", "Method"]
