"""flite's voices, which say when each phone ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kinevox.data.corpora._voices import synthetic_voices
from kinevox.data.phonetic.pack import Labelled, Passage, frame_labels
from kinevox.phones import find_phones

DIPHONE = frozenset({"kal", "kal16"})
"""Voices that do not keep to the times they tell."""


def flite_speech(
    minutes: float,
    splits: tuple[str, ...],
    texts: tuple[str, ...],
    seed: int,
    progress: Callable[[str, int, int], None],
) -> Iterator[Labelled]:
    """Sentences of ours and of `texts`, so much from each voice of the splits; none without flite.

    Args:
        minutes: From each voice [min].
    """
    voices = [
        voice
        for voice in synthetic_voices(dict.fromkeys(splits, texts))[0]
        if voice.source == "flite" and voice.split in splits and voice.name not in DIPHONE
    ]
    for number, voice in enumerate(voices):
        progress("Listening to flite", number, len(voices))
        rng = np.random.default_rng([seed, number])
        seconds, passages = 0.0, voice.passages(rng)
        while seconds < 60 * minutes:
            speech = next(passages)
            seconds += speech.seconds
            phones = find_phones(speech)
            if phones.origin not in ("given", "aligned"):
                continue
            passage = Passage(voice.speaker, voice.split, "synthetic", "en")
            yield Labelled(passage, speech.samples, frame_labels(phones, len(speech.samples)))
