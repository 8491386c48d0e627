"""Features of a corpus: computed once, gone on with, cut by frame."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_corpus import toy_corpus

from kinevox.audio.encoders import ENCODERS
from kinevox.audio.read import read_audio
from kinevox.data import Corpus
from kinevox.data.features import encoded
from kinevox.errors import ConfigError


class Counting:
    """An encoder that counts what it encodes."""

    def __init__(self, rate: int | None = None) -> None:
        self.inner = ENCODERS.get("speech").debug()
        self.name, self.digest, self.width = "counting", self.inner.digest, self.inner.width
        self.rate, self.right_context = rate or self.inner.rate, self.inner.right_context
        self.count = 0

    def encode(self, samples: np.ndarray) -> torch.Tensor:
        self.count += 1
        return self.inner.encode(samples)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return toy_corpus(tmp_path / "toy")


def test_features_are_those_of_the_clip(corpus: Corpus, tmp_path: Path) -> None:
    encoder = Counting()
    features = encoded(corpus, encoder, tmp_path / "features")
    assert encoder.count == len(corpus)
    for i, clip in enumerate(corpus.index["id"].tolist()):
        whole = encoder.inner.encode(read_audio(corpus.audio_path(i))).numpy()
        frames = int(corpus.index["frames"][i])
        assert features[clip].dtype == np.float16
        assert features[clip].shape == (frames * features.per_frame, encoder.width)
        np.testing.assert_allclose(features[clip][: len(whole)], whole[:frames], atol=5e-3)


def test_what_is_there_is_not_computed_again(corpus: Corpus, tmp_path: Path) -> None:
    first = encoded(corpus, Counting(), tmp_path)
    again = Counting()
    assert encoded(corpus, again, tmp_path).places == first.places
    assert again.count == 0


def test_an_interrupted_encoding_goes_on(corpus: Corpus, tmp_path: Path) -> None:
    whole = encoded(corpus, Counting(), tmp_path / "whole")

    class Killed(Counting):
        def encode(self, samples: np.ndarray) -> torch.Tensor:
            if self.count == 2:
                raise KeyboardInterrupt
            return super().encode(samples)

    with pytest.raises(KeyboardInterrupt):
        encoded(corpus, Killed(), tmp_path / "killed")
    rest = Counting()
    features = encoded(corpus, rest, tmp_path / "killed")
    assert rest.count == len(corpus) - 2
    for clip in corpus.index["id"].tolist():
        np.testing.assert_array_equal(features[clip], whole[clip])


def test_cuts_are_zero_outside_the_clip(corpus: Corpus, tmp_path: Path) -> None:
    features = encoded(corpus, Counting(), tmp_path)
    clip = str(corpus.index["id"][0])
    frames = int(corpus.index["frames"][0])
    around = features.cut(clip, -3, frames + 8)
    assert not around[: 3 * features.per_frame].any()
    assert not around[(3 + frames) * features.per_frame :].any()
    inside = around[3 * features.per_frame : (3 + frames) * features.per_frame]
    np.testing.assert_array_equal(inside, features[clip].astype(np.float32))
    assert not features.cut(clip, frames + 5, 4).any()
    assert not features.cut(clip, -9, 4).any()


def test_a_loader_process_takes_no_array_along(corpus: Corpus, tmp_path: Path) -> None:
    features = encoded(corpus, Counting(), tmp_path)
    clip = str(corpus.index["id"][0])
    values = features[clip]
    assert len(pickle.dumps(features)) < 4_000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(features))[clip], values)


def test_a_rate_that_does_not_fit_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    odd = replace(corpus, header={**corpus.header, "fps": 30.0})
    with pytest.raises(ConfigError, match="no whole number"):
        encoded(odd, Counting(), tmp_path)
