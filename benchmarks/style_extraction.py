"""Prints the tables of docs/results/style_extraction.md: known styles, read from motion.

    python benchmarks/style_extraction.py                     (the corpus `performers` in the cache)
    python benchmarks/style_extraction.py --corpus FOLDER --performers 64

Performers of the test split; nothing that reads their style was fitted to this corpus at all. R2
of a factor is over performers: 1 is perfect, 0 as good as knowing the mean of the cast. Phones are
those that the corpus keeps; the sound is what the corpus stores, noise and rooms included.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from _shared import machine

from kinevox.data import Corpus
from kinevox.methods.articulate import Heard, hear
from kinevox.methods.articulate.recovery import recover
from kinevox.methods.articulate.style import StyleFactors

FACTORS = [factor.name for factor in fields(StyleFactors)]
UNSEEN = ("mumble",)
"""Equal to smaller gains of jaw, lips and rounding; motion cannot show it."""
LENGTHS = {"one clip": 0.0, "30 s": 30.0, "all clips": np.inf}
"""Clips are added until there is as much [s]."""


@dataclass
class Column:
    """One way of looking at all performers."""

    name: str
    sound: bool
    seconds: list[float]
    took: list[float]
    found: list[list[float]]
    certainty: list[list[float]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", default="performers")
    parser.add_argument("--performers", type=int, default=24)
    arguments = parser.parse_args()
    corpus = Corpus.open(arguments.corpus).split("test")
    names = sorted(set(corpus.index["style"].tolist()))
    chosen = [names[i] for i in np.linspace(0, len(names) - 1, arguments.performers).astype(int)]
    columns = [Column(name, sound, [], [], [], []) for name in LENGTHS for sound in (True, False)]
    truth: list[list[float]] = []
    try:
        for name in chosen:
            rows = np.flatnonzero(corpus.index["style"] == name)
            heard = [hear(corpus[i].speech) for i in rows]
            for column in columns:
                _look(column, corpus, rows, heard)
            known = json.loads(corpus.index["factors"][rows[0]])
            truth.append([known[factor] for factor in FACTORS])
            print(f"{len(truth)} of {len(chosen)}", file=sys.stderr)
    except KeyboardInterrupt:
        pass  # what was measured until then is printed
    _print(columns, np.array(truth))


def _look(column: Column, corpus: Corpus, rows: np.ndarray, heard: Sequence[Heard]) -> None:
    seconds = np.cumsum([corpus.motion(i).seconds for i in rows])
    count = int(np.searchsorted(seconds, LENGTHS[column.name])) + 1
    motions = [corpus.motion(i) for i in rows[:count]]
    begin = time.process_time()
    extracted = recover(motions, heard[:count] if column.sound else None)
    column.took.append(time.process_time() - begin)
    column.seconds.append(sum(motion.seconds for motion in motions))
    column.found.append([getattr(extracted.style, factor) for factor in FACTORS])
    column.certainty.append([extracted.certainty[factor] for factor in FACTORS])


def _print(columns: Sequence[Column], truth: np.ndarray) -> None:
    count = len(truth)
    print(f"{count} performers. {machine()}\n")
    heads = [f"{c.name}, {'sound' if c.sound else 'motion alone'}" for c in columns]
    scores = [_r2(truth, np.array(column.found[:count])) for column in columns]
    certainties = [np.mean(column.certainty[:count], axis=0) for column in columns]
    print("| R2 (mean certainty told) | " + " | ".join(heads) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for k, factor in enumerate(FACTORS):
        cells = (f"{s[k]:.2f} ({c[k]:.2f})" for s, c in zip(scores, certainties, strict=True))
        print(f"| `{factor}` | " + " | ".join(cells) + " |")
    seen = [k for k, factor in enumerate(FACTORS) if factor not in UNSEEN]
    summary = {
        "mean of those that can be seen": [f"**{score[seen].mean():.2f}**" for score in scores],
        "mean of all": [f"{score.mean():.2f}" for score in scores],
        "mean length [s]": [f"{np.mean(column.seconds):.1f}" for column in columns],
        "processor time each [s]": [f"{np.mean(column.took):.1f}" for column in columns],
    }
    for name, cells in summary.items():
        print(f"| {name} | " + " | ".join(cells) + " |")


def _r2(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    return 1 - ((truth - found) ** 2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)


if __name__ == "__main__":
    main()
