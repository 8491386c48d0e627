"""What tests of learned methods share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from synthetic_corpus import toy_corpus

from kinevox.data import Corpus


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Tiny networks are faster so, and sums are always in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"), clips=24)
