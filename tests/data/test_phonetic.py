"""Packed speech with labels: what programs say, and what training makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import vowel

from kinevox.data.phonetic import espeak
from kinevox.data.phonetic.examples import Examples
from kinevox.data.phonetic.pack import (
    PHONES,
    UNKNOWN,
    Labelled,
    Part,
    Passage,
    frame_labels,
    is_packed,
    write_part,
)
from kinevox.errors import AssetError, AudioError
from kinevox.phones import SILENCE, Phones


def passage(speaker: str = "a", split: str = "train", group: str = "real") -> Passage:
    return Passage(speaker, split, group, "en")


def spoken(seconds: float, **who: str) -> Labelled:
    """Half silence, half a vowel."""
    samples = vowel(seconds).astype(np.float32)
    samples[: len(samples) // 2] = 0
    labels = np.full(len(samples) // 160, PHONES.index("AA"))
    labels[: len(labels) // 2] = 0
    return Labelled(passage(**who), samples, labels)


@pytest.fixture
def part(tmp_path: Path) -> Part:
    write_part(
        tmp_path / "part",
        [spoken(3.0), spoken(5.5, speaker="b"), spoken(0.4), spoken(6.0, split="valid")],
    )
    return Part(tmp_path / "part")


def test_labels_are_those_at_the_middle_of_each_hop() -> None:
    starts, ends = np.array([0, 0.034, 0.044]), np.array([0.034, 0.044, 1])
    phones = Phones(("SIL", "P", "unknown"), starts, ends)
    labels = frame_labels(phones, 8 * 160).tolist()
    assert labels == [0, 0, 0, PHONES.index("P"), *[UNKNOWN] * 4]


def test_what_is_packed_comes_back(part: Part) -> None:
    # Too short ones are left out.
    assert [p.frames for p in part.passages] == [300, 550, 600]
    second = part.passages[1]
    samples, (phones, pitch) = part.samples(second), part.labels(second)
    assert len(samples) == 160 * 550 and np.abs(samples).max() == pytest.approx(0.7, abs=1e-3)
    assert not samples[: 160 * 274].any()
    assert phones.tolist() == [0] * 275 + [PHONES.index("AA")] * 275
    assert np.isnan(pitch[:250]).all()
    assert np.isfinite(pitch[300:500]).mean() > 0.9


def test_a_part_that_was_interrupted_is_none(tmp_path: Path) -> None:
    def material():
        yield spoken(2.0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_part(tmp_path, material())
    assert not is_packed(tmp_path)
    with pytest.raises(AssetError, match=r"index\.json"):
        Part(tmp_path)


def test_a_number_decides_an_example(part: Part) -> None:
    one, same, other = (Examples([part], 400)[n] for n in (7, 7, 8))
    for name in ("samples", "clean", "phones", "pitch"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert not np.array_equal(one.samples, other.samples)
    assert one.samples.shape == (64_000,) and one.phones.shape == (400,)


def test_labels_stay_with_their_sound(part: Part) -> None:
    """At every tempo the vowel is where its label is."""
    for number in range(20):
        example = Examples([part], 300)[number]
        loud = np.abs(example.clean.reshape(-1, 160)).max(axis=1) > 0.05
        assert (loud == (example.phones != PHONES.index(SILENCE))).mean() > 0.97


def test_a_split_without_passages_is_refused(part: Part) -> None:
    with pytest.raises(AssetError, match="split 'test'"):
        Examples([part], 300, split="test")[0]


@pytest.mark.skipif(not espeak.is_installed(), reason="needs eSpeak NG")
def test_espeak_says_when_each_phone_begins() -> None:
    samples, phones = espeak.say("en-us+m3", "Peter bought five maps.")
    labels = [label for label in phones.labels if label != SILENCE]
    assert labels[:4] == ["P", "IY", "D", "ER"] and labels[-4:] == ["M", "AE", "P", "S"]
    assert phones.seconds == pytest.approx(len(samples) / 16_000)
    # Hissing is where it is told.
    where = next(i for i in range(len(phones) - 1, -1, -1) if phones.labels[i] == "S")
    start, end = phones.starts[where], phones.ends[where]
    crossings = np.abs(np.diff(np.sign(samples))) > 0
    inside = crossings[int(start * 16_000) : int(end * 16_000)].mean()
    assert inside > 3 * crossings[: int(start * 16_000)].mean()


@pytest.mark.skipif(not espeak.is_installed(), reason="needs eSpeak NG")
def test_espeak_says_when_it_lacks_a_voice() -> None:
    with pytest.raises(AudioError, match="klingon"):
        espeak.say("klingon-nowhere", "nuqneH")
