"""Speech nobody spoke: phones and prosody at random, as frequent and as long as in English.

Where only motion is known, recovery performs such speech instead of the speaker's own. Rates and
lengths are those of the recordings of corpus `performers`.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from kinevox.audio.prosody import Accent, Pause, Prosody
from kinevox.methods.articulate import Heard
from kinevox.phones import SILENCE, Phones
from kinevox.timebase import SAMPLE_RATE

_STRESSED_VOWELS = {
    "EH": 20, "AA": 16, "AE": 14, "OW": 12, "EY": 12, "AY": 11, "IY": 10, "IH": 10, "AO": 10,
    "AW": 6, "UW": 4, "OY": 3, "ER": 2, "UH": 2,
}  # fmt: skip
_OTHER_VOWELS = {
    "AH": 71, "IH": 45, "IY": 27, "ER": 25, "UW": 20, "UH": 19, "EH": 15, "OW": 13, "AA": 10,
    "AE": 10, "EY": 8, "AO": 6, "AY": 4, "AW": 1, "OY": 1,
}  # fmt: skip
_CONSONANTS = {
    "N": 68, "T": 51, "S": 43, "D": 40, "L": 39, "M": 34, "R": 32, "Z": 32, "K": 30, "DH": 26,
    "P": 23, "B": 22, "W": 21, "V": 19, "F": 17, "HH": 16, "G": 14, "TH": 13, "NG": 12, "SH": 12,
    "Y": 11, "JH": 8, "CH": 7, "ZH": 4,
}  # fmt: skip
"""Of a thousand phones."""
_PROSODY_RATE = 100
_STRESSED = 0.45
"""Share of syllables with stress."""
_APART = 0.28
"""Accents are at least this far apart [s]."""


def make_up(seconds: float, rng: np.random.Generator) -> Heard:
    """Speech of that length, by a speaker of a tempo and with pauses of his own."""
    script = _Script(rng)
    script.pause()
    while script.time < seconds:
        script.phrase()
        script.pause()
    ends = np.minimum(np.cumsum(script.lengths), seconds)
    starts = np.concatenate([[0.0], ends[:-1]])
    heard = int((ends - starts > 1e-3).sum())
    labels, starts, ends = tuple(script.labels[:heard]), starts[:heard], ends[:heard]
    times = np.arange(int(seconds * _PROSODY_RATE) + 1) / _PROSODY_RATE
    phone = np.clip(np.searchsorted(ends, times), 0, heard - 1)
    loudness = gaussian_filter1d(np.array(script.loudness)[phone], 0.02 * _PROSODY_RATE)
    still = np.zeros(len(times))
    prosody = Prosody(
        f0=np.full(len(times), np.nan),
        energy_db=still,
        loudness=loudness,
        pitch_semitones=still,
        speech_active=loudness > 0,
        accents=tuple(accent for accent in script.accents if accent.time < seconds),
        pauses=tuple(
            Pause(float(start), float(end))
            for label, start, end in zip(labels, starts, ends, strict=True)
            if label == SILENCE
        ),
    )
    return Heard(Phones(labels, starts, ends), prosody, round(seconds * SAMPLE_RATE))


class _Script:
    """Phones one after the other, with how loud they are and where accents fall."""

    def __init__(self, rng: np.random.Generator):
        self._rng = rng
        self._tempo = rng.lognormal(0, 0.12)
        self._pause = 0.56 * rng.lognormal(0, 0.35)
        self.time = 0.0
        self.labels: list[str] = []
        self.lengths: list[float] = []
        self.loudness: list[float] = []
        self.accents: list[Accent] = []

    def pause(self) -> None:
        length = self._pause * self._rng.lognormal(0, 0.75)
        self._add(SILENCE, float(np.clip(length, 0.16, 3.0)), 0.0)

    def phrase(self) -> None:
        stop = self.time + 0.2 + self._rng.gamma(1.6, 1.05)
        while self.time < stop:
            self._syllable()

    def _syllable(self) -> None:
        rng = self._rng
        for _ in range(rng.choice(3, p=[0.12, 0.68, 0.20])):
            self._consonant()
        stressed = rng.random() < _STRESSED
        length = (0.11 if stressed else 0.07) * rng.lognormal(0, 0.5) * self._tempo
        vowel = _drawn(_STRESSED_VOWELS if stressed else _OTHER_VOWELS, rng)
        self._add(vowel, length, rng.beta(4, 1.2) if stressed else rng.beta(2, 1.5))
        middle = self.time - length / 2
        if stressed and (not self.accents or middle - self.accents[-1].time > _APART):
            strength = float(np.clip(rng.normal(0.77, 0.2), 0.4, 1))
            self.accents.append(Accent(middle, strength))
        if rng.random() < 0.4:
            self._consonant()

    def _consonant(self) -> None:
        length = 0.076 * self._rng.lognormal(0, 0.5) * self._tempo
        self._add(_drawn(_CONSONANTS, self._rng), length, self._rng.beta(1, 2.5))

    def _add(self, label: str, length: float, loudness: float) -> None:
        self.labels.append(label)
        self.lengths.append(length)
        self.loudness.append(loudness)
        self.time += length


def _drawn(counts: dict[str, int], rng: np.random.Generator) -> str:
    shares = np.array([*counts.values()], dtype=float)
    return str(rng.choice([*counts], p=shares / shares.sum()))
