"""Draws the measured regions of a head: `python docs/make_region_pictures.py [HEAD ...]`.

Writes docs/images/regions_HEAD.png: on the left the region sets on the resting face, on the right
the columns of the inner lips with the mouth half open.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyvista as pv

from kinevox.heads import HEADS, Head
from kinevox.motion import Motion

IMAGES = Path(__file__).parent / "images"

PLAIN, LIPS, UPPER_FACE = (206, 196, 188), (196, 62, 54), (78, 122, 190)
UPPER_LIP, LOWER_LIP = (250, 196, 40), (40, 190, 150)
HIDDEN = ("brows", "lashes")
"""Parts that would cover the regions."""


def draw(name: str) -> Path:
    """Draws one head and returns the picture's path."""
    head = HEADS.get(name)()
    plotter = pv.Plotter(off_screen=True, shape=(1, 2), window_size=(1400, 800), border=False)
    for column in range(2):
        plotter.subplot(0, column)
        plotter.set_background("white")
        _draw_face(plotter, head, opening=0.35 * column)
    plotter.subplot(0, 0)
    entries = {
        "upper_face": UPPER_FACE,
        "lips": LIPS,
        "inner_lip_pairs, upper": UPPER_LIP,
        "inner_lip_pairs, lower": LOWER_LIP,
    }
    plotter.add_legend(
        [[name, _hex(color)] for name, color in entries.items()],
        face="circle",
        size=(0.36, 0.2),
        loc="lower left",
    )
    _look_at(plotter, np.array([-0.03, 0.02, 0.04]), distance=0.62)
    plotter.subplot(0, 1)
    mouth = head.template[head.regions.inner_lip_pairs].mean(axis=(0, 1))
    _look_at(plotter, mouth - [0, 0.006, 0], distance=0.2)
    path = IMAGES / f"regions_{name}.png"
    IMAGES.mkdir(exist_ok=True)
    plotter.screenshot(path)
    return path


def _draw_face(plotter: pv.Plotter, head: Head, opening: float) -> None:
    motion = Motion(np.zeros((1, head.layout.num_channels)), layout=head.layout)
    vertices = head.vertices(motion.with_channels(jawOpen=opening))[0]
    colors = np.tile(np.array(PLAIN, dtype=np.uint8), (len(vertices), 1))
    colors[head.regions.upper_face] = UPPER_FACE
    colors[head.regions.lips] = LIPS
    for part in head.parts:
        mine = ((head.triangles >= part.start) & (head.triangles < part.stop)).all(axis=1)
        if part.name in HIDDEN:
            continue
        triangles = head.triangles[mine] - part.start
        mesh = pv.PolyData.from_regular_faces(vertices[part.start : part.stop], triangles)
        mesh["color"] = colors[part.start : part.stop]
        plotter.add_mesh(mesh, scalars="color", rgb=True, smooth_shading=True, specular=0.1)
    if opening:
        for k, color in enumerate((UPPER_LIP, LOWER_LIP)):
            dots = vertices[head.regions.inner_lip_pairs[:, k]] + [0, 0, 0.001]
            plotter.add_mesh(
                pv.PolyData(dots), color=color, point_size=14, render_points_as_spheres=True
            )
        for upper, lower in vertices[head.regions.inner_lip_pairs] + [0, 0, 0.001]:
            plotter.add_mesh(pv.Line(upper, lower), color="black", line_width=2)


def _look_at(plotter: pv.Plotter, target: np.ndarray, distance: float) -> None:
    plotter.camera_position = [target + np.array([0, 0, distance]), target, (0, 1, 0)]
    plotter.camera.view_angle = 26


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


if __name__ == "__main__":
    for head_name in sys.argv[1:] or ["anny"]:
        draw(head_name)
