"""Training of the speech encoder: a few steps, interrupted and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import vowel

from kinevox.audio.encoders import load_encoder
from kinevox.audio.encoders.speech.config import SpeechConfig
from kinevox.audio.encoders.speech.learning import VISEMES, frame_scores, seen_alike
from kinevox.audio.encoders.speech.weights import read_weights
from kinevox.data.phonetic.pack import PHONES, UNKNOWN, Labelled, Part, Passage, write_part
from kinevox.errors import ConfigError
from kinevox.training.hearing import train_speech
from kinevox.training.options import HEARING

TINY = SpeechConfig(width=16, heads=2, ahead=(1, 0), memory=4)
QUICK = replace(
    HEARING, steps=4, batch=2, warmup=1, bf16=False, workers=0, log_every=2, validate_every=2
)


@pytest.fixture
def parts(tmp_path: Path) -> list[Part]:
    material = [
        Labelled(
            Passage(f"speaker-{split}", split, "real", "en"),
            vowel(3.0).astype(np.float32),
            np.full(300, PHONES.index("AA")),
        )
        for split in ("train", "valid")
    ]
    write_part(tmp_path / "part", material)
    return [Part(tmp_path / "part")]


def test_a_stopped_training_goes_on_as_if_nothing_had_happened(
    parts: list[Part], tmp_path: Path
) -> None:
    options = replace(QUICK, save_every=2)
    train_speech(TINY, parts, tmp_path / "whole", options)

    def stop(stage: str, done: int, total: int) -> None:
        if done == 2 * options.batch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_speech(TINY, parts, tmp_path / "stopped", options, stop)
    train_speech(TINY, parts, tmp_path / "stopped", options)
    whole, stopped = (
        read_weights(tmp_path / name / "speech.safetensors")[0].state_dict()
        for name in ("whole", "stopped")
    )
    for name, weight in whole.items():
        assert torch.equal(weight, stopped[name]), name


def test_trained_weights_load_as_an_encoder(parts: list[Part], tmp_path: Path) -> None:
    path = train_speech(TINY, parts, tmp_path / "run", QUICK)
    encoder = load_encoder(f"speech:{path.parent}")
    assert encoder.encode(vowel(1.0).astype(np.float32)).shape == (25, 16)
    facts = read_weights(path)[1]
    assert facts["training"]["steps"] in (2, 4)
    assert 0 <= facts["scores"]["real_phones"] <= 1


def test_another_training_is_not_overwritten(parts: list[Part], tmp_path: Path) -> None:
    train_speech(TINY, parts, tmp_path / "run", QUICK)
    with pytest.raises(ConfigError, match="learning_rate"):
        train_speech(TINY, parts, tmp_path / "run", replace(QUICK, learning_rate=1e-4))


def test_visemes_share_out_the_phones() -> None:
    assert sorted(phone for group in VISEMES for phone in group) == sorted(PHONES)
    likely = torch.randn(5, len(PHONES)).log_softmax(-1)
    torch.testing.assert_close(seen_alike(likely).exp().sum(-1), torch.ones(5))


def test_scores_count_what_they_say() -> None:
    def places(text: str) -> np.ndarray:
        return np.array([PHONES.index(phone) for phone in text.split()])

    true = np.append(places("SIL P B AA M M"), UNKNOWN)
    told = np.append(places("SIL B B AH M AA"), 0)
    scores = frame_scores(told, true)
    assert scores["phones"] == pytest.approx(3 / 6)
    assert scores["visemes"] == pytest.approx(5 / 6)
    assert scores["speech_visemes"] == pytest.approx(4 / 5)
    assert scores["closed_recall"] == pytest.approx(3 / 4)
    assert scores["closed_precision"] == 1.0
