"""eSpeak NG's voices in many languages, through its library, which tells when each phone begins."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import soxr
from jaxtyping import Float

from kinevox.data.corpora._sentences import make_sentence
from kinevox.data.phonetic.pack import Labelled, Passage, frame_labels
from kinevox.errors import AudioError, MotionError
from kinevox.phones import SILENCE, Phones
from kinevox.phones._labels import to_arpabet
from kinevox.phones._tidy import contiguous
from kinevox.timebase import SAMPLE_RATE

VARIANTS = {
    "train": (
        *("m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f3", "f4", "f5", "klatt2", "klatt4"),
        *("Adam", "Andy", "Diogo", "Gene", "Jacky", "Lee", "Mario", "Mike", "adam", "anika"),
        *("aunty", "belinda", "boris", "caleb", "david", "edward", "grandma", "iven", "linda"),
        *("michel", "norbert", "paul", "quincy", "rob", "sandro", "steph", "travis", "zac"),
    ),
    "valid": ("Michael", "Annie", "pablo"),
    "test": ("Andrea", "max", "victor"),
}
"""Timbres by split."""
ENGLISH = ("en-us", "en", "en-gb-scotland", "en-029", "en-us-nyc", "en-gb-x-rp")
"""Accents."""
LANGUAGES = {"ga-IE": "ga", "sv-SE": "sv"} | {
    code: code
    for code in (
        "ar as ca cs cv cy de el eo es et eu fa fi fr hi hu ia id it ka ky lt lv mt nl or pl pt ro "
        "ru sl ta th tr tt vi"
    ).split()
}
"""Voice for a language of the manifest. Not those whose signs it reads by their English names."""

_SYNCHRONOUS, _PHONEME_EVENTS, _IPA, _UTF8 = 2, 1, 2, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_PHONEME = 7
_MODIFIERS = "ʲʰʷˠˤːˑ̩̯̃"
_QUIET_DB = -38.0
"""What eSpeak leaves unnamed is a pause if it is this far below the loudest part [dB]."""


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def is_installed() -> bool:
    return ctypes.util.find_library("espeak-ng") is not None


class _Speaker:
    """The library; there can be only one in a process."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(ctypes.util.find_library("espeak-ng"))
        self.sample_rate = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _IPA
        )
        if self.sample_rate <= 0:
            raise AudioError("eSpeak NG does not start. Install it again, with its data.")
        self._sound: list[np.ndarray] = []
        self._events: list[tuple[int, str]] = []
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, sound: Any, count: int, events: Any) -> int:
        if sound and count > 0:
            self._sound.append(np.ctypeslib.as_array(sound, (count,)).copy())
        i = 0
        while events[i].type:
            if events[i].type == _PHONEME:
                name = events[i].id.string.decode("utf-8", "ignore")
                self._events.append((events[i].sample, name))
            i += 1
        return 0

    def say(
        self, voice: str, text: str, rate: int, pitch: int, variation: int
    ) -> tuple[Float[np.ndarray, " samples"], list[tuple[int, str]]]:
        """Sound at `sample_rate`, and the first sample and name of each phone."""
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise AudioError(f"eSpeak NG has no voice '{voice}'. `espeak-ng --voices` lists them.")
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, variation)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._sound, self._events = [], []
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        sound = np.concatenate([np.zeros(0, np.int16), *self._sound])
        return sound.astype(np.float32) / 32768, self._events


@cache
def _speaker() -> _Speaker:
    return _Speaker()


def say(
    voice: str, text: str, rate: int = 165, pitch: int = 50, variation: int = 50
) -> tuple[Float[np.ndarray, " samples"], Phones]:
    """A text in a voice such as `en-us+f2`, at 16 kHz, and its phones.

    Raises:
        AudioError: no such voice.
    """
    speaker = _speaker()
    sound, events = speaker.say(voice, text, rate, pitch, variation)
    seconds = len(sound) / speaker.sample_rate
    times = [first / speaker.sample_rate for first, _ in events] + [seconds]
    loudest = max(float(np.abs(sound).max(initial=0.0)), 1e-4)
    intervals: list[tuple[str, float, float]] = []
    for i, (first, name) in enumerate(events):
        if name.startswith("("):
            continue
        bare = name.strip(_MODIFIERS)
        end = times[i + 1]
        inside = sound[first : int(end * speaker.sample_rate)]
        if bare:
            intervals.append((_phone(bare), times[i], end))
        elif not intervals or _decibel(inside, loudest) < _QUIET_DB:
            intervals.append((SILENCE, times[i], end))
        else:
            intervals.append((intervals[-1][0], times[i], end))
    samples = soxr.resample(sound, speaker.sample_rate, SAMPLE_RATE)
    return samples, contiguous(intervals, len(samples) / SAMPLE_RATE)


def espeak_speech(
    minutes: float,
    splits: tuple[str, ...],
    texts: dict[str, tuple[str, ...]],
    seed: int,
    progress: Callable[[str, int, int], None],
) -> Iterator[Labelled]:
    """English sentences of ours and of `texts`, as long again sentences of other languages.

    Args:
        minutes: Of each split and kind [min].
        texts: By language of the manifest.
    """
    if not is_installed():
        return
    foreign = sorted(code for code in texts if code in LANGUAGES)
    for number, split in enumerate(splits):
        rng = np.random.default_rng([seed, number])
        for kind in ("en", "other") if foreign else ("en",):
            seconds = 0.0
            while seconds < 60 * minutes:
                progress(f"Listening to eSpeak NG, {kind}", int(seconds), int(60 * minutes))
                language = "en" if kind == "en" else foreign[rng.integers(len(foreign))]
                text = _text(language, texts, rng)
                accent = ENGLISH[rng.integers(len(ENGLISH))] if language == "en" else ""
                timbre = VARIANTS[split][rng.integers(len(VARIANTS[split]))]
                voice = f"{accent or LANGUAGES[language]}+{timbre}"
                rate, pitch, variation = (rng.integers(130, 240), *rng.integers(25, 76, 2))
                samples, phones = say(voice, text, int(rate), int(pitch), int(variation))
                if not SAMPLE_RATE < len(samples) < 30 * SAMPLE_RATE:
                    seconds += 0.1
                    continue
                seconds += len(samples) / SAMPLE_RATE
                passage = Passage(f"espeak-{timbre}", split, "synthetic", language)
                yield Labelled(passage, samples, frame_labels(phones, len(samples)))


def _text(language: str, texts: dict[str, tuple[str, ...]], rng: np.random.Generator) -> str:
    known = texts.get(language, ())
    if language == "en" and (not known or rng.random() < 0.5):
        return make_sentence(rng)
    return known[rng.integers(len(known))]


@cache
def _phone(name: str) -> str:
    try:
        return to_arpabet([name])[0]
    except MotionError:
        return "unknown"


def _decibel(sound: Float[np.ndarray, " samples"], reference: float) -> float:
    level = np.sqrt(np.mean(np.square(sound))) if len(sound) else 0.0
    return float(20 * np.log10(max(level, 1e-7) / reference))
