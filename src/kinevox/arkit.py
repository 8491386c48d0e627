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

HALVES: dict[str, tuple[str, str]] = {
    "browInnerUp": ("browInnerUpLeft", "browInnerUpRight"),
    "cheekPuff": ("cheekPuffLeft", "cheekPuffRight"),
}
"""Expressions that some rigs (ICT-FaceKit) split in two; the halves add up to the whole."""

EYE_LOOK_RADIANS = 0.611
"""Turn of the eye at an eyeLook weight of 1: 35 degrees, as in the eye columns of device takes."""

LIP_OPENING_MM: dict[str, float] = {
    "jawOpen": 35.0, "mouthClose": -35.0, "mouthFunnel": 13.0,
    "mouthLowerDownLeft": 2.25, "mouthLowerDownRight": 2.25,
    "mouthUpperUpLeft": 2.75, "mouthUpperUpRight": 2.75,
}  # fmt: skip
"""How far a weight of 1 opens the inner lips, on Anny [mm]."""

_KEYS = {name.lower(): name for name in NAMES}
_HALF_KEYS = {half.lower(): whole for whole, halves in HALVES.items() for half in halves}


def find_name(spelling: str) -> str | None:
    """ARKit name meant by any spelling in use, or None.

    Understands `EyeBlinkLeft`, `eyeBlink_L`, `eyeBlinkL`, `eye_blink_left`,
    `blendShapes.EyeBlinkLeft`, prefixed morph names such as `Head_eyeBlinkLeft` and the `.001`
    that Blender appends to copies.
    """
    return _find(spelling, _KEYS)


def find_half(spelling: str) -> str | None:
    """The whole expression of which a split rig's channel is one half, or None (see `HALVES`)."""
    return _find(spelling, _HALF_KEYS)


def _find(spelling: str, keys: dict[str, str]) -> str | None:
    tail = re.split(r"[.:|/]", re.sub(r"\.\d+$", "", spelling.strip()))[-1]
    plain = re.sub(r"[_\-\s]+(?i:l|left)$|(?<=[a-z])L$", "Left", tail)
    plain = re.sub(r"[_\-\s]+(?i:r|right)$|(?<=[a-z])R$", "Right", plain)
    words = [word for word in re.split(r"[_\-\s]+", plain) if word]
    for start in range(len(words)):
        found = keys.get("".join(words[start:]).lower())
        if found:
            return found
    return None
