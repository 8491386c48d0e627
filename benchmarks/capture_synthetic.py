"""How near does a capture come to a motion that is known? Our own head, performed, seen, fitted.

`articulate` performs real speech in three styles on three heads that played no part in making the
landmark table. The head drifts in front of a known camera. Two ways lead to the landmarks:

- projected: the landmarks of the posed mesh, with and without the tracker's jitter;
- rendered: pictures of the head, in which MediaPipe looks for the landmarks.

    python benchmarks/capture_synthetic.py [--seconds S] [--projected-only]

Writes docs/results/capture_synthetic.md and .json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from _shared import machine, shared_folder
from rich.progress import track

from kinevox import arkit, rotation
from kinevox.audio.read import read_speech
from kinevox.capture import Camera, Capture, Landmarks
from kinevox.capture.correspond import load_table
from kinevox.capture.fit import fit
from kinevox.heads import HEADS, inner_lip_gap
from kinevox.heads.anny import load_anny
from kinevox.methods import METHODS
from kinevox.motion import Motion

FPS = 25.0
TAKES = (
    ("lively", {"gender": 0.2, "age": 0.7}, "librispeech/ls103/103-1240-0000.opus", (640, 480)),
    ("cheerful", {"gender": 0.9, "age": 0.62}, "vctk/p227/p227_016.opus", (360, 288)),
    ("nervous", {"gender": 0.0, "age": 0.85}, "librispeech/ls1040/1040-133433-0000.opus",
     (640, 480)),
)  # fmt: skip
"""Style, phenotype, speech, and size of the picture [pixels]."""
JITTER = 0.3
"""Of a tracked landmark in a picture of 360 x 288 [pixels]."""
GROUPS = {
    "blinks": ("eyeBlink",),
    "gaze": ("eyeLook",),
    "squint and wide": ("eyeSquint", "eyeWide"),
    "brows": ("brow",),
    "jaw": ("jaw",),
    "lips": ("mouth",),
    "cheeks and nose": ("cheek", "nose"),
}
ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results"


def performed(style: str, speech: Path, seconds: float) -> tuple[Motion, np.ndarray]:
    """A motion, and where the head is [m]."""
    method = METHODS.get("articulate")
    motion = method.generate(read_speech(speech), method.load_style(style), seed=3, fps=FPS)
    motion = motion.cut(0.0, min(seconds, motion.seconds))
    t = motion.times[:, None]
    drift = np.sin(t * [0.9, 1.3, 0.7] + [0, 1, 2]) * [0.015, 0.008, 0.02]
    return motion, drift


def projected(motion: Motion, head, size, drift, noise: float) -> tuple[Landmarks, np.ndarray]:
    camera = Camera(1.5 * max(size), size)
    translation = drift + np.array([0.0, -0.02, -0.75])
    places = load_table().places(head.vertices(motion)) + translation[:, None]
    pixels = camera.project(places)
    pixels = pixels + noise * np.random.default_rng(0).normal(size=pixels.shape)
    depth = places[..., 2].mean(axis=1, keepdims=True) - places[..., 2]
    depth = depth * camera.focal / -translation[:, 2:]
    return _landmarks(np.dstack([pixels, depth]), size), translation


def rendered(motion: Motion, head, size, drift) -> tuple[Landmarks, np.ndarray, float]:
    import mediapipe

    from kinevox.rendering.scene import Scene

    tracker = mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True, max_num_faces=1)
    points = []
    with Scene(head, size) as scene:
        vertices = head.vertices(motion) + drift[:, None]
        for frame in track(vertices, f"Rendering {size[0]} x {size[1]}", transient=True):
            found = tracker.process(scene.draw(frame)).multi_face_landmarks
            row = np.full((478, 3), np.nan)
            if found:
                row = np.array([(p.x, p.y, p.z) for p in found[0].landmark])
                row *= [size[0], size[1], size[0]]
            points.append(row)
        return _landmarks(np.array(points), size), drift - scene.eye, scene.focal


def _landmarks(points: np.ndarray, size: tuple[int, int]) -> Landmarks:
    return Landmarks(np.arange(len(points)) / FPS, points, np.arange(478), size)


def compare(capture: Capture, motion: Motion, translation: np.ndarray, seconds: float) -> dict:
    """All errors of one take; lip and vertex errors on the default head, without head pose."""
    count = min(capture.motion.num_frames, motion.num_frames)
    got, true = (m.values[:count].astype(float) for m in (capture.motion, motion))
    off = np.abs(got[:, :52] - true[:, :52])
    mean_off = (got - true)[:, :52].mean(axis=0)
    moving = true[:, :52].std(axis=0) > 0.02
    channels = {
        name: {
            "error": float(off[:, k].mean()),
            "movement_error": float(np.abs((got - true)[:, k] - mean_off[k]).mean()),
            "correlation": _correlation(got[:, k], true[:, k]) if moving[k] else None,
            "true_mean": float(true[:, k].mean()),
        }
        for k, name in enumerate(arkit.NAMES)
    }
    head = HEADS.get("anny")()
    meshes = [head.vertices(Motion(v), head_pose=False) for v in (got, true)]
    gaps = [1000 * inner_lip_gap(mesh, head.regions) for mesh in meshes]
    skin = slice(head.parts[0].start, head.parts[0].stop)
    away = 1000 * np.linalg.norm(meshes[0][:, skin] - meshes[1][:, skin], axis=-1)
    moved = 1000 * np.linalg.norm(meshes[1][:, skin] - head.template[skin], axis=-1)
    R = [rotation.matrix_from_axis_angle(v[:, 52:]) for v in (got, true)]
    turn = rotation.axis_angle_from_matrix(R[0] @ np.swapaxes(R[1], 1, 2))
    shift = 1000 * (capture.translation - translation)[:count]
    blinks, seen = _blinks(got, true)
    return {
        "channels": channels,
        "error_pixels": float(np.nanmean(capture.error_pixels)),
        "face_pixels": float(np.nanmean(capture.face_pixels)),
        "turn_degrees": float(np.degrees(np.linalg.norm(turn, axis=1)).mean()),
        "turn_movement_degrees": float(
            np.degrees(np.linalg.norm(turn - turn.mean(axis=0), axis=1)).mean()
        ),
        "across_mm": float(np.linalg.norm(shift[:, :2], axis=1).mean()),
        "depth_percent": float(
            100 * np.abs(shift[:, 2]).mean() / np.abs(1000 * translation[:, 2]).mean()
        ),
        "lip_gap_mm": float(np.abs(gaps[0] - gaps[1]).mean()),
        "lip_gap_correlation": _correlation(gaps[0], gaps[1]),
        "vertex_mm": float(away.mean()),
        "moved_mm": float(moved.mean()),
        "blinks": blinks,
        "blinks_found": seen,
        "times_real_time": count / FPS / seconds,
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def _blinks(got: np.ndarray, true: np.ndarray) -> tuple[int, int]:
    """Blinks above 0.7 in the performance, and those of them that reach 0.6 in the capture."""
    column = arkit.NAMES.index("eyeBlinkLeft")
    shut = true[:, column] > 0.7
    starts = np.flatnonzero(np.diff(np.concatenate([[0], shut.astype(int)])) == 1)
    found = [got[max(s - 1, 0) : s + 6, column].max() > 0.6 for s in starts]
    return len(starts), int(sum(found))


def command() -> str:
    return " ".join(["python benchmarks/capture_synthetic.py", *sys.argv[1:]])


def table(results: dict[str, list[dict]]) -> str:
    """The page of results."""
    names = list(results)
    lines = ["# Capture of known motion", "", "```", f"{command()}", "```", ""]
    lines += ["\n\n".join(__doc__.split("\n\n")[1:3]).strip(), "", f"Machine: {machine()}.", ""]

    def row(label: str, key: str, form: str) -> str:
        cells = [form.format(np.mean([take[key] for take in results[name]])) for name in names]
        return f"| {label} | " + " | ".join(cells) + " |"

    lines += ["| mean over takes | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines += [
        row("reprojection [pixels]", "error_pixels", "{:.2f}"),
        row("size of the face [pixels]", "face_pixels", "{:.0f}"),
        row("head turn [degrees]", "turn_degrees", "{:.2f}"),
        row("head turn, constant part removed [degrees]", "turn_movement_degrees", "{:.2f}"),
        row("translation across [mm]", "across_mm", "{:.1f}"),
        row("depth [% of the distance]", "depth_percent", "{:.1f}"),
        row("inner-lip gap [mm]", "lip_gap_mm", "{:.2f}"),
        row("inner-lip gap, correlation", "lip_gap_correlation", "{:.3f}"),
        row("vertices of the skin [mm]", "vertex_mm", "{:.2f}"),
        row("(how far the skin moves [mm])", "moved_mm", "{:.2f}"),
        row("blinks performed per take", "blinks", "{:.1f}"),
        row("blinks found per take", "blinks_found", "{:.1f}"),
        row("fit, times real time (wall time)", "times_real_time", "{:.1f}"),
        "",
        "Weights, 0 to 1: mean error / error of the movement (without each take's constant "
        "offset) / correlation of channels that move.",
        "",
        "| channels | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for group, prefixes in GROUPS.items():
        members = [n for n in arkit.NAMES if n.startswith(prefixes)]
        cells = [_cell(results[name], members) for name in names]
        lines.append(f"| **{group}** | " + " | ".join(cells) + " |")
    for channel in arkit.NAMES:
        cells = [_cell(results[name], [channel]) for name in names]
        lines.append(f"| {channel} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n" + NOTES


NOTES = """
What the numbers say, and what they cannot:

- A performer who smiles or raises the brows throughout cannot be told from a face of that shape:
  whatever hardly ever leaves a face becomes part of its neutral. The error of the movement leaves
  this constant out.
- One camera does not tell a small head that is near from a large one that is far; the error of
  depth is mostly the error of the head's size, and of weights that carry it.
- `cheekPuff`, `jawForward` and `tongueOut` are never fitted; the performances hardly use them, so
  small errors there say nothing. Cheeks, squint and the finer shapes of the lips (dimple, stretch,
  press, roll) move landmarks by about the tracker's own error.
- The head is the model's own, so its shape and its way of moving can be fitted exactly. A real
  face adds what the model cannot do; see the reprojection error of real clips.
"""


def _cell(takes: list[dict], channels: list[str]) -> str:
    entries = [take["channels"][c] for take in takes for c in channels]
    moving = [e["correlation"] for e in entries if e["correlation"] is not None]
    error, movement = (np.mean([e[key] for e in entries]) for key in ("error", "movement_error"))
    correlation = f"{np.mean(moving):.2f}" if moving else "-"
    return f"{error:.3f} / {movement:.3f} / {correlation}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="of each take")
    parser.add_argument("--projected-only", action="store_true")
    options = parser.parse_args()
    results: dict[str, list[dict]] = {}

    def score(name: str, landmarks, focal: float | None, motion, translation) -> None:
        view = None if focal is None else 2 * np.arctan(max(landmarks.size) / 2 / focal)
        before = time.perf_counter()
        capture = fit(landmarks, fps=FPS, field_of_view=view)
        seconds = time.perf_counter() - before
        results.setdefault(name, []).append(compare(capture, motion, translation, seconds))

    for style, phenotype, speech, size in TAKES:
        head = load_anny(**phenotype)
        motion, drift = performed(style, shared_folder("speech") / speech, options.seconds)
        focal = 1.5 * max(size)
        for name, noise in (("projected", 0.0), ("projected, jitter", JITTER)):
            landmarks, translation = projected(motion, head, size, drift, noise)
            score(name, landmarks, focal, motion, translation)
        score("jitter, camera unknown", landmarks, None, motion, translation)
        if not options.projected_only:
            landmarks, translation, focal = rendered(motion, head, size, drift)
            score("rendered and tracked", landmarks, focal, motion, translation)
    page = table(results)
    print(page)
    if not options.projected_only:
        (RESULTS / "capture_synthetic.md").write_text(page, encoding="utf-8")
        text = json.dumps({"machine": machine(), "takes": results}, indent=1)
        (RESULTS / "capture_synthetic.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
