"""How English words sound: the dictionary, word parts it knows, then letter-to-sound rules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from kinevox.phones._base import Phones, Word
from kinevox.phones._letters import sound_out
from kinevox.phones._text import spoken_words
from kinevox.phones._tidy import Interval, contiguous

if TYPE_CHECKING:
    from pocketsphinx import Decoder

__all__ = ["known_share", "phones_of_words", "pronounce", "spoken_words", "spread", "variants"]

_BRITISH_LETTERS = {"z": (("Z", "EH", "D"),), "h": (("HH", "EY", "CH"),)}
_HISSING = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_VOICELESS = frozenset({"P", "T", "K", "F", "TH"})


def pronounce(word: str) -> tuple[str, ...]:
    """ARPAbet phones of one spoken word (lower case, a-z and apostrophes); never empty.

    The dictionary comes first, then its words with an English ending, then two of its words
    joined ("snowcat"), then rules.
    """
    word = word.strip("'")
    bare = word.replace("'", "")
    return _listed(word) or _inflected(word) or _joined(bare) or sound_out(bare)


def variants(word: str) -> tuple[tuple[str, ...], ...]:
    """All known pronunciations of a word, the usual one first, without repeats."""
    found = [pronounce(word)]
    while phones := _listed(f"{word}({len(found) + 1})"):
        found.append(phones)
    return tuple(dict.fromkeys([*found, *_BRITISH_LETTERS.get(word, ())]))


def spread(phones: Sequence[str], start: float, end: float) -> list[Interval]:
    """Phones of a word laid over its time [s]: vowels half as long again as consonants."""
    lengths = [1.5 if phone[0] in "AEIOU" else 1.0 for phone in phones]
    edges = start + (end - start) * np.cumsum([0.0, *lengths]) / sum(lengths)
    return [
        (phone, float(a), float(b))
        for phone, a, b in zip(phones, edges[:-1], edges[1:], strict=True)
    ]


def phones_of_words(words: Sequence[Word], seconds: float) -> Phones:
    """Phones where only the words and their times are known."""
    intervals = [
        interval
        for word in words
        for part, *span in [(spoken_words(word.text), word.start, word.end)]
        if part and word.end > word.start
        for interval in spread([p for w in part for p in pronounce(w)], *span)
    ]
    return contiguous(intervals, seconds, words)


def known_share(words: tuple[str, ...]) -> float:
    """Share of words that the dictionary lists: above 0.8 in English, below it elsewhere."""
    return sum(bool(_listed(word)) for word in words) / len(words) if words else 0.0


def _listed(word: str) -> tuple[str, ...]:
    return tuple((_dictionary().lookup_word(word) or "").split()) if word else ()


def _inflected(word: str) -> tuple[str, ...]:
    for ending in ("'s", "s", "ed", "d", "ing", "ly", "ness", "less"):
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        if phones := _listed(stem) or (ending == "ing" and _listed(stem + "e")) or ():
            return phones + _ending(ending, phones[-1])
    return ()


def _ending(ending: str, last: str) -> tuple[str, ...]:
    if ending in ("'s", "s"):
        if last in _HISSING:
            return ("IH", "Z")
        return ("S",) if last in _VOICELESS else ("Z",)
    if ending in ("ed", "d"):
        if last in ("T", "D"):
            return ("IH", "D")
        return ("T",) if last in _VOICELESS | _HISSING - {"Z", "ZH", "JH"} else ("D",)
    return {
        "ing": ("IH", "NG"),
        "ly": ("L", "IY"),
        "ness": ("N", "AH", "S"),
        "less": ("L", "AH", "S"),
    }[ending]


def _joined(word: str) -> tuple[str, ...]:
    # Halves of four letters or more: shorter ones are found by chance inside names.
    for cut in sorted(range(4, len(word) - 3), key=lambda cut: abs(2 * cut - len(word))):
        first, second = _listed(word[:cut]), _listed(word[cut:])
        if first and second:
            return first + second
    return ()


@cache
def _dictionary() -> Decoder:
    from pocketsphinx import Decoder, get_model_path

    return Decoder(hmm=f"{get_model_path('en-us')}/en-us", lm=None, loglevel="FATAL")
