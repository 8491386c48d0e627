"""Averaged weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kinevox.training.averaging import Average, decay


@given(st.integers(1, 64), st.floats(10, 1000), st.integers(1, 30))
def test_a_half_life_halves_what_was_before(batch: int, half_life: float, updates: int) -> None:
    late = 1_000_000
    kept = decay(batch, late, half_life) ** updates
    assert kept == pytest.approx(0.5 ** (batch * updates / half_life))


def test_it_is_the_weighted_sum_of_all_weights() -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    average = Average(network, half_life=20)
    expected = network.weight.detach().clone()
    for update in range(1, 40):
        with torch.no_grad():
            network.weight.normal_()
        average.update(network, 4, 4 * update)
        keep = 0.5 ** (4 / min(20, 0.05 * 4 * update))
        expected = keep * expected + (1 - keep) * network.weight.detach()
    torch.testing.assert_close(average.network.weight, expected)


def test_what_stands_still_stays() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average = Average(network, half_life=20)
    network[1].running_mean.fill_(7)
    for update in range(1, 9):
        average.update(network, 4, 4 * update)
    torch.testing.assert_close(average.network.state_dict(), network.state_dict())
    assert not any(weight.requires_grad for weight in average.network.parameters())
