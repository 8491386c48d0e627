"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic_corpus import QUICK, TINY, toy_corpus

from kinevox.data import Corpus
from kinevox.training.loop import train


@pytest.fixture(autouse=True, scope="session")
def always_one_thread(one_thread: None) -> None:
    """For every test here."""


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """A finished training."""
    folder = tmp_path_factory.mktemp("run")
    train(TINY, corpus, folder, QUICK)
    return folder
