"""Quality against steps: one model, sampled in several ways, on clips of unseen performers.

    python benchmarks/sampling.py diffposetalk:RUN [--limit 16] [--seeds 2]
        [--also diffposetalk:DISTILLED@steps=2 ...] [-o docs/results/sampling.md]

Every row is a way to draw motion from the same network; `ancestral`, all steps of the diffusion,
is what the others approximate. `distance` says how far a row's takes are from its takes, as
distributions: the energy distance 2 E|x - y| - E|x - x'| - E|y - y'| of takes of one clip, where
|.| is the mean distance of the face points over time. It is 0 for equal distributions, and twice
a shift that all takes have in common where they hardly differ; chance can make it negative. Time is
that of whole performances, hearing included, per second of speech; the processor's time is that of
all cores together and says more where others use the machine too. Means over clips and seeds.
"""

from __future__ import annotations

import argparse
import itertools
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _curves import Curve, chart
from _shared import machine
from rich.progress import Progress

from kinevox.data import Corpus
from kinevox.evaluation.contestants import Contestant, fitted, load_contestant
from kinevox.evaluation.judge import style_row
from kinevox.evaluation.plan import choose_clips
from kinevox.evaluation.styles import describe_clips, described
from kinevox.heads import HEADS, Head
from kinevox.metrics import continuity, distribution, lips, style
from kinevox.metrics._vertices import face_points
from kinevox.motion import Motion
from kinevox.seeds import seed_for

STEPS = (1, 2, 4, 8, 16, 25, 50)
REFERENCE = "sampler=ancestral"
COLUMNS = {
    "lve_mm": "LVE mm ↓",
    "mod_mm": "MOD mm ↓",
    "mouth_opening_correlation": "opening corr. ↑",
    "jitter_face": "jerk, face m/s^3",
    "jitter_head": "jerk, head deg/s^3",
    "border_jerk_ratio_face": "jerk at borders, face → 1",
    "diversity_face_mm": "diversity mm",
    "style_top1": "style top-1 ↑",
    "distance_mm": "distance mm ↓",
    "wall": "time, s per s",
    "cpu": "processor, s per s",
}
SHOWN = ("distance_mm", "lve_mm", "jitter_face", "diversity_face_mm")
"""Columns that are drawn as curves."""


@dataclass
class Row:
    """One way of sampling, and what came of it."""

    title: str
    contestant: Contestant
    scores: dict[str, list[float]] = field(default_factory=dict)
    styles: dict[int, list[float] | None] = field(default_factory=dict)
    """Of the first take of each clip."""

    def add(self, scores: dict[str, float]) -> None:
        for name, value in scores.items():
            self.scores.setdefault(name, []).append(value)

    def mean(self, name: str) -> float:
        values = np.array(self.scores.get(name, []), dtype=np.float64)
        return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("method", help="e.g. diffposetalk:RUN or diffposetalk:RUN@bf16=yes")
    parser.add_argument("--corpus", default="performers")
    parser.add_argument("--limit", type=int, default=16, help="clips, spread over performers")
    parser.add_argument("--seeds", type=int, default=2, help="takes of each; at least 2")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    parser.add_argument("--samplers", nargs="+", default=["dpm-solver", "ddim"])
    parser.add_argument("--also", nargs="+", default=[], help="other contestants, such as teacher")
    parser.add_argument("--without-reference", action="store_true", help="no ancestral sampling")
    parser.add_argument("-o", "--out", type=Path, help="file .md to write; an .svg goes beside it")
    options = parser.parse_args()
    if options.seeds < 2:
        sys.exit("Distances need at least 2 seeds.")

    corpus = Corpus.open(options.corpus)
    clips, head = corpus.split("test"), HEADS.get("anny")()
    chosen = choose_clips(clips, options.limit)
    rows = rows_of(options, corpus)
    with Progress(transient=True) as progress:
        task = progress.add_task("Takes", total=len(rows) * len(chosen.measured))
        for row in rows:  # The first call of a process loads what the others find.
            row.contestant.perform(clips[chosen.measured[0]], 0)
        for clip in chosen.measured:
            reference: list[Motion] = []
            for row in rows:
                takes = perform(row, clips, clip, options.seeds, head)
                if row.title == REFERENCE:
                    reference = takes
                elif reference:
                    row.add({"distance_mm": distance_mm(head, takes, reference)})
                progress.advance(task)
    gallery = describe_clips(clips, chosen.gallery, lambda done, total: None)
    for row in rows:
        kept = [i for i in chosen.probes if i in row.styles]
        probes = described(clips, kept, [row.styles[i] for i in kept])
        if probes is not None and gallery is not None:
            row.add({"style_top1": style.evaluate(probes, gallery)["style_top1"]})
    text = page(rows, len(chosen.measured), options)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
        options.out.with_suffix(".svg").write_text(picture(rows), encoding="utf-8")


def rows_of(options: argparse.Namespace, corpus: Corpus) -> list[Row]:
    """The reference first, so that the others can be compared with it."""
    ways = [] if options.without_reference else [REFERENCE]
    ways += [
        f"sampler={sampler},steps={steps}"
        for sampler, steps in itertools.product(options.samplers, options.steps)
    ]
    joint = "," if "@" in options.method else "@"
    named = {way: f"{options.method}{joint}{way}" for way in ways}
    named |= {text: text for text in options.also}
    return [Row(title, load_contestant(text, corpus)) for title, text in named.items()]


def perform(row: Row, clips: Corpus, clip: int, seeds: int, head: Head) -> list[Motion]:
    """Takes of a clip, timed and measured."""
    record = clips[clip]
    truth = record.motion
    takes = []
    for seed in range(seeds):
        wall, cpu = time.perf_counter(), time.process_time()
        motion = row.contestant.perform(record, seed_for(record.id, seed))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        borders = continuity.window_borders(motion)
        motion = fitted(motion, truth.num_frames, row.title, any_length=False)
        row.add({"wall": wall / truth.seconds, "cpu": cpu / truth.seconds})
        row.add(lips.evaluate(head, truth, motion, record.speech.phones))
        row.add(continuity.evaluate(head, motion, [b for b in borders if b < motion.num_frames]))
        takes.append(motion)
    row.add(distribution.evaluate_takes(head, takes))
    row.styles[clip] = style_row(takes[0])
    return takes


def distance_mm(head: Head, ours: Sequence[Motion], theirs: Sequence[Motion]) -> float:
    """Energy distance of two sets of takes. Takes of one seed share their noise, so they are never
    compared with each other."""
    x, y = ([1e3 * face_points(head, motion) for motion in takes] for takes in (ours, theirs))
    pairs = list(itertools.permutations(range(len(x)), 2))

    def mean(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
        return float(np.mean([np.linalg.norm(a[i] - b[j], axis=-1).mean() for i, j in pairs]))

    return 2 * mean(x, y) - mean(x, x) - mean(y, y)


def page(rows: Sequence[Row], clips: int, options: argparse.Namespace) -> str:
    lines = ["# Quality against steps", "", "```", shlex.join(["python", *sys.argv]), "```", ""]
    lines += [
        f"{clips} clips of the test split of `{options.corpus}`, {options.seeds} takes each. "
        f"{machine()}.",
        "",
    ]
    if options.out:
        lines += [f"![Quality against steps]({options.out.with_suffix('.svg').name})", ""]
    lines += ["| " + " | ".join(["", *COLUMNS.values()]) + " |"]
    lines += ["| --- " * (len(COLUMNS) + 1) + "|"]
    for row in rows:
        cells = (figure(row.mean(name)) for name in COLUMNS)
        lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", __doc__.split("\n\n")[2].strip()]) + "\n"


def figure(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "-"


def picture(rows: Sequence[Row]) -> str:
    """Curves over the number of steps, one panel a column; the reference is a dashed line."""
    panels = []
    for name in SHOWN:
        curves: dict[str, list[tuple[float, float]]] = {}
        level = np.nan
        for row in rows:
            way, _, steps = row.title.removeprefix("sampler=").partition(",steps=")
            if row.title == REFERENCE:
                level = row.mean(name)
            elif steps and np.isfinite(row.mean(name)):
                curves.setdefault(way, []).append((float(steps), row.mean(name)))
        panels.append(
            (COLUMNS[name], [Curve(way, points) for way, points in curves.items()], level)
        )
    return chart(panels, "steps")


if __name__ == "__main__":
    main()
