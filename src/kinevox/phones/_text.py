"""Written English to the words that are spoken."""

from __future__ import annotations

import re
import unicodedata

from kinevox.phones import _numbers as numbers

_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
}
_SIGNS = {"&": "and", "+": "plus", "=": "equals", "@": "at", "%": "percent", "°": "degrees"}
_TITLES = {
    "mr.": "mister",
    "mrs.": "missus",
    "ms.": "miz",
    "dr.": "doctor",
    "st.": "saint",
    "prof.": "professor",
    "etc.": "et cetera",
    "vs.": "versus",
    "e.g.": "for example",
    "i.e.": "that is",
}
# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "th"})

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_TOKEN = re.compile(
    rf"""
    (?P<time>\b\d{{1,2}}:\d{{2}}\b)
  | (?P<money>[$€£¥])\s?(?P<amount>{_NUMBER})(?:\s(?P<scale>thousand|million|billion|trillion)\b)?
  | (?P<ordinal>\d[\d,]*)(?:st|nd|rd|th)\b
  | (?P<decade>\b(?:1[1-9]|20)\d0)'?s\b
  | (?P<number>(?<![\w.])-?(?:{_NUMBER}))
  | (?P<title>\b(?:mrs?|ms|dr|st|prof|etc|vs|e\.g|i\.e)\.)(?!\w)
  | (?P<initials>\b(?:[a-z]\.){{2,}})
  | (?P<word>[a-z]+(?:'[a-z]+)*'?)
  | (?P<sign>[&+=@%°])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def spoken_words(text: str) -> tuple[str, ...]:
    """The words one says when reading `text` aloud: lower case, a-z and apostrophes only.

    Numbers, years, times, money and signs are spelled out; initials and, in text of mixed case,
    capitals without a vowel are said letter by letter. Scripts other than Latin give no words.
    """
    text = unicodedata.normalize("NFKD", re.sub("[\u2018\u2019]", "'", text))
    text = "".join(c for c in text if not unicodedata.combining(c))
    mixed_case = any(c.islower() for c in text)
    return tuple(
        word
        for match in _TOKEN.finditer(text.translate(_LETTERS))
        for word in _spoken(match, mixed_case)
    )


def is_latin(text: str) -> bool:
    """Whether at least four letters of five are Latin."""
    letters = [c for c in text if c.isalpha()]
    latin = sum("LATIN" in unicodedata.name(c, "") for c in letters)
    return latin >= 0.8 * len(letters)


def _spoken(match: re.Match[str], mixed_case: bool) -> list[str]:
    kind, token = match.lastgroup, match.group()
    if match["time"]:
        return _clock(token)
    if match["money"]:
        return _money(match)
    if match["ordinal"]:
        return numbers.ordinal(int(match["ordinal"].replace(",", "")))
    if match["decade"]:
        *front, last = numbers.year(int(match["decade"]))
        return [*front, last[:-1] + "ies" if last.endswith("y") else last + "s"]
    if match["number"]:
        return _number(token)
    if kind == "title":
        return _TITLES[token.lower()].split()
    if kind == "sign":
        return [_SIGNS[token]]
    if kind == "initials":
        return list(token.lower().replace(".", ""))
    word = token.lower()
    if mixed_case and token.isupper() and 1 < len(token) < 6 and not re.search("[aeiouy]", word):
        return list(word)
    return [word.rstrip("'")]


def _clock(token: str) -> list[str]:
    hour, minute = (int(part) for part in token.split(":"))
    if minute == 0:
        return [*numbers.cardinal(hour), *(["o'clock"] if 0 < hour <= 12 else ["hundred"])]
    return [*numbers.cardinal(hour), *(["oh"] if minute < 10 else []), *numbers.cardinal(minute)]


def _money(match: re.Match[str]) -> list[str]:
    one, many, small_one, small_many = _CURRENCIES[match["money"]]
    amount = match["amount"].replace(",", "")
    if match["scale"]:
        return [*numbers.decimal(amount), match["scale"].lower(), many]
    whole, _, fraction = amount.partition(".")
    words = [*numbers.cardinal(int(whole or 0)), one if whole == "1" else many]
    if len(fraction) == 2 and int(fraction):
        cents = int(fraction)
        words += [*numbers.cardinal(cents), small_one if cents == 1 else small_many]
    elif fraction and int(fraction):
        words = [*numbers.decimal(amount), many]
    return words


def _number(token: str) -> list[str]:
    if token.startswith("-"):
        return ["minus", *_number(token[1:])]
    if len(token) == 4 and token.isdigit() and 1100 <= int(token) <= 2099:
        return numbers.year(int(token))
    if token.isdigit() and len(token) > 1 and token.startswith("0"):
        return numbers.digits(token)
    return numbers.decimal(token)
