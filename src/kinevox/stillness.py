"""Motion that rests between moves.

What is drawn from noise never quite rests: brows float where people's stay where they are until
they rise. Of all motions near to what was drawn, that is taken which moves least, counting how far
it goes and not how quickly: it keeps moves and drops what floats between them.

Source: total variation, Rudin, Osher and Fatemi 1992; solved by its dual, Beck and Teboulle 2009.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_ROUNDS = 100


def stilled(
    motion: Float[np.ndarray, "frames channels"], least: float
) -> Float[np.ndarray, "frames channels"]:
    """The motion x that makes the sum of (x - motion)^2 / 2 + `least` |steps of x| smallest.

    Args:
        least: What is left out: a move away and back is, where its size, summed over its frames, is
            less than twice this.
    """
    pull = ahead = np.zeros((max(len(motion) - 1, 0), motion.shape[1]))
    momentum = 1.0
    for _ in range(_ROUNDS):
        steps = np.diff(_pulled(motion, ahead), axis=0)
        further = np.clip(ahead + steps / 4, -least, least)
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = further + (momentum - 1) / faster * (further - pull)
        pull, momentum = further, faster
    return _pulled(motion, pull)


def _pulled(
    motion: Float[np.ndarray, "frames channels"], pull: Float[np.ndarray, "steps channels"]
) -> Float[np.ndarray, "frames channels"]:
    """Neighbouring frames drawn towards each other."""
    return motion + np.diff(pull, axis=0, prepend=0.0, append=0.0)
