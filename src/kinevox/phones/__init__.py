"""Phones and words with their times: found by ear, aligned to a text, or read from a file."""

from kinevox.phones._base import ARPABET, SILENCE, Phones, Word
from kinevox.phones._find import find_phones, read_phones

__all__ = ["ARPABET", "SILENCE", "Phones", "Word", "find_phones", "read_phones"]
