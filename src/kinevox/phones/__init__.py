"""Phones and words with their times: found by ear, aligned to a text, or read from a file."""

from kinevox.phones._base import ARPABET, BILABIALS, SILENCE, Phones, Word
from kinevox.phones._find import find_phones, read_phones

__all__ = ["ARPABET", "BILABIALS", "SILENCE", "Phones", "Word", "find_phones", "read_phones"]
