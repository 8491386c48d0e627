"""Named styles for methods that read them from motion: the rules act, the method watches.

What a name means is known from the style factors of `articulate`; how a method's own kind of style
says the same, the method tells by itself when it sees somebody move that way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kinevox import __version__
from kinevox.data import Corpus
from kinevox.files import written_whole
from kinevox.methods._base import StyleReader
from kinevox.timebase import FPS

RECORDINGS = 32
"""How many recordings each style is acted to, as far as there are as many."""
_LONG = 4.0
"""Recordings at least this long are preferred [s]."""


def act_styles(
    performer: StyleReader,
    corpus: Corpus,
    folder: Path,
    made: dict[str, Any],
    progress: Callable[[str, int, int], None],
) -> list[Path]:
    """Writes a style file for each named style of `articulate`, and how they were made.

    Args:
        corpus: Its training split is acted to.
        made: Facts to be noted beside the files.
    """
    from kinevox.methods.articulate import hear, perform
    from kinevox.methods.articulate.style import PRESETS

    train = corpus.split("train")
    chosen = recordings(train)
    heard = []
    for number, i in enumerate(chosen):
        progress("Hearing recordings", number, len(chosen))
        heard.append(hear(train[i].speech))
    paths = []
    for number, (name, factors) in enumerate(PRESETS.items()):
        progress(f"Acting {name}", number, len(PRESETS))
        motions = [perform(speech, factors, seed=k, fps=FPS) for k, speech in enumerate(heard)]
        style = performer.extract_style(motions, None, lambda done, total: None).style
        paths.append(folder / f"{name}{performer.style_suffix}")
        performer.save_style(style, paths[-1])
    ids = train.index["id"][chosen].tolist()
    facts = {**made, "kinevox": __version__, "recordings": ids}
    with written_whole(folder / "made.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return paths


def recordings(clips: Corpus) -> Sequence[int]:
    """Which clips are acted to, spread over all: long ones with words known, where there are."""
    long = clips.index["frames"] >= _LONG * clips.fps
    told = ['"recognized"' not in text for text in clips.index["phones"].tolist()]
    good = np.flatnonzero(long & np.array(told))
    usable = good if len(good) else np.arange(len(clips))
    return usable[np.unique(np.linspace(0, len(usable) - 1, RECORDINGS).astype(int))].tolist()
