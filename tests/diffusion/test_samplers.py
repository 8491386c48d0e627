"""Samplers: laws that hold for any denoiser, and exactness where the answer is known."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kinevox.diffusion.samplers import ancestral, ddim, dpm_solver, draws, spaced
from kinevox.diffusion.schedules import schedule
from kinevox.errors import ConfigError

CPU = torch.device("cpu")
COSINE = schedule("cosine", 500)


def noise(seed: int, batch: int = 2) -> Tensor:
    return torch.randn(batch, 4, 3, generator=torch.Generator().manual_seed(seed))


def fresh(seed: int, batch: int = 2):
    generators = [torch.Generator().manual_seed(seed + i) for i in range(batch)]
    return draws(generators, (4, 3), CPU)


def curved(x: Tensor, t: int) -> Tensor:
    """Some denoiser whose answer depends on everything."""
    return torch.tanh(x * math.cos(t / 300)) + t / 500


class Gaussian:
    """Data drawn from N(mean, spread^2); the best denoiser is known, and so is where the flow
    of probability takes each x."""

    mean, spread = 0.7, 0.3

    def __call__(self, x: Tensor, t: int) -> Tensor:
        signal, noise = COSINE.signal(t), COSINE.noise(t)
        gain = signal * self.spread**2 / (signal**2 * self.spread**2 + noise**2)
        return self.mean + gain * (x - signal * self.mean)

    def end_of(self, x: Tensor) -> Tensor:
        signal, noise = COSINE.signal(500), COSINE.noise(500)
        spread = math.hypot(signal * self.spread, noise)
        return self.mean + self.spread * (x - signal * self.mean) / spread


@given(st.integers(0, 99), st.sampled_from([1, 2, 8, 500]))
def test_a_perfect_denoiser_returns_its_data(seed: int, steps: int) -> None:
    data = noise(1000 + seed)
    start = noise(seed)
    for result in (
        ddim(lambda x, t: data, start, COSINE, steps),
        ddim(lambda x, t: data, start, COSINE, steps, fresh(seed), eta=1.0),
        dpm_solver(lambda x, t: data, start, COSINE, steps),
    ):
        torch.testing.assert_close(result, data, atol=1e-5, rtol=1e-5)
    if steps == 1:
        torch.testing.assert_close(ancestral(lambda x, t: data, start, COSINE, fresh(seed)), data)


def test_ddim_with_all_its_noise_is_ancestral_sampling() -> None:
    few = schedule("cosine", 20)
    reference = ancestral(curved, noise(0), few, fresh(3))
    torch.testing.assert_close(ddim(curved, noise(0), few, 20, fresh(3), eta=1.0), reference)
    other = ancestral(curved, noise(0), few, fresh(4))
    assert not torch.allclose(reference, other)


def test_flexibility_widens_the_steps() -> None:
    data = torch.zeros(2, 4, 3)
    few = schedule("cosine", 20)
    seen: dict[float, list[float]] = {0.0: [], 0.5: [], 1.0: []}
    for flexibility, sizes in seen.items():

        def watched(x: Tensor, t: int, sizes: list[float] = sizes) -> Tensor:
            sizes.append(float(x.square().mean()))
            return data

        ancestral(watched, noise(0), few, fresh(1), flexibility=flexibility)
    assert all(a < b < c for a, b, c in zip(*(v[2:] for v in seen.values()), strict=True))


def test_the_solvers_first_step_is_ddim() -> None:
    assert torch.equal(dpm_solver(curved, noise(0), COSINE, 1), curved(noise(0), 500))
    torch.testing.assert_close(
        dpm_solver(curved, noise(0), COSINE, 2), ddim(curved, noise(0), COSINE, 2)
    )


def test_more_steps_come_closer_and_second_order_faster() -> None:
    denoise, start = Gaussian(), noise(0).double()
    goal = denoise.end_of(start)
    counts = (5, 10, 20, 40)
    first, second = (
        [float((sampler(denoise, start, COSINE, n) - goal).abs().max()) for n in counts]
        for sampler in (ddim, dpm_solver)
    )
    assert first == sorted(first, reverse=True) and first[-1] < 0.1
    assert second[2] < 0.3 * first[2] and second[3] < 0.05 * first[3]


def test_ancestral_samples_have_the_spread_of_the_data() -> None:
    denoise = Gaussian()
    generators = [torch.Generator().manual_seed(i) for i in range(2)]
    draw = draws(generators, (4000,), CPU)
    samples = ancestral(denoise, draw(), COSINE, draw)
    assert float(samples.mean()) == pytest.approx(denoise.mean, abs=0.02)
    assert float(samples.std()) == pytest.approx(denoise.spread, abs=0.02)


def test_a_sample_does_not_depend_on_its_batch() -> None:
    together = ancestral(curved, noise(0, 3), COSINE, fresh(5, 3))
    for i in range(3):
        alone = ancestral(curved, noise(0, 3)[i : i + 1], COSINE, fresh(5 + i, 1))
        torch.testing.assert_close(together[i : i + 1], alone)


def test_steps_are_spread_evenly_from_noise_to_data() -> None:
    assert spaced(COSINE, 4) == [500, 375, 250, 125, 0]
    assert spaced(schedule("cosine", 20), 20) == list(range(20, -1, -1))
    for wrong in (0, 501):
        with pytest.raises(ConfigError, match="1 to 500"):
            spaced(COSINE, wrong)


def test_wider_steps_towards_data_leave_more_of_them_in_noise() -> None:
    assert spaced(COSINE, 4, spacing=2) == [500, 469, 375, 219, 0]
    assert spaced(COSINE, 4, spacing=0.5) == [500, 250, 146, 67, 0]
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match=r"spacing is .*; expected 1"):
            spaced(COSINE, 4, spacing=wrong)


@given(st.integers(1, 500), st.floats(0.1, 6))
def test_no_step_is_taken_twice(steps: int, spacing: float) -> None:
    times = spaced(COSINE, steps, spacing)
    assert len(times) == steps + 1 and times[0] == 500 and times[-1] == 0
    assert all(t > after for t, after in pairwise(times))


def test_a_taught_step_falls_on_steps_of_its_teacher() -> None:
    assert set(spaced(COSINE, 8, 2.0)) <= set(spaced(COSINE, 32, 2.0))
