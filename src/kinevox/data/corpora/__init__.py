"""Corpora to make or to convert, one per file; `CORPORA` lists them by name."""

from kinevox.catalog import Catalog
from kinevox.data.corpora._base import CorpusPart, MakeOptions, Reader

CORPORA = Catalog("kinevox.data.corpora", "CORPUS", "corpus")

__all__ = ["CORPORA", "CorpusPart", "MakeOptions", "Reader"]
