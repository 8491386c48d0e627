"""Names of expressions in the spellings found in the wild."""

from __future__ import annotations

import pytest

from kinevox import arkit


def pascal(name: str) -> str:
    return name[0].upper() + name[1:]


def sided(name: str, left: str, right: str) -> str:
    if name.endswith("Left"):
        return name[:-4] + left
    return name[:-5] + right if name.endswith("Right") else name


@pytest.mark.parametrize("name", arkit.NAMES)
def test_every_spelling_means_the_same(name: str) -> None:
    spellings = [
        *(name, pascal(name), f"blendShapes.{pascal(name)}", f"Head_{name}", f"{name}.001"),
        *(sided(name, "_L", "_R"), sided(name, "L", "R"), sided(name, "_left", "_right")),
    ]
    assert {arkit.find_name(spelling) for spelling in spellings} == {name}
    assert all(arkit.find_half(spelling) is None for spelling in spellings)


def test_halves_are_told_from_wholes() -> None:
    for whole in ("browInnerUp", "cheekPuff"):
        for half in (f"{whole}_L", f"{whole}Right", f"{pascal(whole)}_R"):
            assert arkit.find_name(half) is None
            assert arkit.find_half(half) == whole
    for other in ("mouthSmile", "eyeBlink", "viseme_aa", "Fcl_MTH_A", ""):
        assert arkit.find_name(other) is None and arkit.find_half(other) is None
