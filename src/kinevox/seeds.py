"""Random numbers of a recording's own.

With one seed for many recordings all of them would begin with the same glance and nod to the same
side at the same time. So what is drawn follows from the seed and from the name of the recording:
the same alone and among others, and another for the next line.
"""

from __future__ import annotations

import zlib

import numpy as np


def seed_for(name: str, seed: int) -> int:
    """The seed that a method is given for the recording of this name."""
    mixed = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return int(mixed.generate_state(1, np.uint32)[0])
