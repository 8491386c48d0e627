"""Motion that rests between moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinevox.stillness import stilled


def cost(motion: np.ndarray, drawn: np.ndarray, least: float) -> float:
    steps = np.abs(np.diff(motion, axis=0)).sum()
    return float(((motion - drawn) ** 2).sum() / 2 + least * steps)


def wandering(seed: int, frames: int = 80) -> np.ndarray:
    return 0.1 * np.cumsum(np.random.default_rng(seed).normal(size=(frames, 2)), axis=0)


class TestStillness:
    def test_what_floats_rests(self) -> None:
        floating = 0.05 * np.sin(np.arange(100) / 4)[:, None]
        np.testing.assert_allclose(stilled(floating, 0.5), floating.mean(), atol=0.01)

    def test_a_raise_stays_but_for_its_height(self) -> None:
        raised = np.zeros((100, 1))
        raised[40:60] = 1.0
        still = stilled(raised, 0.5)
        # The raise is drawn down, and all else up, by 0.5 at each end.
        np.testing.assert_allclose(still[40:60], 1.0 - 2 * 0.5 / 20, atol=0.01)
        np.testing.assert_allclose(still[:40], 0.5 / 40, atol=0.01)

    @pytest.mark.parametrize(("frames", "stays"), [(4, False), (8, True)])
    def test_moves_that_are_over_at_once_are_none(self, frames: int, stays: bool) -> None:
        brief = np.zeros((100, 1))
        brief[50 : 50 + frames] = 0.2
        assert (np.ptp(stilled(brief, 0.5)) > 0.05) == stays

    @settings(max_examples=20)
    @given(st.integers(0, 999), st.floats(0.05, 0.5))
    def test_no_motion_near_by_costs_less(self, seed: int, least: float) -> None:
        drawn = wandering(seed)
        still = stilled(drawn, least)
        rng, found = np.random.default_rng(seed), cost(still, drawn, least)
        for size in (0.003, 0.03):
            other = still + size * rng.normal(size=still.shape)
            assert cost(other, drawn, least) > found - 1e-3
        assert cost(drawn, drawn, least) >= found

    def test_means_stay(self) -> None:
        drawn = wandering(1)
        np.testing.assert_allclose(stilled(drawn, 0.3).mean(axis=0), drawn.mean(axis=0))

    @pytest.mark.parametrize("frames", [0, 1])
    def test_nothing_to_still(self, frames: int) -> None:
        np.testing.assert_array_equal(stilled(np.ones((frames, 3)), 0.3), np.ones((frames, 3)))
