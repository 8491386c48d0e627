"""Colours of the skin, as smooth functions of place: linear RGB for every vertex."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.heads import _anny_regions as anny
from kinevox.heads._anny_regions import Anatomy
from kinevox.heads._hair import HAIR
from kinevox.heads._pieces import mix, smoothstep

_SKIN = (0.60, 0.345, 0.245)
_BLUSH = (0.56, 0.235, 0.170)
_SHADE = (0.47, 0.235, 0.165)
_LIPS = (0.43, 0.135, 0.115)
_LID_EDGE = (0.20, 0.085, 0.065)
_MOUTH = (0.24, 0.055, 0.050)
_THROAT = (0.035, 0.006, 0.006)
_TONGUE = (0.46, 0.150, 0.140)
_SOCKET = (0.10, 0.03, 0.025)


def paint_skin(
    skin: Float[np.ndarray, "skin 3"], anatomy: Anatomy, eye_left: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "skin 3"]:
    """Skin, lips, lids, a cap of short hair, and the dark inside of the mouth."""
    side = np.abs(skin[:, 0])
    folded = np.stack([side, skin[:, 1], skin[:, 2]], axis=1)

    def near(x: float, y: float, z: float, radius: float) -> np.ndarray:
        """1 at a place given from the left eye [m], 0 beyond `radius`."""
        place = eye_left + np.array([x, y, z])
        return smoothstep(radius, 0, np.linalg.norm(folded - place, axis=1))

    color = np.tile(np.array(_SKIN), (len(skin), 1))
    nose = np.linalg.norm(skin - skin[anny.NOSE_TIP], axis=1)
    ears = smoothstep(0.86, 0.97, side / side.max())
    for amount in (
        0.5 * near(0.012, -0.038, 0.012, 0.034),
        0.6 * smoothstep(0.020, 0.0, nose),
        0.8 * ears,
    ):
        color = mix(color, _BLUSH, amount)
    color = mix(color, _SHADE, 0.5 * near(0.0, 0.002, 0.012, 0.026))

    color = mix(color, HAIR, _scalp(skin, eye_left) * (1 - ears))

    rings = anatomy.mouth.astype(float)
    color = mix(color, _LIPS, smoothstep(anny.LIP_RINGS + 1.3, anny.LIP_RINGS - 1.0, rings))
    color = mix(color, _MOUTH, smoothstep(0, -3, rings))
    color = mix(color, _THROAT, smoothstep(-3, -9, rings))
    lids = np.minimum(np.abs(anatomy.eye_left), np.abs(anatomy.eye_right)).astype(float)
    color = mix(color, _LID_EDGE, 0.8 * smoothstep(2.5, 0, lids))
    inside = np.minimum(anatomy.eye_left, anatomy.eye_right)
    return mix(color, _SOCKET, smoothstep(-1, -3, inside))


def _scalp(skin: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """1 where short hair grows, 0 on the face, soft over a centimetre."""
    forward = 1000 * (skin[:, 2] - eye[2])
    up = 1000 * (skin[:, 1] - eye[1])
    # The hairline in profile [mm from the eye]: nape, over the ear, sideburn, temple, forehead.
    hairline = np.interp(
        forward,
        [-150, -120, -95, -88, -72, -62, -50, -35, -15, 0, 20],
        [-62, -58, -44, -12, -2, -12, -4, 24, 40, 54, 62],
    )
    return smoothstep(-9, 7, up - hairline)


def paint_tongue(tongue: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
    """Pink, darker towards the throat."""
    behind = tongue[:, 2].max() - tongue[:, 2]
    return mix(_TONGUE, _THROAT, 0.85 * smoothstep(0.005, 0.05, behind))
