"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from synthetic_corpus import QUICK, TINY, toy_corpus

from kinevox.data import Corpus
from kinevox.training.loop import train


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on many threads, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """A finished training."""
    folder = tmp_path_factory.mktemp("run")
    train(TINY, corpus, folder, QUICK)
    return folder
