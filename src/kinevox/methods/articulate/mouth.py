"""Articulator curves to ARKit mouth weights.

ARKit has no channel for "inner lips 4 mm apart": jaw, upper lip, lower lip and funnel all open
the mouth, and `mouthClose` closes the lips over an open jaw. The aperture asked for is first
given to the jaw, then to the lips; whatever the jaw opens too far is taken back by `mouthClose`,
which therefore never exceeds `jawOpen`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.arkit import LIP_OPENING_MM
from kinevox.methods.articulate.style import StyleFactors
from kinevox.methods.articulate.visemes import ARTICULATORS

JAW_MM = LIP_OPENING_MM["jawOpen"]
"""Inner-lip opening by jawOpen = 1, and closing by mouthClose = 1, on Anny [mm]."""
LOWER_LIP_MM = 2 * LIP_OPENING_MM["mouthLowerDownLeft"]
"""Opening by mouthLowerDown = 1 on both sides [mm]."""
UPPER_LIP_MM = 2 * LIP_OPENING_MM["mouthUpperUpLeft"]
"""Opening by mouthUpperUp = 1 on both sides [mm]."""
FUNNEL_MM = LIP_OPENING_MM["mouthFunnel"]
"""Opening by mouthFunnel = 1 [mm]."""


def styled(
    curves: Float[np.ndarray, "frames articulators"], style: StyleFactors
) -> Float[np.ndarray, "frames articulators"]:
    """Articulation scaled by the style: jaw and lips apart, as on JALI's two axes."""
    scaled = dict(zip(ARTICULATORS, curves.T, strict=True))
    crisp = 1 - 0.7 * style.mumble
    by_jaw = np.minimum(scaled["aperture"], JAW_MM * scaled["jaw"])
    by_lips = scaled["aperture"] - by_jaw
    scaled["jaw"] = scaled["jaw"] * style.jaw_gain * crisp
    scaled["aperture"] = (by_jaw * style.jaw_gain + by_lips * style.lip_gain) * crisp
    for name in ("rounding", "protrusion"):
        scaled[name] = scaled[name] * style.rounding * crisp
    scaled["spread"] = scaled["spread"] * style.lip_gain * crisp
    return np.stack([scaled[name] for name in ARTICULATORS], axis=-1)


def mouth_weights(
    curves: Float[np.ndarray, "frames articulators"],
    closed: Float[np.ndarray, " frames"],
    style: StyleFactors,
) -> dict[str, Float[np.ndarray, " frames"]]:
    """ARKit weights of jaw, lips and tongue.

    Args:
        curves: Articulators, already `styled`.
        closed: Lip closure in [0, 1]; at 1 the lips touch whatever else is asked for.
    """
    a = {name: np.maximum(curve, 0) for name, curve in zip(ARTICULATORS, curves.T, strict=True)}
    # A closing mouth takes the jaw along a little, and cannot flare its lips.
    jaw = np.clip(a["jaw"] * (1 - 0.4 * closed), 0, 1)
    funnel = np.clip(0.7 * a["protrusion"] + 0.25 * a["rounding"], 0, 1) * (1 - closed)
    pucker = np.clip(0.9 * a["rounding"] + 0.25 * a["protrusion"], 0, 1)
    aperture = np.maximum(a["aperture"], style.lip_parting) * (1 - closed)

    # The funnel may give at most the whole opening; the jaw the rest; the lips what still lacks.
    funnel = np.minimum(funnel, aperture / FUNNEL_MM)
    lacking = aperture - FUNNEL_MM * funnel - JAW_MM * jaw
    by_lips = np.maximum(lacking, 0)
    close = np.clip(-lacking / JAW_MM, 0, jaw)

    tuck = a["labiodental"] * (1 - closed)
    press = style.lip_press * closed
    lower = np.clip(0.6 * by_lips / LOWER_LIP_MM, 0, 0.8) * (1 - 0.8 * tuck)
    upper = np.clip(0.4 * by_lips / UPPER_LIP_MM, 0, 0.8) + 0.25 * tuck
    smile, frown = max(style.smile, 0.0), max(-style.smile, 0.0)
    # Rounded lips pull the corners in, so there is less smile while they round.
    corners = 1 - 0.6 * np.clip(a["rounding"], 0, 1)
    weights = {
        "jawOpen": jaw,
        "mouthClose": close,
        "mouthFunnel": funnel,
        "mouthPucker": pucker,
        "mouthRollLower": 0.5 * tuck + 0.25 * press,
        "mouthRollUpper": 0.3 * press,
        "mouthShrugLower": 0.04 * closed + 0.10 * press,
        "tongueOut": np.clip(a["tongue"], 0, 1) * (1 - closed),
    }
    pairs = {
        "mouthLowerDown": lower,
        "mouthUpperUp": upper,
        "mouthStretch": 0.5 * a["spread"] * corners,
        "mouthSmile": (smile + 0.25 * a["spread"]) * corners,
        "mouthDimple": 0.3 * smile * corners,
        "mouthFrown": frown * corners,
        "mouthPress": 0.5 * press,
        "cheekSquint": 0.6 * smile * corners,
    }
    for name, pair in pairs.items():
        left, right = lopsided(pair, style.asymmetry)
        weights[name + "Left"], weights[name + "Right"] = left, right
    return {name: np.clip(weight, 0, 1) for name, weight in weights.items()}


def lopsided(
    pair: Float[np.ndarray, " frames"], asymmetry: float
) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
    """A symmetric weight split to left and right; the stronger side keeps its strength."""
    return pair * (1 - max(-asymmetry, 0.0)), pair * (1 - max(asymmetry, 0.0))
