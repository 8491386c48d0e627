"""Clips a performer's style is read from, for methods that take an example of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from kinevox.data import Corpus, Record
from kinevox.errors import ConfigError
from kinevox.methods import StyleReader

MOST = 4
"""Clips that one style is read from."""
_SHORTEST = 1.0
"""Shorter clips show no style [s]."""


def read_style(reader: StyleReader, corpus: Corpus, clip: Record) -> object | None:
    """The style of the clip's performer, read from other clips; None where there are none."""
    others = other_clips(corpus, clip)
    if not others:
        return None
    motions = [corpus.motion(i) for i in others]
    return reader.extract_style(motions, None, lambda done, total: None).style


def nearest_performer(corpus: Corpus, clip: Record, known: Collection[str]) -> str:
    """Of performers that a method knows, the one whose true style factors are most like those of
    the clip's performer, each in units of its spread among all performers.

    Raises:
        ConfigError: no such factors are known.
    """
    names, rows = np.unique(corpus.index["style"], return_index=True)
    factors = {
        str(name): json.loads(corpus.index["factors"][row] or "{}")
        for name, row in zip(names, rows, strict=True)
    }
    candidates = [name for name, each in factors.items() if each and name in known]
    if not candidates or not clip.factors:
        raise ConfigError(
            f"Corpus '{corpus.name}' knows no style factors of performers that the method was "
            "trained on, so none of them is nearest. Leave 'style=nearest' out."
        )
    order = sorted(clip.factors)

    def described(each: Mapping[str, float]) -> np.ndarray:
        return np.array([each[name] for name in order])

    spread = np.std([described(each) for each in factors.values() if each], axis=0)
    apart = [
        np.linalg.norm((described(factors[name]) - described(clip.factors)) / (spread + 1e-9))
        for name in candidates
    ]
    return candidates[int(np.argmin(apart))]


def other_clips(corpus: Corpus, clip: Record) -> Sequence[int]:
    """Clips that show the same performer, never the clip itself.

    Those that the style metrics compare with (`plan.choose_clips`: every other clip of a performer)
    serve only where there is nothing else, so that nobody imitates what it is looked up in. Taken
    are the next ones in the order of the corpus, from its beginning again at the end.

    Args:
        corpus: All splits.
    """
    index = corpus.index
    same = np.flatnonzero((index["style"] == clip.style) & (index["split"] == clip.split)).tolist()
    ids = [str(index["id"][i]) for i in same]
    place = ids.index(clip.id) if clip.id in ids else len(ids)
    following = same[place + 1 :] + same[:place]
    usable = [i for i in following if index["frames"][i] >= _SHORTEST * corpus.fps]
    compared = same[1::2]
    free = [i for i in usable if i not in compared]
    return (free or usable)[:MOST]
