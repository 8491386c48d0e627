"""A made-up face as formulas over (x, y), so that any grid and any scale show the same motion.

The surface is a bulge with a nose and a mouth: a slit along whose middle the grid is cut, upper
and lower lip lying on each other at rest. The same formulas give an ARKit head of any resolution
and a file with FLAME's exact structure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from kinevox import arkit
from kinevox.heads import BlendshapeHead, Part, Regions
from kinevox.heads._regions_by_motion import find_regions
from kinevox.motion import ARKIT

MOUTH_Y, MOUTH_HALF = -0.045, 0.026


@dataclass(frozen=True)
class Face:
    x: np.ndarray
    y: np.ndarray
    lower: np.ndarray
    """Below the slit; the two lips differ only in this."""
    triangles: np.ndarray

    @property
    def template(self) -> np.ndarray:
        x, y = self.x, self.y
        bulge = 0.10 * np.sqrt(np.maximum(1 - (x / 0.09) ** 2 - (y / 0.13) ** 2, 0.01))
        nose = 0.025 * np.exp(-((x / 0.012) ** 2) - (y / 0.025) ** 2)
        lips = 0.006 * np.exp(-((x / 0.025) ** 2) - ((y - MOUTH_Y) / 0.008) ** 2)
        return np.stack([x, y, bulge + nose + lips], axis=1)

    @property
    def jaw(self) -> np.ndarray:
        """How much each vertex follows the jaw: a step across the slit, a ramp beside it."""
        beside = np.clip((np.abs(self.x) - MOUTH_HALF) / 0.02, 0, 1)
        ramp = np.clip(0.5 + (MOUTH_Y - self.y) / (0.06 * beside + 1e-9), 0, 1)
        return np.where(beside > 0, ramp, self.lower)

    def shape(self, name: str) -> np.ndarray:
        """Displacement of one ARKit expression at full weight [m]."""
        if name.startswith("jaw"):
            turn = {"Open": (0, -0.02, -0.006), "Forward": (0, 0, 0.006)}
            side = {"Left": (0.006, 0, 0), "Right": (-0.006, 0, 0)}
            return self.jaw[:, None] * np.array((turn | side)[name[3:]])
        stem = name.removesuffix("Left").removesuffix("Right")
        rng = np.random.default_rng([ord(letter) for letter in stem])
        places = {"eye": (0.03, 0.035), "bro": (0.03, 0.06), "che": (0.045, -0.01)}
        places |= {"nos": (0.012, 0.0), "mou": (0.014, MOUTH_Y), "ton": (0.0, MOUTH_Y)}
        place = np.array(places[name[:3]]) + rng.uniform(-0.008, 0.008, 2)
        width = rng.uniform(0.010, 0.018)
        direction = rng.normal(0, 0.003, 3)
        total = np.zeros((len(self.x), 3))
        for side in (1, -1):
            if name.endswith(("Right", "Left")) and side != (1 if name.endswith("Left") else -1):
                continue
            away = (self.x - side * place[0]) ** 2 + (self.y - place[1]) ** 2
            total += np.exp(-away / (2 * width**2))[:, None] * direction * (side, 1, 1)
        if "Upper" in name or "Lower" in name:
            total *= (self.lower == ("Lower" in name))[:, None]
        return total


def face(columns: int = 31, rows: int = 41) -> Face:
    """A grid of columns x rows, cut along the mouth."""
    xs, ys = np.linspace(-0.07, 0.07, columns), np.linspace(0.09, -0.11, rows)
    slit = int(np.abs(ys - MOUTH_Y).argmin())
    ys[slit] = MOUTH_Y
    y, x = (axis.ravel() for axis in np.meshgrid(ys, xs, indexing="ij"))
    upper = np.arange(columns * rows).reshape(rows, columns)
    below = upper.copy()
    cut = np.flatnonzero(np.abs(xs) < MOUTH_HALF)
    below[slit, cut] = len(x) + np.arange(len(cut))
    x, y = np.append(x, xs[cut]), np.append(y, ys[slit] - np.full(len(cut), 5e-4))
    corners = []
    for r in range(rows - 1):
        top = below[r] if r == slit else upper[r]
        bottom = upper[r + 1]
        quads = zip(top[:-1], bottom[:-1], bottom[1:], top[1:], strict=True)
        corners += [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    lower = (y < MOUTH_Y).astype(float)
    return Face(x, y, lower, np.array(corners))


def arkit_face(columns: int = 31, rows: int = 41, scale: float = 1.0) -> BlendshapeHead:
    """The face as an ARKit head."""
    surface = face(columns, rows)
    shapes = scale * np.stack([surface.shape(name) for name in arkit.NAMES])
    template = scale * surface.template
    everywhere = np.ones(len(template), dtype=bool)
    regions: Regions = find_regions(
        template, everywhere, shapes[arkit.NAMES.index("jawOpen")], surface.y > 0.02
    )
    return BlendshapeHead(
        name=f"face-{columns}x{rows}",
        layout=ARKIT,
        template=template.astype(np.float32),
        triangles=surface.triangles,
        shape_names=arkit.NAMES,
        shapes=shapes.astype(np.float32),
        parts=(Part("skin", 0, len(template)),),
        regions=regions,
    )


def flame_file(columns: int = 27, rows: int = 35) -> dict[str, object]:
    """The keys and shapes of FLAME's pickle, for this face; two small eyeballs come last."""
    surface = face(columns, rows)
    eye = np.array([[0.01, 0, 0], [-0.01, 0, 0], [0, 0.01, 0], [0, -0.01, 0], [0, 0, 0.01]])
    skin = surface.template
    left = np.array([0.03, 0.035, 0.07])
    template = np.concatenate([skin, eye + left, eye + left * (-1, 1, 1)])
    fan = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4]])
    triangles = np.concatenate(
        [surface.triangles, fan + len(skin), fan + len(skin) + len(eye)]
    ).astype(np.uint32)
    v, s = len(template), len(skin)
    rng = np.random.default_rng(2017)
    # Expressions are mixtures of the face's own, as FLAME's principal components are.
    own = np.stack([surface.shape(n) for n in arkit.NAMES if not n.startswith("jaw")], axis=-1)
    shapedirs = np.zeros((v, 3, 400))
    shapedirs[..., :300] = rng.normal(0, 1e-4, (v, 3, 300))
    shapedirs[:s, :, 300:] = own @ rng.normal(0, 0.3, (own.shape[-1], 100))
    weights = np.zeros((v, 5))
    weights[:s, 2] = surface.jaw
    weights[:s, 1] = 1 - surface.jaw
    weights[s : s + len(eye), 3] = weights[s + len(eye) :, 4] = 1
    # Joints: means of a few vertices, shifted in depth by mixing in the eyeballs.
    regressor = np.zeros((5, v))
    near = np.abs(skin[:, :2] - [0, -0.1]).sum(axis=1).argsort()[:4]
    regressor[[[0], [1]], near] = 0.25
    jaw_hinge = np.abs(np.abs(skin[:, :2]) - [0.07, 0.0]).sum(axis=1).argsort()[:6]
    regressor[2, jaw_hinge] = 1 / 6
    regressor[3, s : s + len(eye)] = regressor[4, s + len(eye) :] = 1 / len(eye)
    return {
        "v_template": template,
        "f": triangles,
        "shapedirs": shapedirs,
        "posedirs": rng.normal(0, 1e-4, (v, 3, 36)),
        "J_regressor": scipy.sparse.csc_matrix(regressor),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], dtype=np.uint32),
        "weights": weights,
        "J": regressor @ template,
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }
