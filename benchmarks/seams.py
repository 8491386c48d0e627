"""Does a border between windows show? Recordings of a minute, of unseen performers.

    python benchmarks/seams.py --method METHOD [--performers 64] [-o FILE.md]

The clips of a corpus are a few seconds long, and most have one border at most. Here all clips of a
performer of the test split, one behind the other, are performed as one recording, in the style that
is read from their motion. Jerk and velocity at borders are held against those inside the same
windows, as `kinevox evaluate` does it (docs/metrics.md); a ratio of 1 is no seam. Cuts between
clips fall anywhere, so borders have no more of them than the inside has.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import numpy as np
from _shared import machine, mean_with_interval
from rich.progress import track

from kinevox.data import Corpus
from kinevox.heads import HEADS
from kinevox.methods import StyleReader, load_method
from kinevox.metrics import continuity
from kinevox.seeds import seed_for
from kinevox.speech import Speech

RATIOS = {
    "border_jerk_ratio_face": "jerk, face",
    "border_jerk_ratio_head": "jerk, head",
    "border_velocity_ratio_face": "velocity, face",
    "border_velocity_ratio_head": "velocity, head",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--method", default="diffposetalk", help="e.g. diffposetalk:RUN@steps=4")
    parser.add_argument("--corpus", default="performers")
    parser.add_argument("--performers", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, help="file .md to write too")
    options = parser.parse_args()

    method, head = load_method(options.method), HEADS.get("anny")()
    if not isinstance(method, StyleReader):
        sys.exit(f"Method '{options.method}' cannot read a style from motion.")
    clips = Corpus.open(options.corpus).split("test")
    scores: dict[str, list[float]] = {name: [] for name in RATIOS}
    borders = 0
    performers = np.unique(clips.index["style"])[: options.performers]
    for name in track(performers, "Performers", transient=True):
        rows = np.flatnonzero(clips.index["style"] == name)
        shown = [clips.motion(int(i)) for i in rows]
        told = method.extract_style(shown, None, lambda done, total: None)
        speech = Speech(np.concatenate([clips[int(i)].speech.samples for i in rows]))
        motion = method.generate(
            speech, told.style, seed=seed_for(name, options.seed), fps=shown[0].fps
        )
        where = continuity.window_borders(motion)
        borders += len(where)
        found = continuity.evaluate(head, motion, where)
        for ratio, values in scores.items():
            values.append(found[ratio])
    lines = ["# Seams between windows", "", "```", shlex.join(["python", *sys.argv]), "```", ""]
    lines += [
        f"{borders} borders in recordings of {len(performers)} performers of the test split of "
        f"`{options.corpus}`. Means over recordings, with 95 % intervals. {machine()}.",
        "",
        f"| at borders, against inside | {options.method} |",
        "| --- | --- |",
    ]
    for ratio, title in RATIOS.items():
        values = np.array(scores[ratio])
        mean, half = mean_with_interval(values[np.isfinite(values)])
        lines.append(f"| {title} | {mean:.3f} ± {half:.3f} |")
    text = "\n".join([*lines, "", __doc__.split("\n\n")[2].strip()]) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
