"""ARKit's 52 facial expressions: their names, and the orders and spellings in use.

Apple publishes a dictionary, not an array, so kinevox exchanges expressions by name. "Left" is
the character's own left.
"""

from __future__ import annotations

import re

NAMES: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
"""Apple's spelling, in the column order of a Live Link Face CSV."""

UNREAL_ORDER: tuple[str, ...] = tuple(
    {
        "jawRight": "jawLeft",
        "jawLeft": "jawRight",
        "mouthRight": "mouthLeft",
        "mouthLeft": "mouthRight",
    }.get(name, name)
    for name in NAMES
)
"""Order of Unreal's `EARFaceBlendShape`, of Live Link's UDP packets and of Audio2Face."""

_KEYS = {name.lower(): name for name in NAMES}


def find_name(spelling: str) -> str | None:
    """ARKit name meant by any spelling in use, or None.

    Understands `EyeBlinkLeft`, `eyeBlink_L`, `eye_blink_left`, `blendShapes.EyeBlinkLeft` and
    prefixed morph names such as `Head_eyeBlinkLeft`.
    """
    tail = re.split(r"[.:|/]", spelling.strip())[-1]
    plain = re.sub(r"[_\-\s]+(l|left)$", "Left", tail, flags=re.IGNORECASE)
    plain = re.sub(r"[_\-\s]+(r|right)$", "Right", plain, flags=re.IGNORECASE)
    words = [word for word in re.split(r"[_\-\s]+", plain) if word]
    for start in range(len(words)):
        found = _KEYS.get("".join(words[start:]).lower())
        if found:
            return found
    return None
