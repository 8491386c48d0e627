"""People who read a known English text: phones by forced alignment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from kinevox.audio.read import read_audio
from kinevox.data.corpora._voices import recorded_voices
from kinevox.data.phonetic.pack import Labelled, Passage, frame_labels
from kinevox.phones import find_phones
from kinevox.speech import Speech

LONGEST = 36.0
"""Longer recordings are left out [s]."""


def aligned_recordings(
    folder: Path, splits: tuple[str, ...], progress: Callable[[str, int, int], None]
) -> Iterator[Labelled]:
    """Transcribed English recordings of a manifest whose every phone could be aligned."""
    chosen = [
        (voice, utterance)
        for voice in recorded_voices(folder)
        for utterance in voice.utterances
        if voice.split in splits
        and utterance.language == "en"
        and utterance.transcript
        and utterance.seconds <= LONGEST
    ]
    for done, (voice, utterance) in enumerate(chosen):
        progress("Aligning recordings", done, len(chosen))
        speech = Speech(read_audio(utterance.path), transcript=utterance.transcript)
        phones = find_phones(speech)
        if phones.origin != "aligned":
            continue
        passage = Passage(voice.speaker, voice.split, "real", utterance.language)
        yield Labelled(passage, speech.samples, frame_labels(phones, len(speech.samples)))
