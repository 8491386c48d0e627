"""DiffPoseTalk with a vector for each performer in place of a style encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_corpus import PERFORMERS, QUICK, toy_corpus
from synthetic_diffposetalk import TINY

from kinevox.data import Corpus
from kinevox.methods import METHODS
from kinevox.methods.diffposetalk import Style
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.training import styles_of, two_window_loss
from kinevox.training.loop import space_of, train

pytestmark = pytest.mark.usefixtures("one_thread")

NAMED = replace(TINY, style_from="performers", layers=1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def network(corpus: Corpus) -> DiffPoseTalkNetwork:
    torch.manual_seed(0)
    return NAMED.build(space_of(corpus))


def test_each_performer_has_a_style_and_strangers_have_none(network: DiffPoseTalkNetwork) -> None:
    batch = NAMED.fake_batch(network.space)
    styles, again = styles_of(network, batch)
    assert styles is again
    known = batch.style >= 0
    expected = network.performers.weight[batch.style[known]]
    torch.testing.assert_close(styles[known], expected)
    assert (styles[~known] == network.null_style).all() and (~known).any()


def test_styles_are_learned(network: DiffPoseTalkNetwork) -> None:
    batch = NAMED.fake_batch(network.space)
    terms = two_window_loss(network, batch, torch.Generator().manual_seed(0))
    torch.stack([*terms.values()]).sum().backward()
    assert network.performers.weight.grad is not None
    assert network.performers.weight.grad.abs().max() > 0
    network.zero_grad()


def test_it_trains_without_an_encoder_and_names_its_performers(
    corpus: Corpus, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(NAMED, corpus, run, replace(QUICK, steps=2, validate_every=2))
    method = METHODS.get("diffposetalk").load(run)
    styles = method.styles()
    assert set(PERFORMERS["train"]) <= set(styles)
    assert method.load_style("p0") == styles["p0"] != Style()
    vectors = np.array([styles[name].vector for name in PERFORMERS["train"]])
    assert vectors.shape == (3, 16) and len(np.unique(vectors, axis=0)) == 3
    with pytest.raises(KeyError):
        styles["p3"]
