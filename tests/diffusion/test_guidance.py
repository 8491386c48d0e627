"""Guidance: the arithmetic of branches, and bounds."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kinevox.diffusion.guidance import PLAIN, Branch, Guidance, Mode, Threshold
from kinevox.errors import ConfigError

VALUES = {
    Branch(False, False): 0.0,
    Branch(True, False): 1.0,
    Branch(False, True): 10.0,
    PLAIN: 10.0,
}


def predicted(guidance: Guidance) -> Tensor:
    return torch.stack([torch.full((2, 4, 3), VALUES[branch]) for branch in guidance.branches])


@pytest.mark.parametrize(
    "mode, expected",
    [("incremental", 29), ("style-first", 30), ("independent", 32), ("independent-published", 26)],
)
def test_published_values(mode: str, expected: float) -> None:
    """Branches 0, 1, 10 and 10, strengths 2 and 3; published but for `style-first`."""
    guidance = Guidance(2.0, 3.0, mode)  # type: ignore[arg-type]
    assert torch.equal(guidance(predicted(guidance)), torch.full((2, 4, 3), float(expected)))


@pytest.mark.parametrize("mode", ["incremental", "style-first"])
def test_strength_one_is_no_guidance(mode: Mode) -> None:
    assert Guidance(1.0, 1.0, mode).branches == (PLAIN,)


@given(st.floats(-5, 5))
def test_style_first_with_a_style_as_it_is_guides_sound_alone(strength: float) -> None:
    assert Guidance(strength, 1.0, "style-first").weights == Guidance(strength, None).weights


@pytest.mark.parametrize("mode", get_args(Mode))
@given(sound=st.floats(-5, 5), style=st.floats(-5, 5))
def test_branches_that_agree_are_left_as_they_are(mode: Mode, sound: float, style: float) -> None:
    assert sum(Guidance(sound, style, mode).weights.values()) == pytest.approx(1)


def test_one_condition_and_none() -> None:
    none = Guidance(None, None)
    assert none.branches == (PLAIN,)
    assert torch.equal(none(predicted(none)), predicted(none)[0])
    sound = Guidance(2.0, None)
    assert sound.branches == (Branch(False, True), PLAIN)
    assert float(sound(predicted(sound))[0, 0, 0]) == 10 + 2 * (10 - 10)
    style = Guidance(None, 3.0)
    assert style.branches == (Branch(True, False), PLAIN)
    assert float(style(predicted(style))[0, 0, 0]) == 1 + 3 * (10 - 1)


def test_bounds_are_each_samples_own() -> None:
    threshold = Threshold(0.9, 1.0, 4.0)
    small, middle, large = (scale * torch.rand(1, 100, 54) for scale in (0.1, 2, 90))
    together = torch.cat([small, middle, large])
    bounds = threshold.bounds(together)
    assert bounds.tolist() == pytest.approx([1.0, 1.8, 4.0], abs=0.05)
    assert torch.equal(threshold(together)[:1], small)
    assert float(threshold(-together)[2].min()) == -4.0


def test_branches_are_bounded_before_they_are_combined() -> None:
    guidance = Guidance(1.0, 3.0, threshold=Threshold(0.99, 1.0, 4.0))
    assert torch.equal(guidance(predicted(guidance)), torch.full((2, 4, 3), 1.0 + 3 * (4.0 - 1.0)))


@pytest.mark.parametrize("wrong", [(0.0, 1.0, 4.0), (0.9, 4.0, 1.0), (1.2, 1.0, 4.0)])
def test_thresholds_that_cannot_be(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ConfigError, match="Threshold"):
        Threshold(*wrong)
