"""All the material in one folder, made part by part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from kinevox.data.corpora._voices import recorded_voices
from kinevox.data.phonetic.espeak import espeak_speech
from kinevox.data.phonetic.flite import flite_speech
from kinevox.data.phonetic.pack import Part, is_packed, write_part
from kinevox.data.phonetic.recordings import aligned_recordings
from kinevox.data.record import SPLITS

FLITE_MINUTES = 12.0
"""From each voice [min]."""
FLITE_LETTERS = 100
"""It starts its clock anew in longer texts."""
ESPEAK_MINUTES = {"train": 25.0, "valid": 3.0, "test": 3.0}
"""Of English, and as much of other languages [min]."""

SEED = 0
"""Of what programs are told to say."""


def make_material(
    recordings: Path, folder: Path, progress: Callable[[str, int, int], None]
) -> list[Part]:
    """The parts `recordings`, `flite` and `espeak`; those that are there stay as they are.

    Args:
        recordings: Folder with a manifest; see `kinevox.data.corpora.performers`.

    Raises:
        AssetError: there is no manifest.
    """
    texts = _texts(recordings)
    makers = {"recordings": lambda: aligned_recordings(recordings, SPLITS, progress)}
    short = tuple(text for text in texts["train"].get("en", ()) if len(text) <= FLITE_LETTERS)
    makers["flite"] = lambda: flite_speech(FLITE_MINUTES, ("train", "test"), short, SEED, progress)
    for split, minutes in ESPEAK_MINUTES.items():
        makers[f"espeak-{split}"] = lambda split=split, minutes=minutes: espeak_speech(
            minutes, (split,), texts[split], SEED, progress
        )
    for name, make in makers.items():
        if not is_packed(folder / name):
            write_part(folder / name, make())
    return [Part(folder / name) for name in makers]


def _texts(recordings: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """What is said, by split and language."""
    said: dict[str, dict[str, list[str]]] = {split: defaultdict(list) for split in SPLITS}
    for voice in recorded_voices(recordings):
        for utterance in voice.utterances:
            if utterance.transcript:
                # LibriSpeech writes in capitals, which speaking programs spell.
                said[voice.split][utterance.language].append(utterance.transcript.lower())
    return {
        split: {language: tuple(texts) for language, texts in by_language.items()}
        for split, by_language in said.items()
    }
