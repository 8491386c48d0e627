"""What the parts of DiffPoseTalk are good for: one network each without them, trained alike.

    python benchmarks/ablations.py --style-run STYLE --show      # the commands, and nothing else
    python benchmarks/ablations.py --style-run STYLE --bf16 -o docs/results/ablations.md

Trains what is missing, one after the other, by the very commands that `--show` prints; a training
that was stopped goes on, one that is done is left as it is. Then all are measured on unseen
performers, and each ordering of the paper's table is held against ours. With a budget this small
the numbers are those of networks half trained: they compare with each other and with nothing else.
`--only full no-mask` does some of them; `--full RUN` takes a network that was trained before
for the full one.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kinevox import api
from kinevox.evaluation import Results, Score
from kinevox.evaluation.tables import cell, to_markdown


@dataclass(frozen=True)
class Ablation:
    """A network, and how it takes part."""

    name: str
    told: str
    network: tuple[str, ...] = ()
    """Options of training."""
    sampled: str = ""
    """Options of the contestant."""
    trained_as: str = ""
    """Whose network it is, if not its own."""
    paper: tuple[float, float, float, float] | None = None
    """LVE, FDD, MOD and BA in the paper's table, with head pose."""


GEOMETRY = (
    "vertices", "lips", "velocity", "smooth",
    "head-angle", "head-velocity", "head-smooth", "head-seam",
)  # fmt: skip
NO_GEOMETRY = tuple(word for name in GEOMETRY for word in (f"--network.{name}", "0"))

ABLATIONS = (
    Ablation("full", "Everything", paper=(8.94, 9.60, 1.62, 0.29)),
    Ablation(
        "no-guidance",
        "The full network, conditions followed as they are",
        sampled="guidance=off",
        trained_as="full",
        paper=(9.58, 9.59, 1.56, 0.29),
    ),
    Ablation(
        "no-style",
        "Trained without any style, and performing in none",
        ("--network.drop-style", "0.9", "--network.drop-both", "0.1", "--network.drop-sound", "0"),
        "style=nobody",
        paper=(11.33, 12.97, 2.03, 0.28),
    ),
    Ablation(
        "no-mask",
        "Every frame may hear the whole window; sound has no positions of its own, as published",
        ("--network.reach", "0", "--network.person-hears"),
        paper=(12.81, 12.58, 2.18, 0.24),
    ),
    Ablation(
        "no-geometry",
        "The simple loss alone",
        NO_GEOMETRY,
        paper=(11.29, 15.11, 2.14, 0.28),
    ),
    Ablation(
        "true-context",
        "In training every window follows the truth, never what was predicted before it",
        ("--network.own-context", "0"),
    ),
    Ablation(
        "regression",
        "The same network predicts motion at once: one step from pure noise, so it learns the mean",
        ("--network.steps", "1"),
        "steps=1,guidance=off",
    ),
    Ablation(
        "one-hot",
        "A vector for each performer of the training instead of an encoder; unseen performers "
        "borrow that of the one whose true style factors are nearest",
        ("--network.style-from", "performers"),
        "style=nearest",
    ),
)
COLUMNS = (
    ("lve_mm", "LVE"),
    ("fdd_absolute", "FDD"),
    ("mod_mm", "MOD"),
    ("beat_alignment_audio", "BA"),
)
"""Of the paper; lower is better but for the last."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", default="performers")
    parser.add_argument("--style-run", required=True, help="run of diffposetalk-style")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--runs", type=Path, default=Path("out/ablations"), help="their folder")
    parser.add_argument("--full", help="a run that was trained before, for the full network")
    parser.add_argument("--only", nargs="+", choices=[a.name for a in ABLATIONS], default=None)
    parser.add_argument("--more", nargs="+", default=["teacher", "articulate:neutral", "mean-pose"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=60, help="clips to measure")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print the commands and stop")
    parser.add_argument("-o", "--out", type=Path, help="file .md to write; a .json goes beside it")
    options = parser.parse_args()

    chosen = [a for a in ABLATIONS if options.only is None or a.name in options.only]
    commands = trainings(chosen, options)
    contestants = {contestant(one, options): one for one in chosen}
    methods = [*contestants, *options.more]
    if options.show:
        for command in commands:
            print(shlex.join(command))
        measuring = ["kinevox", "evaluate", "--corpus", options.corpus]
        measuring += ["--methods", ",".join(methods)]
        measuring += ["--seeds", str(options.seeds), "--limit", str(options.limit)]
        print(shlex.join(measuring))
        return
    for command in commands:
        print(shlex.join(command), flush=True)
        subprocess.run([sys.executable, "-m", "kinevox.cli.main", *command[1:]], check=True)
    results = api.evaluate(
        options.corpus,
        methods=methods,
        seeds=options.seeds,
        limit=options.limit,
        workers=options.workers,
        out=[options.out.with_suffix(".json")] if options.out else [],
    )
    text = page(results, contestants, commands)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def run_of(one: Ablation, options: argparse.Namespace) -> Path | str:
    name = one.trained_as or one.name
    if name == "full" and options.full:
        return options.full
    return options.runs / name


def contestant(one: Ablation, options: argparse.Namespace) -> str:
    return f"diffposetalk:{run_of(one, options)}" + (f"@{one.sampled}" if one.sampled else "")


def trainings(chosen: Sequence[Ablation], options: argparse.Namespace) -> list[list[str]]:
    """The commands, each network once."""
    by_name = {one.name: one for one in ABLATIONS}
    needed = dict.fromkeys(one.trained_as or one.name for one in chosen)
    if options.full:
        needed.pop("full", None)
    return [
        ["kinevox", "train", "diffposetalk", "--corpus", options.corpus]
        + ["--out", str(run_of(by_name[name], options))]
        + ["--steps", str(options.steps), "--batch", str(options.batch)]
        + ["--learning-rate", str(options.learning_rate), "--warmup", str(options.warmup)]
        + ["--bf16"] * options.bf16
        + ["--network.style-run", options.style_run, *by_name[name].network]
        for name in needed
    ]


def page(
    results: Results, contestants: dict[str, Ablation], commands: Sequence[Sequence[str]]
) -> str:
    lines = ["# Ablations of DiffPoseTalk", "", "```"]
    lines += [shlex.join(["python", *sys.argv]), "", *map(shlex.join, commands), "```", ""]
    titles = [title for _, title in COLUMNS]
    heads = ["", *titles, *(f"paper: {title}" for title in titles), "what it is"]
    lines += [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for name, one in contestants.items():
        ours = [cell(results.scores[name].get(metric)) for metric, _ in COLUMNS]
        theirs = [f"{value:g}" for value in one.paper] if one.paper else ["-"] * len(COLUMNS)
        lines.append(f"| {' | '.join([one.name, *ours, *theirs, one.told])} |")
    lines += ["", "LVE, MOD in mm, FDD in 1e-5 m by vertex in absolute value; ours on our corpus, "]
    lines[-1] += "the paper's on TFHP: orderings compare, numbers do not."
    lines += ["", "## Orderings of the paper", ""]
    lines += [f"| against full | {' | '.join(titles)} |", "| --- " * (1 + len(titles)) + "|"]
    full = next((name for name, one in contestants.items() if one.name == "full"), None)
    for name, one in contestants.items():
        if full is None or name == full or one.paper is None:
            continue
        cells = [
            ordering(results, full, name, metric, one.paper[k] - ABLATIONS[0].paper[k])
            for k, (metric, _) in enumerate(COLUMNS)
        ]
        lines.append(f"| {one.name} | {' | '.join(cells)} |")
    lines += ["", "Holds: ours changes the same way, by more than the intervals over seeds."]
    return "\n".join(lines) + "\n\n" + to_markdown(results).replace("\n# ", "\n## ")


def ordering(results: Results, full: str, name: str, metric: str, theirs: float) -> str:
    """The paper's change against ours."""
    ours, base = results.scores[name].get(metric), results.scores[full].get(metric)
    if ours is None or base is None or not np.isfinite([ours.value, base.value]).all():
        return "-"
    change = ours.value - base.value
    told = f"{cell(Score(change))}, paper {theirs:+.2f}"
    noise = (ours.half_width or 0.0) + (base.half_width or 0.0)
    if abs(theirs) < 0.02 or abs(change) <= noise:
        return f"no difference ({told})"
    return f"{'holds' if change * theirs > 0 else 'does not hold'} ({told})"


if __name__ == "__main__":
    main()
