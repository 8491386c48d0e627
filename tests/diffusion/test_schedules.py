"""Noise schedules: laws, published values, and the reference's own numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kinevox.diffusion.schedules import schedule
from kinevox.errors import ConfigError, UnknownNameError

NAMES = ("cosine", "linear", "quadratic", "sigmoid")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("steps", [2, 20, 500])
def test_noise_grows_from_none(name: str, steps: int) -> None:
    noise = schedule(name, steps)
    assert noise.steps == steps
    assert (noise.signal(0), noise.noise(0)) == (1.0, 0.0)
    assert (noise.alpha_bars.diff() < 0).all()
    assert ((noise.betas[1:] >= 1e-4 - 1e-12) & (noise.betas <= 0.999)[1:]).all()
    for step in range(1, steps + 1):
        assert noise.signal(step) ** 2 + noise.noise(step) ** 2 == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_the_posterior_is_that_of_the_chain(name: str) -> None:
    """Mean and variance of x_(t-1) given x_t and x_0, from Bayes' rule."""
    noise = schedule(name, 50)
    for t in (2, 7, 30, 50):
        beta, before = float(noise.betas[t]), float(noise.alpha_bars[t - 1])
        precision = (1 - beta) / beta + 1 / (1 - before)
        of_x, of_clean, spread = noise.posterior(t)
        assert spread**2 == pytest.approx(1 / precision)
        assert of_x == pytest.approx((1 - beta) ** 0.5 / beta / precision)
        assert of_clean == pytest.approx(before**0.5 / (1 - before) / precision)


def test_the_last_step_returns_the_prediction() -> None:
    for name in NAMES:
        assert schedule(name, 500).posterior(1) == pytest.approx((0, 1, 0), abs=1e-9)


@pytest.mark.parametrize(
    "step, beta, alpha_bar, spread, of_x, of_clean",
    [
        (1, 1.000e-4, 0.999900, 0, 0, 1),
        (2, 1.0681e-4, 0.999793, 0.0071869, 0.483548, 0.516401),
        (50, 1.04851e-3, 0.972081, 0.0317835, 0.962950, 0.0370462),
        (100, 2.08133e-3, 0.898695, 0.0451976, 0.980476, 0.0194970),
        (250, 6.27196e-3, 0.493837, 0.0789515, 0.990721, 0.00873517),
        (400, 1.9062e-2, 0.0940444, 0.137926, 0.988425, 0.00651491),
        (500, 0.999, 9.714e-9, 0.999495, 0.0316223, 0.00311367),
    ],
)
def test_diffposetalks_values(
    step: int, beta: float, alpha_bar: float, spread: float, of_x: float, of_clean: float
) -> None:
    """Published code computes in float32, which is off by up to 5e-4 at t = 2."""
    noise = schedule("cosine", 500)
    assert float(noise.betas[step]) == pytest.approx(beta, rel=6e-4)
    assert float(noise.alpha_bars[step]) == pytest.approx(alpha_bar, rel=1e-4)
    assert noise.posterior(step) == pytest.approx((of_x, of_clean, spread), rel=5e-4, abs=1e-6)


def test_noised_samples_have_their_own_steps() -> None:
    noise = schedule("cosine", 20)
    clean, fresh = torch.randn(3, 4, 5), torch.randn(3, 4, 5)
    mixed = noise.noised(clean, torch.tensor([0, 7, 20]), fresh)
    torch.testing.assert_close(mixed[0], clean[0])
    torch.testing.assert_close(mixed[1], noise.signal(7) * clean[1] + noise.noise(7) * fresh[1])
    torch.testing.assert_close(mixed[2], fresh[2], atol=5e-2, rtol=0)


def test_what_cannot_be() -> None:
    with pytest.raises(UnknownNameError, match="cosine"):
        schedule("cosin", 500)
    with pytest.raises(ConfigError, match="at least 2"):
        schedule("linear", 1)
    with pytest.raises(ConfigError, match="at least 1"):
        schedule("cosine", 0)


def test_one_step_is_all_noise() -> None:
    assert schedule("cosine", 1).noise(1) ** 2 == pytest.approx(0.999)


@pytest.mark.shared
def test_the_references_numbers(shared_dir: Path) -> None:
    """float32 there, float64 here: bounds are the measured differences between the two."""
    stored = shared_dir / "data/golden/diffposetalk/diffusion_schedules.safetensors"
    if not stored.is_file():
        pytest.skip("The golden files of DiffPoseTalk are not in the shared folder.")
    expected = load_file(stored)
    for name, steps in [*((name, 500) for name in NAMES), ("cosine", 20), ("cosine", 50)]:
        noise = schedule(name, steps)
        parts = [noise.posterior(t) for t in range(1, steps + 1)]
        of_x, of_clean, spread = torch.tensor(parts, dtype=torch.float64).T
        ours = {
            "betas": (noise.betas[1:], 1.5e-5),
            "alpha_bars": (noise.alpha_bars[1:], 5e-7),
            "c0": (of_x, 1.5e-4),
            "c1": (of_clean, 2.5e-4),
            "sigmas_inflex": (spread, 1e-5),
            "sigmas_flex": (noise.betas[1:].sqrt(), 1e-4),
        }
        for key, (values, bound) in ours.items():
            stored_values = expected[f"out.{name}{steps}.{key}"][1:].double()
            difference = float((values - stored_values).abs().max())
            assert difference <= bound, f"{name} {steps} {key}: {difference:.2g}"
