"""A style in numbers that people understand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kinevox.methods.diffposetalk import Style
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork

_AXES = {"head_x": "nods", "head_y": "turns", "head_z": "tilts"}


def described(network: DiffPoseTalkNetwork, style: Style) -> Mapping[str, str]:
    """What is expected of somebody with a style, and how much of them was seen.

    Head and eyes as root mean squares [deg, deg/s]; brows and the rest of the upper face against
    the spread of the corpus's people, which is 1.
    """
    if not style.vector:
        return {"follows": "nobody"}
    told: dict[str, str] = {}
    if network.manners is not None:
        manner, space = network.manners.expected(style), network.space
        speed = 0.0
        for part, moves in manner.moves.items():
            if part in _AXES:
                size = np.degrees(space.statistics.std[space.layout.index(part)])
                told[f"{_AXES[part]} [deg]"] = f"{size * np.exp(moves[0]):.1f}"
                speed += (size * np.exp(moves[1]) * space.fps) ** 2
            else:
                told[part] = f"{np.exp(moves[0]):.2f}"
        if speed:
            told["speed of the head [deg/s]"] = f"{speed**0.5:.1f}"
        if manner.wander is not None:
            told["eyes wander [deg]"] = f"{np.degrees(manner.wander):.1f}"
        if manner.blinks is not None:
            told["blinks a minute"] = f"{60 * manner.blinks:.0f}"
    told["seen for [s]"] = f"{style.seconds:.0f}" if style.manner else "too short to measure"
    return told
