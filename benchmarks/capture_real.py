"""Does capture see real lips? Captured motion against the tracker, and against the sound.

    python benchmarks/capture_real.py [--every N]

All clips of GRID in the shared data: videos of three talkers and nine others, tracked with
MediaPipe, and for talker 1 the landmarks of further clips of which there are no pictures. For each
talker: how far the landmarks lie from the fit; how the inner-lip gap of the fitted head on the Anny
mesh correlates with the distance between the tracker's inner lips; how closed the mesh is where
the tracker sees no gap; and by how much the lips move later than the sound gets loud. That lag is
where the correlation over all clips of the talker peaks. Talker 1 was never used to tune the fit.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _shared import machine, shared_folder
from rich.progress import track

from kinevox.audio.read import read_audio
from kinevox.capture import Landmarks, Shot
from kinevox.capture._capture import person_landmarks
from kinevox.capture.fit import fit
from kinevox.heads import HEADS, inner_lip_gap
from kinevox.timebase import FPS, SAMPLE_RATE

UPPER, LOWER, RIGHT_EYE, LEFT_EYE = 13, 14, 33, 263
"""MediaPipe's middle of the inner lips and outer corners of the eyes."""
SHUT = 0.005
"""The tracker's gap below which lips are shut, in distances between the eyes' outer corners."""
LAGS = np.arange(-6, 7)
"""[frames]"""

Clip = tuple[str, Landmarks, np.ndarray]
"""Talker, landmarks, sound."""


def videos() -> list[Path]:
    return sorted(shared_folder("video").glob("*/*.mpg"))


def of_video(path: Path) -> Clip:
    return path.parent.name, person_landmarks(path), read_audio(path)


def without_pictures(every: int) -> Iterator[Clip]:
    folder = shared_folder("landmarks") / "grid_s1"
    clips = json.loads((folder / "manifest.json").read_text())[::every]
    with np.load(folder / "landmarks_delta.npz", allow_pickle=False) as store:
        ids, size = store["ids"].astype(int), tuple(int(side) for side in store["size"])
        for clip in track(clips, "Landmarks", transient=True):
            points = store[clip["clip"]].cumsum(axis=0, dtype=np.int64) / 64
            shots = (Shot(0, len(points)),)
            seen = Landmarks(np.arange(len(points)) / FPS, points, ids, size, shots)
            yield "grid_s1, landmarks only", seen, read_audio(folder / f"{clip['clip']}.ogg")


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def loudness(samples: np.ndarray, frames: int) -> np.ndarray:
    """Log energy around the middle of each frame."""
    centres = ((np.arange(frames) + 0.5) * SAMPLE_RATE / FPS).astype(int)
    around = [samples[max(c - 320, 0) : c + 320] for c in centres]
    return np.array([np.log(np.mean(s**2) + 1e-8) if len(s) else np.log(1e-8) for s in around])


def measured(head, clip: Clip) -> dict[str, float | list[float]]:
    _, landmarks, samples = clip
    found = fit(landmarks, fps=FPS)
    gap = 1e3 * inner_lip_gap(head.vertices(found.motion, head_pose=False), head.regions)
    column = {int(name): k for k, name in enumerate(landmarks.ids)}

    def distance(a: int, b: int) -> np.ndarray:
        apart = landmarks.points[:, column[a], :2] - landmarks.points[:, column[b], :2]
        return np.linalg.norm(apart, axis=1)

    seen = distance(UPPER, LOWER) / distance(RIGHT_EYE, LEFT_EYE)
    frames = min(len(seen), len(gap))
    gap, seen = gap[:frames], seen[:frames]
    loud = loudness(samples, frames)
    edge = LAGS.max()
    inside = slice(edge, frames - edge)
    shut = seen < SHUT
    return {
        "error": float(np.nanmean(found.error_pixels)),
        "relative": float(np.nanmean(found.error)),
        "lips": correlation(gap, seen),
        "shut": float(np.mean(gap[shut] < 1.0)) if shut.any() else np.nan,
        "lags": [correlation(np.roll(gap, -lag)[inside], loud[inside]) for lag in LAGS],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="use every Nth clip without pictures")
    options = parser.parse_args()
    head = HEADS.get("anny")()
    rows: dict[str, list] = {}
    for path in track(videos(), "Videos", transient=True):
        clip = of_video(path)
        rows.setdefault(clip[0], []).append(measured(head, clip))
    for clip in without_pictures(options.every):
        rows.setdefault(clip[0], []).append(measured(head, clip))
    print(machine(), end="\n\n")
    print(
        "| talker | clips | error [pixels] | of the face | lips, r (lowest) | shut | lag [frames] |"
    )
    print("|---|---|---|---|---|---|---|")
    for talker, clips in rows.items():
        mean = {key: np.nanmean([c[key] for c in clips], axis=0) for key in clips[0]}
        lowest = min(c["lips"] for c in clips)
        lag = LAGS[int(np.argmax(mean["lags"]))]
        print(
            f"| {talker} | {len(clips)} | {mean['error']:.2f} | {100 * mean['relative']:.2f} % | "
            f"{mean['lips']:.3f} ({lowest:.3f}) | {100 * mean['shut']:.0f} % | {lag:+d} |"
        )


if __name__ == "__main__":
    main()
