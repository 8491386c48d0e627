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
from kinevox.diffusion.samplers import ddim
from kinevox.diffusion.schedules import schedule
from kinevox.methods import METHODS
from kinevox.methods._base import SamplingOptions
from kinevox.methods.diffposetalk.distillation import landing, moved, teacher_of
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.perform import perform
from kinevox.methods.diffposetalk.sampling import FOLLOWED, Sampling, usual_sampling
from kinevox.methods.diffposetalk.training import two_windows
from kinevox.training.batch import Batch
from kinevox.training.checkpoint import write_checkpoint
from kinevox.training.loop import space_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_steps_are_those_of_the_sampler() -> None:
    """What the teacher does by sample is what DDIM does by step."""
    levels = schedule("cosine", 500)
    start = torch.randn(3, 4, 2)

    def towards_zero(x: torch.Tensor, t: object) -> torch.Tensor:
        return 0.3 * torch.tanh(x)

    x = start
    for t, after in ((500, 375), (375, 250), (250, 125), (125, 0)):
        clean = towards_zero(x, t)
        x = moved(x, clean, torch.full((3,), t), torch.full((3,), after), levels)
    expected = ddim(towards_zero, start, levels, 4)
    torch.testing.assert_close(x, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("times", [(500, 438, 375), (250, 188, 125), (125, 62, 0)])
def test_one_step_leads_where_two_led(times: tuple[int, int, int]) -> None:
    levels = schedule("cosine", 500)
    step, middle, after = (torch.full((3,), t) for t in times)
    noised = torch.randn(3, 4, 2)

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.sin(x) * (t / 500)[:, None, None]

    halfway = moved(noised, predict(noised, step), step, middle, levels)
    there = moved(halfway, predict(halfway, middle), middle, after, levels)
    target = landing(predict, noised, step, middle, after, levels)
    once = moved(noised, target, step, after, levels)
    torch.testing.assert_close(once, there, atol=1e-4, rtol=1e-4)


CONFIG = replace(TINY, head_velocity=0.0, head_smooth=0.0, head_seam=0.0, drop_sound=0.2)
"""Without terms that want something else than the truth, or than the teacher."""


def learn(network: DiffPoseTalkNetwork, corpus: Corpus, steps: int, rate: float) -> None:
    windows = windows_of(corpus, network.config)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    for step in range(steps):
        batch = Batch.of([windows[8 * step + k] for k in range(8)])
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
    learn(network, corpus, 100, 3e-3)
    folder = tmp_path_factory.mktemp("teacher")
    write_checkpoint(folder, CONFIG, network.space, network, FACTS)
    return folder


def test_a_student_draws_in_half_the_steps_what_its_teacher_draws(
    corpus: Corpus, teacher: Path
) -> None:
    """Nearer than the teacher itself in as many steps, with guidance and without."""
    stage = replace(CONFIG, taught_by=str(teacher), few_steps=2)
    student = stage.build(space_of(corpus))
    stage.begin(student)
    sampling = usual_sampling(stage)
    assert sampling == Sampling("ddim", 2, FOLLOWED.plain)
    windows = windows_of(corpus, stage)
    batch = Batch.of([windows[k] for k in range(8)])
    shown = two_windows(student, batch, torch.Generator().manual_seed(0))[0]

    def drawn(network: DiffPoseTalkNetwork, sampling: Sampling) -> np.ndarray:
        styles = list(shown.style.numpy())
        return np.stack(perform(network, list(shown.features), styles, range(8), sampling))

    def away(network: DiffPoseTalkNetwork, sampling: Sampling) -> float:
        target = drawn(teacher_of(stage), Sampling("ddim", 4))
        return float(np.abs(drawn(network, sampling) - target).mean())

    untaught, guided = (away(student.eval(), some) for some in (sampling, Sampling("ddim", 2)))
    learn(student, corpus, 150, 2e-3)
    taught = away(student, sampling)
    assert taught < 0.8 * untaught and taught < guided


def test_from_training_to_performing(corpus: Corpus, teacher: Path, tmp_path: Path) -> None:
    taught = replace(CONFIG, taught_by=str(teacher), few_steps=2)
    options = replace(QUICK, steps=2, batch=4, validate_every=2)
    header = api.train(taught, corpus.folder, out=tmp_path, options=options)
    assert header["metrics"]["decided_by"] == "error"
    method = METHODS.get("diffposetalk").load(tmp_path)
    motion = method.generate(corpus[0].speech, method.load_style("nobody"))
    assert np.isfinite(motion.values).all()
    slower = method.with_sampling(SamplingOptions(steps=6))
    assert slower.sampling == replace(usual_sampling(taught), steps=6)
