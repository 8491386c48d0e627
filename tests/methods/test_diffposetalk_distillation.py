"""Distillation of diffposetalk: where a teacher lands, and that a student lands there too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_corpus import QUICK
from synthetic_diffposetalk import TINY, windows_of
from synthetic_weights import FACTS

from kinevox import api
from kinevox.data import Corpus
from kinevox.diffusion.guidance import Guidance
from kinevox.diffusion.samplers import dpm_solver, spaced
from kinevox.diffusion.schedules import schedule
from kinevox.methods import METHODS
from kinevox.methods._base import SamplingOptions
from kinevox.methods.diffposetalk.distillation import (
    followed,
    guided_prediction,
    landing,
    teacher_of,
)
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.sampling import FOLLOWED, Sampling, usual_sampling
from kinevox.methods.diffposetalk.training import two_windows
from kinevox.training.batch import Batch
from kinevox.training.checkpoint import write_checkpoint
from kinevox.training.loop import space_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_steps_are_those_of_the_sampler() -> None:
    """What the teacher does by sample is what DPM-Solver++ does by step."""
    levels = schedule("cosine", 500)
    start = torch.randn(3, 4, 2)

    def towards_zero(x: torch.Tensor, t: object) -> torch.Tensor:
        return 0.3 * torch.tanh(x)

    path = [torch.full((3,), t) for t in spaced(levels, 8, 2.0)]
    x = followed(towards_zero, start, path, levels)
    expected = dpm_solver(towards_zero, start, levels, 8, spacing=2.0)
    torch.testing.assert_close(x, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("path", [(500, 438, 375), (250, 188, 125), (125, 62, 0), (125, 80, 40, 0)])
def test_one_step_leads_where_several_led(path: tuple[int, ...]) -> None:
    levels = schedule("cosine", 500)
    noised = torch.randn(3, 4, 2)

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.sin(x) * (t / 500)[:, None, None]

    steps = [torch.full((3,), t) for t in path]
    there = followed(predict, noised, steps, levels)
    target = landing(predict, noised, steps, levels)
    (signal, noise), (last_signal, last_noise) = (
        (levels.signal(t), levels.noise(t)) for t in (path[0], path[-1])
    )
    once = last_signal * target + last_noise / noise * (noised - signal * target)
    torch.testing.assert_close(once, there, atol=1e-4, rtol=1e-4)


CONFIG = replace(
    TINY, head_velocity=0.0, head_smooth=0.0, head_seam=0.0, drop_sound=0.2, style_pieces=2
)
"""Without terms that want something else than the truth."""


def learn(network: DiffPoseTalkNetwork, corpus: Corpus, steps: int, rate: float) -> None:
    windows = windows_of(corpus, network.config)
    batches = [Batch.of([windows[8 * n + k] for k in range(8)]) for n in range(16)]
    optimizer = torch.optim.Adam(network.parameters(), rate)
    network.train()
    for step in range(steps):
        batch = batches[step % len(batches)]
        terms = network.config.loss(network, batch, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        terms["simple"].backward()
        optimizer.step()
    network.eval()


@pytest.fixture(scope="module")
def teacher(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that has learned a little."""
    torch.manual_seed(0)
    network = CONFIG.build(space_of(corpus))
    learn(network, corpus, 300, 3e-3)
    folder = tmp_path_factory.mktemp("teacher")
    write_checkpoint(folder, CONFIG, network.space, network, FACTS)
    return folder


def test_a_student_draws_in_few_steps_what_its_teacher_draws(corpus: Corpus, teacher: Path) -> None:
    """Nearer than the teacher itself in as many steps, with guidance and without."""
    stage = replace(CONFIG, taught_by=str(teacher), few_steps=2, teacher_steps=4, spacing=1.5)
    student = stage.build(space_of(corpus))
    stage.begin(student)
    assert usual_sampling(stage) == Sampling("ddim", 2, 1.5, FOLLOWED.plain, overlap=6)
    windows = windows_of(corpus, stage)
    batch = Batch.of([windows[k] for k in range(8)])
    shown = two_windows(student, batch, torch.Generator().manual_seed(0))[0]
    shown = replace(shown, sounding=torch.ones_like(shown.sounding))
    levels = schedule(stage.schedule, stage.steps)

    @torch.no_grad()
    def drawn(network: DiffPoseTalkNetwork, guidance: Guidance, steps: int) -> torch.Tensor:
        """As one step of DDIM after the other leads, or as what the teacher does in its place."""
        predict, x = guided_prediction(network, shown, guidance), shown.noise
        times = [torch.full((8,), t) for t in spaced(levels, steps, stage.spacing)]
        for first in range(0, steps, steps // 2):
            x = followed(predict, x, times[first : first + steps // 2 + 1], levels)
        return x

    target = drawn(teacher_of(stage, torch.device("cpu")), FOLLOWED, 4)

    def away(network: DiffPoseTalkNetwork, guidance: Guidance) -> float:
        return float((drawn(network, guidance, 2) - target).abs().mean())

    untaught, guided = (away(student.eval(), some) for some in (FOLLOWED.plain, FOLLOWED))
    for rate in (1e-3, 3e-4):
        learn(student, corpus, 100, rate)
    taught = away(student, FOLLOWED.plain)
    assert taught < 0.8 * untaught and taught < guided


def test_from_training_to_performing(corpus: Corpus, teacher: Path, tmp_path: Path) -> None:
    taught = replace(CONFIG, taught_by=str(teacher), few_steps=2, teacher_steps=4)
    options = replace(QUICK, steps=2, batch=4, validate_every=2, bf16=True)
    header = api.train(taught, corpus.folder, out=tmp_path, options=options)
    assert header["metrics"]["decided_by"] == "error"
    method = METHODS.get("diffposetalk").load(tmp_path)
    motion = method.generate(corpus[0].speech, method.load_style("nobody"))
    assert np.isfinite(motion.values).all()
    slower = method.with_sampling(SamplingOptions(steps=6))
    assert slower.sampling == replace(usual_sampling(taught), steps=6)
