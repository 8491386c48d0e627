"""Corpora: clips of speech and motion, on disk and in windows for training."""

from kinevox.data.record import SPLITS, Record
from kinevox.data.store import Corpus

__all__ = ["SPLITS", "Corpus", "Record"]
