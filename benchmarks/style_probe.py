"""What do the vectors of a style encoder know of the person? A linear map, factor by factor.

    python benchmarks/style_probe.py diffposetalk:RUN [diffposetalk:OTHER ...]
        [--corpus performers] [--performers 300] [-o docs/results/style_probe.md]

For every performer of the training split, and of the test split, styles are read from single clips
and from all clips together. A linear map with a little shrinkage (ridge regression; how much is
chosen on performers of the validation split) is fitted to tell the true factors from the styles of
the training split; R2 is over performers of the test split, whom neither the encoder nor the map
has seen. 1 is perfect, 0 as good as knowing the mean of the cast. A denoiser that is told a style
can at best show what is in it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

import numpy as np
from _shared import machine
from rich.progress import track
from style_control import FACTORS, r_squared, style_vector

from kinevox.data import Corpus
from kinevox.methods import StyleReader, load_method

SHRINKAGE = (0.1, 1.0, 10.0, 100.0, 1000.0)
SINGLE, ALL = "one clip", "all clips"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("readers", nargs="+", help="methods whose style encoders are asked")
    parser.add_argument("--corpus", default="performers")
    parser.add_argument("--performers", type=int, default=300, help="at most this many of a split")
    parser.add_argument("-o", "--out", type=Path, help="file .md to write too")
    options = parser.parse_args()

    corpus = Corpus.open(options.corpus)
    columns: dict[tuple[str, str], np.ndarray] = {}
    for name in options.readers:
        reader = load_method(name)
        if not isinstance(reader, StyleReader):
            sys.exit(f"Method '{name}' cannot read a style from motion.")
        known = {
            split: people(reader, corpus.split(split), options.performers, f"{name}, {split}")
            for split in ("train", "valid", "test")
        }
        for amount in (SINGLE, ALL):
            columns[name, amount] = probed({split: told[amount] for split, told in known.items()})
    text = page(columns, options)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def people(
    reader: StyleReader, clips: Corpus, most: int, told: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Styles and factors of performers: of each of their first clips, and of all clips together."""
    styles = clips.index["style"]
    names = list(dict.fromkeys(styles.tolist()))[:most]
    found: dict[str, list[tuple[np.ndarray, list[float]]]] = {SINGLE: [], ALL: []}
    for name in track(names, told, transient=True):
        rows = np.flatnonzero(styles == name)
        known = json.loads(clips.index["factors"][rows[0]])
        factors = [known[factor] for factor in FACTORS]
        motions = [clips.motion(int(row)) for row in rows]
        found[SINGLE] += [(style_vector(reader, [motion]), factors) for motion in motions[:4]]
        found[ALL].append((style_vector(reader, motions), factors))
    return {
        amount: (np.array([one for one, _ in pairs]), np.array([two for _, two in pairs]))
        for amount, pairs in found.items()
    }


def probed(known: dict[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """R2 of each factor on the test split, by the map that does best on the validation split."""
    vectors, factors = known["train"]
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0) + 1e-9
    maps = [ridge((vectors - mean) / spread, factors, amount) for amount in SHRINKAGE]

    def scores(split: str, place: int) -> np.ndarray:
        other, true = known[split]
        weights, offset = maps[place]
        return r_squared(true, (other - mean) / spread @ weights + offset)

    best = max(range(len(maps)), key=lambda place: scores("valid", place).mean())
    return scores("test", best)


def ridge(vectors: np.ndarray, factors: np.ndarray, amount: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and offsets from centered vectors."""
    offset = factors.mean(axis=0)
    square = vectors.T @ vectors + amount * np.eye(vectors.shape[1])
    return np.linalg.solve(square, vectors.T @ (factors - offset)), offset


def page(columns: dict[tuple[str, str], np.ndarray], options: argparse.Namespace) -> str:
    names = [f"{reader}, {amount}" for reader, amount in columns]
    rows = [("**mean**", *(f"**{score.mean():.2f}**" for score in columns.values()))]
    rows += [
        (f"`{factor}`", *(f"{score[k]:.2f}" for score in columns.values()))
        for k, factor in enumerate(FACTORS)
    ]
    lines = ["# What styles know", "", "```", shlex.join(["python", *sys.argv]), "```", ""]
    lines += [f"Corpus `{options.corpus}`, R2 on the test split. {machine()}.", ""]
    lines += [f"| | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", __doc__.split("\n\n")[2].strip()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
