"""Is sound that was moved found again? Real clips whose sound is shifted by known amounts.

    python benchmarks/sync.py CAPTURED [--out docs/results/sync]

CAPTURED is a corpus that `kinevox corpus make video` made of the clips in shared/data/video. For
each talker, the sound of all clips is moved by each amount, phones are found anew without the
words, and the lag is estimated from 4 or 10 clips of three seconds, drawn 100 times.
The last row pairs lips with the sound of other clips of the same talker.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from _shared import machine
from rich.progress import track

from kinevox.data import Corpus
from kinevox.data.corpora._sync import Curve, Sync, judged, lag_curves
from kinevox.heads import HEADS
from kinevox.metrics._vertices import mouth_opening
from kinevox.phones import find_phones
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

SHIFTS_MS = (-320, -200, -80, -40, 0, 40, 80, 200, 320)
CLIPS = (4, 10)
DRAWS = 100
MOST = 20
"""Clips of one talker that take part."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("captured", help="corpus of captured talkers, or its name")
    parser.add_argument("--out", type=Path, help="base name of the .md to write")
    options = parser.parse_args()
    corpus, head = Corpus.open(options.captured), HEADS.get("anny")()
    talkers: dict[str, list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
    for record in track(corpus, "Lips", total=len(corpus), transient=True):
        folder = record.metadata["file"].partition("/")[0]
        if len(talkers[folder]) < MOST:
            talkers[folder].append((mouth_opening(head, record.motion), record.speech.samples))
    rows = []
    for shift in (*SHIFTS_MS, None):
        curves = {
            name: [
                lag_curves(lips, find_phones(Speech(sound)))
                for lips, sound in zip(
                    [lips for lips, _ in clips], sounds(clips, shift), strict=True
                )
            ]
            for name, clips in track(talkers.items(), f"Sound {shift}", transient=True)
        }
        rows.append(row(shift, curves))
    command = " ".join(["python", "benchmarks/sync.py", *sys.argv[1:]])
    text = "\n".join(page(rows, command, len(talkers))) + "\n"
    print(text)
    if options.out:
        options.out.with_suffix(".md").write_text(text, encoding="utf-8")


def sounds(clips: list[tuple[np.ndarray, np.ndarray]], shift: int | None) -> list[np.ndarray]:
    """The sound of all clips, later by so many milliseconds; None: that of the next clip."""
    found = [sound for _, sound in clips]
    if shift is None:
        return found[1:] + found[:1]
    count = shift * SAMPLE_RATE // 1000
    gap = np.zeros(abs(count), np.float32)
    if count >= 0:
        return [np.concatenate([gap, sound[: len(sound) - count]]) for sound in found]
    return [np.concatenate([sound[-count:], gap]) for sound in found]


def row(shift: int | None, curves: dict[str, list[list[Curve]]]) -> list[str]:
    rng = np.random.default_rng(0)
    cells = ["others' sound" if shift is None else f"{shift:+d}"]
    for clips in CLIPS:
        drawn: list[Sync] = []
        for found in curves.values():
            for _ in range(DRAWS):
                chosen = rng.choice(len(found), min(clips, len(found)), replace=False)
                drawn.append(judged([curve for i in chosen for curve in found[i]]))
        lags = 1e3 * np.array([sync.lag for sync in drawn])
        off = np.abs(lags - (shift or 0))
        told = Counter(sync.verdict for sync in drawn)
        verdicts = ", ".join(
            f"{name} {count / len(drawn):.0%}" for name, count in told.most_common()
        )
        moves = [abs(1e3 * s.correction - (shift or 0)) for s in drawn if s.verdict == "moved"]
        wrong = sum(error > 40 for error in moves) if shift is not None else len(moves)
        errors = "-" if shift is None else f"{np.median(off):.0f}, {np.quantile(off, 0.95):.0f}"
        cells += [errors, verdicts, f"{wrong / len(drawn):.1%}"]
    return cells


def page(rows: list[list[str]], command: str, talkers: int) -> list[str]:
    heads = ["sound is late by [ms]"]
    for clips in CLIPS:
        heads += [f"{clips} clips: error, median and 95 % [ms]", "verdicts", "wrong corrections"]
    return [
        "# Sound against lips",
        "",
        "```",
        command,
        "```",
        "",
        f"{machine()}. {talkers} groups of clips. A wrong correction is one that leaves the "
        "sound more than a frame (40 ms) off.",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + " --- |" * len(heads),
        *("| " + " | ".join(cells) + " |" for cells in rows),
    ]


if __name__ == "__main__":
    main()
