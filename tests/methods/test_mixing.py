"""Styles between styles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import vowel

from kinevox import api
from kinevox.api._mixing import style_parts
from kinevox.errors import ConfigError, UnknownNameError
from kinevox.methods import METHODS, StyleMixer
from kinevox.methods.articulate.style import PRESETS, save_style
from kinevox.methods.diffposetalk import Style
from kinevox.speech import Speech

AH = Speech(vowel(1.0))
RULES = METHODS.get("articulate")


@given(st.sampled_from(sorted(PRESETS)), st.sampled_from(sorted(PRESETS)), st.floats(0, 1))
def test_factors_lie_between(one: str, other: str, share: float) -> None:
    assert isinstance(RULES, StyleMixer)
    mixed = RULES.mix_styles([PRESETS[one], PRESETS[other]], [share, 1 - share])
    for name, value in vars(mixed).items():
        ends = sorted((getattr(PRESETS[one], name), getattr(PRESETS[other], name)))
        assert ends[0] <= value <= ends[1]


def test_all_of_one_is_that_one() -> None:
    first = Style((3.0, 4.0, 0.0))
    method = METHODS.get("diffposetalk")
    mixed = method.mix_styles([first, Style((0.0, 0.0, 5.0))], [1.0, 0.0])
    assert mixed.vector == pytest.approx(first.vector)


@given(st.floats(0, 1), st.integers(0, 50))
def test_a_style_between_is_as_long_and_turns_from_one_to_other(share: float, seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((2, 16))
    vectors *= 10 / np.linalg.norm(vectors, axis=1, keepdims=True)
    styles = [Style(tuple(vector.tolist())) for vector in vectors]
    mixed = np.array(METHODS.get("diffposetalk").mix_styles(styles, [share, 1 - share]).vector)
    assert np.linalg.norm(mixed) == pytest.approx(10)
    nearer = int(share < 0.5)
    assert mixed @ vectors[nearer] >= mixed @ vectors[1 - nearer] - 1e-6


@pytest.mark.parametrize("vectors", [((1.0, 0.0), ()), ((1.0, 0.0), (-1.0, 0.0))])
def test_styles_that_cannot_be_mixed(vectors: tuple) -> None:
    with pytest.raises(ConfigError, match=r"Nobody|opposites"):
        METHODS.get("diffposetalk").mix_styles([Style(v) for v in vectors], [0.5, 0.5])


def test_words() -> None:
    assert style_parts(RULES, "calm:0.3,a/b.style:0.7") == [("calm", 0.3), ("a/b.style", 0.7)]
    assert style_parts(RULES, "calm, sad") == [("calm", 1.0), ("sad", 1.0)]
    assert style_parts(RULES, None) == [("neutral", 1.0)]
    assert style_parts(RULES, "c:/x.style") == [("c:/x.style", 1.0)]


def test_through_the_door(tmp_path: Path) -> None:
    smiling = replace(PRESETS["neutral"], smile=0.68)
    save_style(smiling, tmp_path / "mine.style.json")
    text = f"neutral:1,{tmp_path / 'mine.style.json'}:3"
    (mixed,) = api.animate(AH, method="articulate", style=text)
    save_style(replace(smiling, smile=0.25 * 0.08 + 0.75 * 0.68), tmp_path / "same.style.json")
    (same,) = api.animate(AH, method="articulate", style=tmp_path / "same.style.json")
    np.testing.assert_allclose(mixed.values, same.values, atol=1e-6)
    assert mixed.metadata["style"] == "neutral:1,mine.style.json:3"


@pytest.mark.parametrize(
    "method, style, error, told",
    [
        ("articulate", "calm:0,sad:0", ConfigError, "add up to 0"),
        ("articulate", "calm:-1,sad:2", ConfigError, "no mixture"),
        ("articulate", "calm,", ConfigError, "no mixture"),
        ("articulate", "calm:0.5,sat:0.5", UnknownNameError, "sad"),
        ("regressor", "neutral:0.5,neutral:0.5", ConfigError, "cannot mix.*articulate"),
    ],
)
def test_mixtures_that_are_none(method: str, style: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        api.animate(AH, method=method, style=style)
