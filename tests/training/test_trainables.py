"""Every network that can be trained honours its contract, whichever method it belongs to."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import pytest
import torch

from kinevox.data import Corpus
from kinevox.methods import trainables
from kinevox.training import Trainable
from kinevox.training.checkpoint import _tuples
from kinevox.training.loop import space_of

NAMES = sorted(trainables())


@pytest.fixture(params=NAMES)
def stage(request: pytest.FixtureRequest) -> Trainable:
    return trainables()[request.param]


def test_its_configuration_survives_json(stage: Trainable) -> None:
    assert is_dataclass(stage) and isinstance(stage, Trainable)
    assert trainables()[stage.name] == stage
    again: dict[str, Any] = json.loads(json.dumps(asdict(stage)))
    assert type(stage)(**_tuples(again)) == stage
    assert all(field.init for field in fields(stage))


def test_its_loss_reaches_every_weight(stage: Trainable, corpus: Corpus) -> None:
    space = space_of(corpus)
    torch.manual_seed(0)
    network = stage.build(space)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.01 * torch.randn_like(weight))
    terms = stage.loss(network, stage.fake_batch(space), torch.Generator().manual_seed(0))
    assert terms.keys() == stage.loss_weights.keys()
    assert all(term.ndim == 0 and torch.isfinite(term) for term in terms.values())
    sum(terms.values(), torch.zeros(())).backward()
    idle = [
        name
        for name, weight in network.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    assert idle == []


def test_its_loss_follows_the_generator(stage: Trainable, corpus: Corpus) -> None:
    space = space_of(corpus)
    network, batch = stage.build(space).eval(), stage.fake_batch(space)
    one, same = (stage.loss(network, batch, torch.Generator().manual_seed(5)) for _ in range(2))
    for name, term in one.items():
        assert torch.equal(term, same[name])


def test_it_validates(stage: Trainable, corpus: Corpus) -> None:
    network = stage.build(space_of(corpus)).eval()
    scores = stage.validate(network, corpus.split("valid"))
    assert stage.decided_by in scores
    assert all(torch.isfinite(torch.tensor(score)) for score in scores.values())
