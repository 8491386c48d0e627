"""Phones and words with their times: found by ear, aligned to a text, or read from a file."""

from kinevox.phones._base import SILENCE, Phones, Word

__all__ = ["SILENCE", "Phones", "Word"]
