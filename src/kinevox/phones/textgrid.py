"""Praat TextGrid, long and short form, UTF-8 or UTF-16, as also written by forced aligners."""

from __future__ import annotations

import re
from pathlib import Path

from kinevox.errors import MotionError
from kinevox.phones._base import Phones, Word
from kinevox.phones._labels import to_arpabet
from kinevox.phones._tidy import Interval, contiguous
from kinevox.phones.pronounce import phones_of_words

_PHONE_TIERS = ("phones", "phone", "phonemes", "phoneme", "phon", "mau", "segments", "segment")
_WORD_TIERS = ("words", "word", "ort", "ort-mau")

# The values of both forms come in the same order: the long form only names them besides.
_VALUE = re.compile(r'"((?:[^"]|"")*)"|(?<![\w\[."-])(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w\]:])')


def read(path: Path) -> Phones:
    """Phones and words of a TextGrid; from words alone, phones follow the dictionary.

    Raises:
        MotionError: not a TextGrid, or without a tier of phones or words.
    """
    tiers, seconds = _tiers(_text(Path(path)), path)
    phones = _named(tiers, _PHONE_TIERS)
    words = [
        Word(label.strip(), start, end)
        for label, start, end in _named(tiers, _WORD_TIERS) or ()
        if label.strip() and not label.startswith("<")
    ]
    if phones is None and not words:
        raise MotionError(
            f"{path} has tiers {', '.join(map(repr, tiers)) or 'none'}; expected interval tiers "
            "named 'phones' and, if wanted, 'words'."
        )
    if phones is None:
        return phones_of_words(words, seconds)
    try:
        labels = to_arpabet([label for label, _, _ in phones])
    except MotionError as error:
        raise MotionError(f"{path}: {error}") from None
    times = [(start, end) for _, start, end in phones]
    rows = [(label, *span) for label, span in zip(labels, times, strict=True)]
    return contiguous(rows, seconds, words)


def _text(path: Path) -> str:
    data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _tiers(text: str, path: Path) -> tuple[dict[str, list[Interval]], float]:
    if "TextGrid" not in text[:200]:
        raise MotionError(f"{path} is not a Praat TextGrid: its first lines do not say so.")
    body = text[text.index("TextGrid") + len('TextGrid"') :]
    values = iter(
        quoted.replace('""', '"') if not number else float(number)
        for quoted, number in _VALUE.findall(body)
    )

    def number() -> float:
        return float(next(values))

    tiers: dict[str, list[Interval]] = {}
    try:
        number()
        seconds = number()
        for _ in range(int(number())):
            kind, name = next(values), str(next(values)).strip()
            number()
            number()
            count = int(number())
            if kind == "IntervalTier":
                rows = [(number(), number(), str(next(values))) for _ in range(count)]
                tiers[name] = [(label, start, end) for start, end, label in rows]
            else:
                for _ in range(2 * count):
                    next(values)
    except (StopIteration, ValueError, RuntimeError) as error:
        raise MotionError(f"{path} is a broken or cut-off TextGrid ({error!r}).") from error
    return tiers, seconds


def _named(tiers: dict[str, list[Interval]], names: tuple[str, ...]) -> list[Interval] | None:
    """The first tier so named, in any case, also after a speaker ("Anna - phones")."""
    plain = {name.lower().rpartition(" - ")[2].strip(): rows for name, rows in tiers.items()}
    return next((plain[name] for name in names if name in plain), None)
