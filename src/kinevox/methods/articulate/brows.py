"""Brows: raised on accents, held by mood.

Brow raises go with pitch accents and lead them slightly (Cave et al. 1996; Flecha-Garcia 2010).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.audio.prosody import Prosody
from kinevox.methods.articulate._noise import add_pulse, control_times, smooth_noise
from kinevox.methods.articulate.mouth import lopsided
from kinevox.methods.articulate.style import StyleFactors


def brow_raise(
    prosody: Prosody, seconds: float, style: StyleFactors, rng: np.random.Generator
) -> Float[np.ndarray, " ticks"]:
    """Height of the brows on the control clock: 0 at rest, negative lowered."""
    height = 0.05 * smooth_noise(rng, len(control_times(seconds)), 0.3)
    for accent in prosody.accents:
        luck, size, lead, length = rng.uniform(size=4)
        if luck < 0.1 + 0.6 * accent.strength**1.5:
            peak = accent.time - 0.06 * lead
            add_pulse(
                height, peak, 0.16, 0.06 + 0.2 * length, 0.35, accent.strength * (0.2 + 0.35 * size)
            )
    return style.brow_height + style.brow_activity * height


def brow_weights(
    height: Float[np.ndarray, " frames"], style: StyleFactors
) -> dict[str, Float[np.ndarray, " frames"]]:
    """ARKit weights of the brows."""
    up, down = np.clip(height, 0, 1), np.clip(-height, 0, 1)
    # A sad brow rises inside only.
    outer = up * (0.3 if style.smile < -0.3 else 0.8)
    weights = {"browInnerUp": up}
    for name, pair in (("browOuterUp", outer), ("browDown", down)):
        weights[f"{name}Left"], weights[f"{name}Right"] = lopsided(pair, 0.6 * style.asymmetry)
    return weights
