"""bfloat16 where it is worth it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import torch

from kinevox.nn import precision
from kinevox.nn.precision import products_in_bf16


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    precision._has_bf16.cache_clear()
    yield
    precision._has_bf16.cache_clear()


def on(monkeypatch: pytest.MonkeyPatch, machine: str, instructions: str) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: instructions)


def product(wanted: bool = True) -> torch.dtype:
    with products_in_bf16("cpu", wanted):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize("machine, instructions", [("x86_64", "AVX512"), ("aarch64", "DEFAULT")])
def test_where_the_processor_has_it(
    machine: str, instructions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, machine, instructions)
    assert product() == torch.bfloat16
    assert product(wanted=False) == torch.float32


@pytest.mark.parametrize("machine", ["x86_64", "AMD64"])
def test_not_where_it_would_be_emulated(
    machine: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    on(monkeypatch, machine, "AVX2")
    with caplog.at_level(logging.WARNING):
        assert product(wanted=False) == torch.float32 and not caplog.messages
        assert product() == product() == torch.float32
    (message,) = caplog.messages
    assert "no AVX-512" in message and "float32" in message
