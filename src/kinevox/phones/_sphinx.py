"""PocketSphinx as used here: its decoders, and sound as it wants it.

A decoder that has heard one recording scores the next a little differently, so every piece of
sound gets a fresh one (10 to 20 ms) and results do not depend on what came before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from pocketsphinx import Decoder

FRAMES_PER_SECOND = 100
SETTINGS_VERSION = 1
"""Counts up whenever a change here or in its callers alters results; part of cache keys."""

_PEAK, _FAINT = 0.6, 1e-4


def recognizer() -> Decoder:
    """Decodes phones without text. Wider beams and other weights are slower, not better."""
    from pocketsphinx import Decoder, get_model_path

    model = get_model_path("en-us")
    return Decoder(
        hmm=f"{model}/en-us",
        allphone=f"{model}/en-us-phone.lm.bin",
        lm=None,
        dict=None,
        lw=1.5,
        beam=1e-20,
        pbeam=1e-10,
        loglevel="FATAL",
    )


def aligner(words: Iterable[str], **options: float) -> Decoder:
    """Aligns these words, each in all its known pronunciations."""
    from pocketsphinx import Decoder, get_model_path

    from kinevox.phones.pronounce import variants

    # Without bestpath=False the lattice puts a one-frame <s> before the first word in about one
    # utterance of three, and the second pass, held to it, loses its path.
    beams = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60, "bestpath": False}
    # Loading the whole dictionary would take longer than aligning a short sentence.
    decoder = Decoder(
        hmm=f"{get_model_path('en-us')}/en-us",
        lm=None,
        dict=None,
        loglevel="FATAL",
        **(beams | options),
    )
    for word in dict.fromkeys(words):
        for number, phones in enumerate(variants(word), 1):
            name = word if number == 1 else f"{word}({number})"
            decoder.add_word(name, " ".join(phones), update=False)
    return decoder


def pcm(samples: Float[np.ndarray, " samples"], pad_frames: int) -> bytes:
    """16-bit sound at an even level on a bed of faint noise, lengthened by it at both ends.

    The noise is the same every time; digital silence would upset the features.
    """
    pad = pad_frames * 160
    peak = float(np.abs(samples).max(initial=0.0)) or 1.0
    bed = np.random.default_rng(0).normal(0, _FAINT, len(samples) + 2 * pad).astype(np.float32)
    bed[pad : pad + len(samples)] += samples * np.float32(_PEAK / peak)
    return (bed * 32767).astype("<i2").tobytes()


def listen(decoder: Decoder, sound: bytes) -> None:
    """One whole utterance through the decoder's present search."""
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()
