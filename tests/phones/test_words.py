"""Text to spoken words to sounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinevox.phones import ARPABET, _numbers
from kinevox.phones._letters import sound_out
from kinevox.phones.pronounce import known_share, pronounce, spoken_words

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@given(st.text(LETTERS, min_size=1, max_size=20))
def test_every_word_of_letters_has_sounds(word):
    for phones in (pronounce(word), sound_out(word)):
        assert phones and set(phones) <= ARPABET


@given(st.text(max_size=40))
def test_any_text_gives_plain_words(text):
    for word in spoken_words(text):
        assert set(word) <= set(LETTERS + "'") and set(word) & set(LETTERS)


def _value(words: list[str]) -> int:
    """Reads a cardinal back: the opposite of what is tested, told a second way."""
    names = {name: n for n, name in enumerate(_numbers._SMALL)}
    names |= {name: 10 * n for n, name in enumerate(_numbers._TENS, 2)}
    scales = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
    total = group = 0
    for word in words:
        if word == "hundred":
            group *= 100
        elif word in scales:
            total, group = total + group * scales[word], 0
        else:
            group += names[word]
    return total + group


@given(st.integers(0, 10**9))
def test_cardinals_say_their_number(number):
    assert _value(_numbers.cardinal(number)) == number
    if not 1100 <= number <= 2099:
        assert list(spoken_words(f"{number:,}")) == _numbers.cardinal(number)


@given(st.integers(0, 10**9))
def test_ordinals_differ_from_cardinals_in_the_last_word_only(number):
    ordinal, cardinal = _numbers.ordinal(number), _numbers.cardinal(number)
    assert ordinal[:-1] == cardinal[:-1] and ordinal[-1] != cardinal[-1]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It's 5:30!", "it's five thirty"),
        ("at 7:05, or 12:00", "at seven oh five or twelve o'clock"),
        ("In 1984; in 2005", "in nineteen eighty four in two thousand five"),
        ("the 1990s", "the nineteen nineties"),
        ("$3.50 and £1", "three dollars fifty cents and one pound"),
        ("€2.5 million", "two point five million euros"),
        ("100% of 3.14", "one hundred percent of three point one four"),
        ("the 21st, 12th and 40th", "the twenty first twelfth and fortieth"),
        ("-5°", "minus five degrees"),
        ("agent 007", "agent zero zero seven"),
        ("Dr. Smith vs. the BBC", "doctor smith versus the b b c"),
        ("U.S.A.", "u s a"),
        ("the dogs\u2019 x-ray", "the dogs x ray"),
        ("CAFÉ", "cafe"),
        ("Москва 中文", ""),
    ],
)
def test_spoken_words(written, spoken):
    assert " ".join(spoken_words(written)) == spoken


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("maybe", "M EY B IY"),
        ("kinevoxes", "K IH N EH V AA K S IH Z"),
        ("snowcats", "S N OW K AE T S"),
        ("firefox", "F AY ER F AO K S"),
        ("moviemaker's", "M UW V IY M EY K ER Z"),
    ],
)
def test_pronunciations(word, phones):
    assert " ".join(pronounce(word)) == phones


def test_rules_keep_the_lips_of_listed_words():
    # On words the dictionary knows, the rules' lip-closing sounds are nearly always right.
    words = "problem number family important maybe simple possible bubble people member".split()
    for word in words:
        by_rule = [p for p in sound_out(word) if p in ("P", "B", "M")]
        assert by_rule == [p for p in pronounce(word) if p in ("P", "B", "M")], word


def test_english_is_told_from_its_neighbours():
    english = spoken_words("The book falls onto the sidewalk as the car vanishes.")
    german = spoken_words("Die Katze sitzt gemütlich zwischen großen Blumentöpfen draußen.")
    assert known_share(english) == 1.0 and known_share(german) < 0.75
