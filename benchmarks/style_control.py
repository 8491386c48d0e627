"""Does generated motion bear the style it was asked for? Unseen performers, factor by factor.

    python benchmarks/style_control.py --methods diffposetalk:RUN,teacher [--performers 64]
        [--reader diffposetalk:RUN] [-o docs/results/style_control.md]

Every contestant performs the clips of performers of the test split, in the style that `kinevox
evaluate` gives it: learned methods read it from other clips of the performer. Two questions are
asked of the takes, and of the ground truth beside them.

- Which factors do they show? `articulate`'s extractor, to which the sound and its phones are known,
  reads them from all takes of a performer together; R2 is over performers, against the factors that
  the performer truly has. 1 is perfect, 0 as good as knowing the mean of the cast.
- Whose are they? The style encoder of `--reader` turns takes into vectors, and the performer whose
  real clips lie nearest by cosine counts. A performer's clips stand in turn for the gallery and for
  the takes, so no take is compared with the clip it repeats. Once per clip, and once per performer
  with all takes together.

A model that was trained with the reader's encoder may please it more than an eye; the factors, and
the retrieval of `kinevox evaluate`, which needs no network, know nothing of that encoder.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
from _shared import machine
from rich.progress import track

from kinevox.data import Corpus
from kinevox.evaluation.contestants import Contestant, fitted, load_contestant
from kinevox.evaluation.plan import GROUND_TRUTH, listed_contestants
from kinevox.methods import StyleReader, load_method
from kinevox.methods.articulate import hear
from kinevox.methods.articulate.recovery import recover_each
from kinevox.methods.articulate.style import StyleFactors
from kinevox.metrics.style import retrieval_ranks, top_share
from kinevox.motion import Motion
from kinevox.seeds import seed_for

FACTORS = [factor.name for factor in fields(StyleFactors)]
UNSEEN = ("mumble",)
"""Equal to smaller gains of jaw, lips and rounding; motion cannot show it."""


@dataclass
class Shown:
    """What one contestant showed so far."""

    factors: list[list[float]] = field(default_factory=list)
    """Of each performer."""
    clips: list[np.ndarray] = field(default_factory=list)
    """Style vector of each take that is looked up."""
    clips_of: list[str] = field(default_factory=list)
    performers: list[np.ndarray] = field(default_factory=list)
    """Of all takes of a performer that are looked up, together."""
    performers_of: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", required=True, help="contestants, as of kinevox evaluate")
    parser.add_argument("--corpus", default="performers")
    parser.add_argument("--performers", type=int, default=64)
    parser.add_argument("--clips", type=int, default=None, help="clips of each; default all")
    parser.add_argument("--reader", help="method whose style encoder tells performers apart")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, help="file .md to write too")
    options = parser.parse_args()

    names = listed_contestants(options.methods)
    corpus = Corpus.open(options.corpus)
    clips = corpus.split("test")
    contestants = {name: load_contestant(name, corpus) for name in (GROUND_TRUTH, *names)}
    reader = load_method(options.reader) if options.reader else None
    if reader is not None and not isinstance(reader, StyleReader):
        sys.exit(f"Method '{options.reader}' cannot read a style from motion.")
    found = {name: Shown() for name in contestants}
    gallery: dict[str, np.ndarray] = {}
    truth: list[list[float]] = []
    chosen = cast_of(clips, options.performers)
    try:
        for name in track(chosen, "Performers", transient=True):
            rows = np.flatnonzero(clips.index["style"] == name)[: options.clips]
            heard = [hear(clips[i].speech) for i in rows]
            if reader is not None:
                gallery[name] = style_vector(reader, [clips.motion(i) for i in rows[1::2]])
            takes = [
                [take(contestants[who], clips, int(i), options.seed) for i in rows] for who in found
            ]
            # The rules perform what was said for all contestants at once.
            extracted = recover_each(takes, heard)
            for shown, made, read in zip(found.values(), takes, extracted, strict=True):
                shown.factors.append([getattr(read.style, factor) for factor in FACTORS])
                if reader is not None:
                    look(shown, name, made, reader)
            known = json.loads(clips.index["factors"][rows[0]])
            truth.append([known[factor] for factor in FACTORS])
    except KeyboardInterrupt:
        pass  # what was measured until then is printed
    text = page(found, gallery, np.array(truth), options)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def cast_of(clips: Corpus, count: int) -> list[str]:
    """Performers with several clips, spread over the split."""
    styles, counts = np.unique(clips.index["style"], return_counts=True)
    able = styles[counts > 1].tolist()
    return [able[i] for i in np.unique(np.linspace(0, len(able) - 1, count).astype(int))]


def take(contestant: Contestant, clips: Corpus, clip: int, seed: int) -> Motion:
    record = clips[clip]
    motion = contestant.perform(record, seed_for(record.id, seed))
    return fitted(motion, record.motion.num_frames, contestant.name, any_length=False)


def look(shown: Shown, performer: str, takes: Sequence[Motion], reader: StyleReader) -> None:
    """Adds the style vectors of a performer's takes of those clips that are not in the gallery."""
    for motion in takes[::2]:
        shown.clips.append(style_vector(reader, [motion]))
        shown.clips_of.append(performer)
    shown.performers.append(style_vector(reader, takes[::2]))
    shown.performers_of.append(performer)


def style_vector(reader: StyleReader, motions: Sequence[Motion]) -> np.ndarray:
    extracted = reader.extract_style(motions, None, lambda done, total: None)
    return np.array(extracted.style.vector)


def page(
    found: dict[str, Shown],
    gallery: dict[str, np.ndarray],
    truth: np.ndarray,
    options: argparse.Namespace,
) -> str:
    count = len(truth)
    seen = [k for k, factor in enumerate(FACTORS) if factor not in UNSEEN]
    scores = [r_squared(truth, np.array(shown.factors[:count])) for shown in found.values()]
    rows = [
        ("**R2, mean of all factors**", *(f"**{score.mean():.2f}**" for score in scores)),
        (
            f"R2, mean without {', '.join(UNSEEN)}",
            *(f"{score[seen].mean():.2f}" for score in scores),
        ),
    ]
    if gallery:
        names, entries = list(gallery), np.stack(list(gallery.values()))
        told = {
            "by one take": [(shown.clips, shown.clips_of) for shown in found.values()],
            "by all takes": [(shown.performers, shown.performers_of) for shown in found.values()],
        }
        for what, columns in told.items():
            shares = [
                top_share(retrieval_ranks(np.stack(vectors), of, entries, names), 1)
                for vectors, of in columns
            ]
            title = f"**right performer found, {what}**"
            rows.append((title, *(f"**{100 * share:.1f} %**" for share in shares)))
    rows += [
        (f"R2 `{factor}`", *(f"{score[k]:.2f}" for score in scores))
        for k, factor in enumerate(FACTORS)
    ]
    among = f" Performers are told apart among {len(gallery)} by `{options.reader}`, from one clip "
    among += "or from all takes; chance is " + f"{1 / max(len(gallery), 1):.3f}."
    lines = ["# Style control", "", "```", shlex.join(["python", *sys.argv]), "```", ""]
    lines += [f"{count} performers of the test split of `{options.corpus}`. {machine()}."]
    lines[-1] += among if gallery else ""
    lines += ["", f"| | {' | '.join(found)} |", "| --- " * (len(found) + 1) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    for part in __doc__.split("\n\n")[2:]:
        lines += ["", part.strip()]
    return "\n".join(lines) + "\n"


def r_squared(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    return 1 - ((truth - found) ** 2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)


if __name__ == "__main__":
    main()
