# ruff: noqa: RUF001  (IPA letters look like others on purpose)
"""Phone times from files, and the law that phones have no gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinevox.errors import MotionError
from kinevox.phones import ARPABET, SILENCE, Phones, Word, json_times, read_phones
from kinevox.phones._labels import to_arpabet
from kinevox.phones._tidy import contiguous, fitted

LABELS = st.sampled_from(sorted(ARPABET | {SILENCE}))
INTERVALS = st.lists(
    st.tuples(LABELS, st.floats(-1, 20), st.floats(0, 2)).map(lambda t: (t[0], t[1], t[1] + t[2])),
    max_size=12,
)


def assert_contiguous(phones: Phones, seconds: float) -> None:
    assert phones.starts[0] == 0
    assert np.array_equal(phones.ends[:-1], phones.starts[1:])
    assert phones.ends[-1] == seconds
    assert (phones.ends > phones.starts).all()


@given(INTERVALS, st.floats(0.1, 15))
def test_any_intervals_become_phones_without_gaps(intervals, seconds):
    phones = contiguous(intervals, seconds)
    assert_contiguous(phones, seconds)
    assert (SILENCE, SILENCE) not in zip(phones.labels, phones.labels[1:], strict=False)


@given(INTERVALS, st.floats(0.1, 15), st.floats(0.1, 20))
def test_fitting_keeps_what_fits(intervals, seconds, other):
    phones = contiguous(intervals, seconds)
    assert_contiguous(fitted(phones, other), other)
    again = fitted(phones, seconds)
    assert again.labels == phones.labels and np.array_equal(again.starts, phones.starts)


@given(INTERVALS, st.floats(0.1, 15))
def test_json_gives_back_what_was_written(intervals, seconds):
    phones = contiguous(intervals, seconds, [Word("wörd", 0.0, seconds / 2)], "aligned")
    again = json_times.from_json(json_times.to_json(phones))
    assert again.labels == phones.labels
    assert np.array_equal(again.starts, phones.starts)
    assert np.array_equal(again.ends, phones.ends)
    assert again.words == phones.words and again.origin == "aligned"


LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.0
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "Anna - Words"
        xmin = 0
        xmax = 1.0
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.2
            text = ""
        intervals [2]:
            xmin = 0.2
            xmax = 0.7
            text = "my ""2nd"" map"
        intervals [3]:
            xmin = 0.7
            xmax = 1.0
            text = ""
    item [2]:
        class = "TextTier"
        name = "notes"
        xmin = 0
        xmax = 1.0
        points: size = 1
        points [1]:
            number = 0.5
            mark = "here = 3"
    item [3]:
        class = "IntervalTier"
        name = "Anna - PHONES"
        xmin = 0
        xmax = 1.0
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 0.2
            text = "sil"
        intervals [2]:
            xmin = 0.2
            xmax = 0.3
            text = "M"
        intervals [3]:
            xmin = 0.3
            xmax = 0.5
            text = "AY1"
        intervals [4]:
            xmin = 0.5
            xmax = 0.7
            text = "P"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1.0
<exists>
3
"IntervalTier"
"Anna - Words"
0
1.0
3
0
0.2
""
0.2
0.7
"my ""2nd"" map"
0.7
1.0
""
"TextTier"
"notes"
0
1.0
1
0.5
"here = 3"
"IntervalTier"
"Anna - PHONES"
0
1.0
4
0
0.2
"sil"
0.2
0.3
"M"
0.3
0.5
"AY1"
0.5
0.7
"P"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", [LONG, SHORT], ids=["long", "short"])
def test_textgrid_in_every_form(tmp_path, text, encoding):
    path = tmp_path / "clip.TextGrid"
    path.write_text(text, encoding=encoding)
    phones = read_phones(path)
    assert phones.labels == ("SIL", "M", "AY", "P", "SIL")
    assert phones.ends.tolist() == [0.2, 0.3, 0.5, 0.7, 1.0]
    assert phones.words == (Word('my "2nd" map', 0.2, 0.7),)
    assert phones.origin == "given"


def test_textgrid_of_words_alone_takes_phones_from_the_dictionary(tmp_path):
    path = tmp_path / "clip.TextGrid"
    path.write_text(LONG.replace("PHONES", "other"))
    assert "".join(read_phones(path).labels) == "SILMAYSEHKAHNDMAEPSIL"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hello", "not a Praat TextGrid"),
        (LONG[:600], "cut-off"),
        (SHORT.replace("PHONES", "a").replace("Words", "b"), "'Anna - a'"),
        (SHORT.replace('"M"', '"@!"'), "'@!'"),
    ],
)
def test_bad_textgrids_are_explained(tmp_path, text, complaint):
    path = tmp_path / "clip.textgrid"
    path.write_text(text)
    with pytest.raises(MotionError, match=complaint):
        read_phones(path)


def test_ctm_of_phones_and_of_words(tmp_path):
    path = tmp_path / "clip.ctm"
    path.write_text(";; comment\nrec 1 0.10 0.20 M_B 0.9\nrec 1 0.30 0.20 iy1_E\n")
    phones = read_phones(path)
    assert phones.labels == ("SIL", "M", "IY")
    assert phones.ends.tolist() == pytest.approx([0.1, 0.3, 0.5])
    path.write_text("rec 1 0.10 0.20 map\nrec 1 0.5 0.2 book\n")
    phones = read_phones(path)
    assert phones.labels == ("SIL", "M", "AE", "P", "SIL", "B", "UH", "K")
    assert [word.text for word in phones.words] == ["map", "book"]


@pytest.mark.parametrize("text", ["", "rec 1 0.1 M\n", "a 1 0 1 M\nb 1 0 1 M\n"])
def test_bad_ctm_is_explained(tmp_path, text):
    path = tmp_path / "clip.ctm"
    path.write_text(text)
    with pytest.raises(MotionError, match="expected"):
        read_phones(path)


def test_json_of_other_tools(tmp_path):
    path = tmp_path / "clip.json"
    path.write_text(
        '{"start": 0, "end": 1.0, "tiers": {"words": {"type": "interval", "entries":'
        '[[0.1, 0.5, "my"]]}, "phones": {"type": "interval", "entries":'
        '[[0.1, 0.2, "mʲ"], [0.2, 0.5, "aj"]]}}}'
    )
    phones = read_phones(path)
    assert phones.labels == ("SIL", "M", "AY", "SIL") and phones.seconds == 1.0
    path.write_text(
        '{"mouthCues": [{"start": 0, "end": 0.1, "value": "X"},'
        '{"start": 0.1, "end": 0.3, "value": "A"}]}'
    )
    assert read_phones(path).labels == ("SIL", "M")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"phones": [{"label": "AA"}]}', "\x00"])
def test_bad_json_is_explained(tmp_path, text):
    path = tmp_path / "clip.json"
    path.write_text(text)
    with pytest.raises(MotionError, match=r"clip\.json"):
        read_phones(path)


def test_unknown_suffix_and_missing_file_are_explained(tmp_path):
    with pytest.raises(MotionError, match=r"\.TextGrid"):
        read_phones(tmp_path / "clip.txt")
    with pytest.raises(MotionError, match="no file"):
        read_phones(tmp_path / "clip.ctm")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("AA1 SH HH sil spn", "AA SH HH SIL SIL"),
        ("aa1 y uw h# axr dx", "AA Y UW SIL ER D"),
        ("ɑː tʃ dʒ ŋ ə ɝ ɹ θ ð y j", "AA CH JH NG AH ER R TH DH UW Y"),
        ("pʰ kʷ m̩ ow aj ɡ ɫ̩ ç ʁ ɑ̃", "P K M OW AY G L HH R AA"),
    ],
)
def test_labels_of_other_alphabets(labels, expected):
    assert " ".join(to_arpabet(labels.split())) == expected
