"""Numbers as English words."""

from __future__ import annotations

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_THOUSANDS = ("", "thousand", "million", "billion", "trillion", "quadrillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def cardinal(number: int) -> list[str]:
    """42 is "forty two"; above a quintillion the digits are read one by one."""
    if number < 0:
        return ["minus", *cardinal(-number)]
    if number < 20:
        return [_SMALL[number]]
    if number < 100:
        return [_TENS[number // 10 - 2], *([_SMALL[number % 10]] if number % 10 else [])]
    if number < 1000:
        rest = number % 100
        return [_SMALL[number // 100], "hundred", *(cardinal(rest) if rest else [])]
    if number >= 1000 ** len(_THOUSANDS):
        return digits(str(number))
    words: list[str] = []
    for name in _THOUSANDS:
        number, group = divmod(number, 1000)
        if group:
            words = [*cardinal(group), *([name] if name else []), *words]
    return words


def ordinal(number: int) -> list[str]:
    """42 is "forty second"."""
    *front, last = cardinal(number)
    if last.endswith("y"):
        return [*front, last[:-1] + "ieth"]
    return [*front, _ORDINALS.get(last, last + "th")]


def year(number: int) -> list[str]:
    """1984 is "nineteen eighty four"; 2005 is "two thousand five"."""
    century, rest = divmod(number, 100)
    if not 1100 <= number <= 2099 or (century == 20 and rest < 10):
        return cardinal(number)
    if rest == 0:
        return [*cardinal(century), "hundred"]
    return [*cardinal(century), *(["oh"] if rest < 10 else []), *cardinal(rest)]


def digits(text: str) -> list[str]:
    """Each digit by name."""
    return [_SMALL[int(digit)] for digit in text]


def decimal(text: str) -> list[str]:
    """A number as written, "3.14" or "1,250.5"."""
    whole, _, fraction = text.replace(",", "").partition(".")
    words = cardinal(int(whole)) if whole else ["zero"]
    return [*words, "point", *digits(fraction)] if fraction else words
