"""What tests of learned methods share."""

from __future__ import annotations

import pytest
from synthetic_corpus import toy_corpus

from kinevox.data import Corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"), clips=24)
