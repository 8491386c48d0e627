"""PocketSphinx as used here: its decoders, and sound as it wants it.

A decoder that has heard one recording scores the next a little differently, so every piece of
sound gets a fresh one (10 to 90 ms) and results do not depend on what came before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from pocketsphinx import Decoder

FRAMES_PER_SECOND = 100
SETTINGS_VERSION = 1
"""Counts up whenever a change here or in its callers alters results; part of cache keys."""

_PEAK, _FAINT = 0.6, 1e-4
_BRITISH_LETTERS = {"z(2)": "Z EH D", "h(2)": "HH EY CH"}


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


def aligner(
    pronunciations: Mapping[str, tuple[str, ...]] | None = None, **options: float
) -> Decoder:
    """Aligns words; `pronunciations` are those of words the dictionary lacks."""
    from pocketsphinx import Decoder, get_model_path

    # Without bestpath=False the lattice puts a one-frame <s> before the first word in about one
    # utterance of three, and the second pass, held to it, loses its path.
    beams = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60}
    hmm = f"{get_model_path('en-us')}/en-us"
    decoder = Decoder(hmm=hmm, lm=None, bestpath=False, loglevel="FATAL", **(beams | options))
    for word, phones in _BRITISH_LETTERS.items():
        decoder.add_word(word, phones, update=False)
    for word, phones in (pronunciations or {}).items():
        if decoder.lookup_word(word) is None:
            decoder.add_word(word, " ".join(phones), update=False)
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
