"""The 52 names, the orders and spellings in use."""

from __future__ import annotations

import pytest

from kinevox import arkit


def test_there_are_52_names_once_each() -> None:
    assert len(set(arkit.NAMES)) == len(arkit.NAMES) == 52
    assert set(arkit.UNREAL_ORDER) == set(arkit.NAMES)


def test_orders_differ_only_in_the_two_pairs() -> None:
    moved = [a for a, b in zip(arkit.NAMES, arkit.UNREAL_ORDER, strict=True) if a != b]
    assert moved == ["jawRight", "jawLeft", "mouthRight", "mouthLeft"]


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@pytest.mark.parametrize(
    "spelling",
    [
        str,
        lambda name: name[0].upper() + name[1:],
        lambda name: name.replace("Left", "_L").replace("Right", "_R"),
        snake,
        lambda name: f"blendShapes.{name[0].upper()}{name[1:]}",
        lambda name: f"Head_{name}",
        str.upper,
    ],
)
def test_every_spelling_is_understood(spelling) -> None:
    understood = [arkit.find_name(spelling(name)) for name in arkit.NAMES]
    # ICT's `jaw_L` and `mouth_R` are spelled by the same rule.
    assert understood == list(arkit.NAMES)


@pytest.mark.parametrize("stranger", ["", "viseme_aa", "smile", "_neutral", "HeadYaw", "left"])
def test_other_names_are_not_mistaken(stranger: str) -> None:
    assert arkit.find_name(stranger) is None
