"""Small made-up inputs: a toy head, a moving motion, a vowel."""

from __future__ import annotations

import numpy as np

from kinevox import arkit
from kinevox.heads import BlendshapeHead, Part, Regions
from kinevox.motion import ARKIT, Motion
from kinevox.timebase import SAMPLE_RATE


def toy_head() -> BlendshapeHead:
    """A coarse sphere with all 52 expressions; the mouth opens at its lower front."""
    rings, sides = 8, 12
    polar = np.linspace(0.15, np.pi - 0.15, rings)
    around = np.arange(sides) * 2 * np.pi / sides
    polar, around = (axis.ravel() for axis in np.meshgrid(polar, around, indexing="ij"))
    template = 0.1 * np.stack(
        [np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1
    )
    quads = [
        (
            r * sides + s,
            r * sides + (s + 1) % sides,
            (r + 1) * sides + (s + 1) % sides,
            (r + 1) * sides + s,
        )
        for r in range(rings - 1)
        for s in range(sides)
    ]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, d, c), (a, c, b))])
    rng = np.random.default_rng(52)
    shapes = rng.normal(0, 0.002, (len(arkit.NAMES), *template.shape))
    # Each shape moves a third of the vertices, as real expressions are sparse.
    shapes *= (rng.random(shapes.shape[:2]) < 0.33)[..., None]
    upper, lower = 4 * sides, 5 * sides
    shapes[:, [upper, lower]] = 0
    shapes[arkit.NAMES.index("jawOpen"), lower, 1] = -0.03
    return BlendshapeHead(
        name="toy",
        layout=ARKIT,
        template=template.astype(np.float32),
        triangles=triangles,
        shape_names=arkit.NAMES,
        shapes=shapes.astype(np.float32),
        parts=(Part("skin", 0, 84), Part("teeth_upper", 84, len(template))),
        regions=Regions(
            lips=np.array([upper, lower]),
            inner_lip_pairs=np.array([[upper, lower]]),
            upper_face=np.arange(2 * sides),
        ),
    )


def toy_motion(frames: int = 30, fps: float = 25.0, seed: int = 0) -> Motion:
    """Smooth weights inside [0, 1] and a slowly turning head."""
    rng = np.random.default_rng(seed)
    times = np.arange(frames)[:, None] / fps
    waves = np.sin(2 * np.pi * rng.uniform(0.2, 2, 55) * times + rng.uniform(0, 6, 55))
    values = np.concatenate([0.5 + 0.5 * waves[:, :52], 0.15 * waves[:, 52:]], axis=1)
    return Motion(values.astype(np.float32), fps)


def vowel(seconds: float = 1.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """A buzzing "ah" at 120 Hz with two formants, float32."""
    times = np.arange(int(seconds * sample_rate)) / sample_rate
    harmonics = np.arange(1, 30) * 120.0
    gain = sum(1 / (1 + ((harmonics - f) / 120) ** 2) for f in (730.0, 1090.0))
    tone = (gain[:, None] * np.sin(2 * np.pi * harmonics[:, None] * times)).sum(axis=0)
    return (0.3 * tone / np.abs(tone).max()).astype(np.float32)
