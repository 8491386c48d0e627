"""Do the lips open as the person's did? Tracked lips of GRID talker 1, from sound and words alone.

For every clip, a method hears the sound and is told the words, which learned methods do not look
at; the inner-lip gap of its motion on the Anny mesh is correlated over time with the distance the
tracker saw between the inner lips. The lag is where the correlation over all clips peaks; positive
means that our lips move too late. Log energy of the sound is scored in the same run as the simplest
rival.

    python benchmarks/lip_tracking.py [--method METHOD] [--style NAME] [--every N] [--without-text]
        [-o FILE.md]

The apertures of the rules' visemes were set from thirty clips of eleven other talkers. This talker
is not wholly unseen: a few of his curves were looked at when the breath before a phrase became a
rule, and his score was watched while the rules were written.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from _methods import add_options, performer, publish
from _shared import mean_with_interval, shared_folder
from rich.progress import track

from kinevox.audio.read import read_speech
from kinevox.heads import HEADS, inner_lip_gap

FPS = 25.0
UPPER, LOWER = 13, 14
"""MediaPipe's landmarks in the middle of the inner lips."""
LAGS = np.arange(-0.12, 0.121, 0.01)
SPOKEN = {"z": "zed"}
"""GRID's talkers are British."""


def tracked_gaps(folder: Path) -> dict[str, np.ndarray]:
    """Distance between the inner lips per clip and frame [pixels]."""
    with np.load(folder / "landmarks_delta.npz", allow_pickle=False) as store:
        ids = list(store["ids"])
        lips = [ids.index(UPPER), ids.index(LOWER)]
        gaps = {}
        for clip in store.files:
            if store[clip].ndim == 3:
                points = store[clip][:, lips, :2].cumsum(axis=0, dtype=np.int64) / 64
                gaps[clip] = np.linalg.norm(points[:, 0] - points[:, 1], axis=-1)
    return gaps


def correlation(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.std() == 0 or theirs.std() == 0:
        return 0.0
    return float(np.corrcoef(ours, theirs)[0, 1])


def log_energy(samples: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Energy around each time [dB]."""
    centres = (times * 16_000).astype(int)
    return np.array(
        [10 * np.log10(np.mean(samples[max(c - 320, 0) : c + 320] ** 2) + 1e-8) for c in centres]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_options(parser)
    parser.add_argument("--every", type=int, default=1, help="use every Nth clip")
    parser.add_argument("--without-text", action="store_true")
    options = parser.parse_args()

    folder = shared_folder("landmarks") / "grid_s1"
    clips = json.loads((folder / "manifest.json").read_text())[:: options.every]
    theirs = tracked_gaps(folder)
    head, perform = HEADS.get("anny")(), performer(options)
    ours, energy = [], []
    for clip in track(clips, "Clips", transient=True):
        words = [SPOKEN.get(w, w) for *_, w in clip["words"] if w not in ("sil", "sp")]
        text = None if options.without_text else " ".join(words)
        speech = read_speech(folder / f"{clip['clip']}.ogg", transcript=text)
        motion = perform(clip["clip"], speech, 100.0)
        gap = inner_lip_gap(head.vertices(motion, head_pose=False), head.regions)
        tracked = theirs[clip["clip"]]
        frames = np.arange(len(tracked)) / FPS
        shifted = [np.interp(frames + lag, motion.times, gap) for lag in LAGS]
        ours.append([correlation(row, tracked) for row in shifted])
        energy.append(correlation(log_energy(speech.samples, frames), tracked))
    table = np.array(ours)
    zero = int(np.abs(LAGS).argmin())
    peak = LAGS[table.mean(axis=0).argmax()]
    rows = [("method", perform.described(words=not options.without_text))]
    for name, scores in (("correlation", table[:, zero]), ("log energy", np.array(energy))):
        mean, half = mean_with_interval(scores)
        rows.append((name, f"{mean:.3f} +- {half:.3f}  ({len(scores)} clips)"))
    rows.append(("best lag", f"{1000 * peak:+.0f} ms  (half a frame is 20 ms)"))
    publish("Lips of a real person", rows, __doc__.split("\n\n")[1], options.out)


if __name__ == "__main__":
    main()
