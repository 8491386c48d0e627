"""File formats, one per file; `EXPORTERS` lists them by name, suffixes find them."""

from kinevox.catalog import Catalog
from kinevox.export._base import Animation, Exporter

EXPORTERS = Catalog("kinevox.export", "EXPORTER", "export format")

__all__ = ["EXPORTERS", "Animation", "Exporter"]
