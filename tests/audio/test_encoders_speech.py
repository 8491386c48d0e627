"""The encoder of the package: whole equals streamed, bounded views, levels, weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import vowel

from kinevox.audio.encoders import ENCODERS, SpeechEncoder, load_encoder
from kinevox.audio.encoders.speech import Speech
from kinevox.audio.encoders.speech.config import RATE, SpeechConfig
from kinevox.audio.encoders.speech.network import SpeechNetwork
from kinevox.audio.encoders.speech.weights import read_weights, write_weights
from kinevox.errors import AssetError, ConfigError, UnknownNameError
from kinevox.timebase import SAMPLE_RATE

STEP = SAMPLE_RATE // RATE


@pytest.fixture(scope="module")
def encoder() -> Speech:
    """Of the usual depth and views, but narrow."""
    torch.manual_seed(0)
    network = SpeechNetwork(SpeechConfig(width=16, heads=2)).eval().requires_grad_(False)
    return Speech("speech", network, "0" * 16)


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    voice = vowel(seconds)
    voice = voice * np.repeat(rng.random(len(voice) // 1600 + 1), 1600)[: len(voice)]
    return (voice + 1e-3 * rng.standard_normal(len(voice))).astype(np.float32)


@pytest.mark.parametrize("name", ENCODERS.names())
def test_every_encoder_answers_what_is_asked(name: str) -> None:
    if name != "speech":
        pytest.importorskip("transformers", reason="needs the extra 'encoders'")
    family = ENCODERS.get(name)
    encoder = family.debug()
    assert isinstance(encoder, SpeechEncoder)
    assert family.summary and len(encoder.digest) == 16
    assert encoder.rate in (25, 50)
    samples = sound(1.03)
    features = encoder.encode(samples)
    assert features.shape == (int(len(samples) * encoder.rate / SAMPLE_RATE), encoder.width)
    assert features.dtype == torch.float32


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="hubert"):
        load_encoder("huberd")


@given(
    st.integers(0, 3 * SAMPLE_RATE),
    st.lists(st.integers(50, SAMPLE_RATE), min_size=1, max_size=8),
)
@settings(max_examples=10, deadline=None)
def test_streamed_equals_whole(encoder: Speech, count: int, sizes: list[int]) -> None:
    samples = sound(3.0)[:count]
    stream, heard, at = encoder.stream(), [], 0
    while at < count:
        size = sizes[len(heard) % len(sizes)]
        heard.append(stream.push(torch.from_numpy(samples[at : at + size])))
        at += size
    streamed = torch.cat([*heard, stream.finish()])
    whole = encoder.encode(samples)
    assert whole.shape == (count // STEP, encoder.width)
    torch.testing.assert_close(streamed, whole, atol=2e-5, rtol=0)


def test_pieces_equal_the_whole(encoder: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = sound(7.0)
    whole = encoder.encode(samples)
    monkeypatch.setattr("kinevox.audio.encoders.speech._AT_ONCE", 11_111)
    torch.testing.assert_close(encoder.encode(samples), whole, atol=2e-5, rtol=0)


def test_what_comes_later_changes_nothing(encoder: Speech) -> None:
    """The promise of `right_context`, to the sample; and a bit less would not do."""
    assert encoder.right_context <= 0.24 - 1 / RATE
    samples, feature = sound(4.0), 40
    end = (feature + 1) * STEP + round(encoder.right_context * SAMPLE_RATE)
    loud = np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32)
    other, near = samples.copy(), samples.copy()
    other[end:], near[end - 400 :] = loud[end:], loud[end - 400 :]
    whole = encoder.encode(samples)
    torch.testing.assert_close(
        encoder.encode(other)[: feature + 1], whole[: feature + 1], atol=2e-5, rtol=0
    )
    assert (encoder.encode(near)[feature] - whole[feature]).abs().max() > 1e-4


def test_a_stream_answers_as_soon_as_it_can(encoder: Speech) -> None:
    stream, given_samples = encoder.stream(), 0
    for chunk in torch.from_numpy(sound(2.0)).split(160):
        given_samples += len(chunk)
        count = len(stream.push(chunk))
        wait = given_samples - encoder.right_context * SAMPLE_RATE
        assert count == max(int(wait // STEP), 0) - max(int((wait - len(chunk)) // STEP), 0)


def test_what_was_long_ago_is_forgotten(encoder: Speech) -> None:
    """Left of what all layers together see, nothing counts but the level of the voice."""
    config = encoder.network.config
    view = sum(config.memory + config.kernel - 1 - ahead for ahead in config.ahead) + 1
    # The level fades by 6 dB in a second, and what follows is as loud as what was before.
    tail = sound((view + 50) / RATE)
    heads = [np.zeros(STEP * 10, np.float32), sound(3.0, 1)[: STEP * 20]]
    features = [encoder.encode(np.concatenate([head, tail]))[-50:] for head in heads]
    torch.testing.assert_close(features[0], features[1], atol=2e-5, rtol=0)


@pytest.mark.parametrize("gain", [0.1, 0.3, 3.0])
def test_loudness_makes_no_difference(encoder: Speech, gain: float) -> None:
    samples = sound(2.0) + np.float32(1e-2)
    torch.testing.assert_close(
        encoder.encode(samples * np.float32(gain)), encoder.encode(samples), atol=1e-3, rtol=0
    )


def test_weights_survive_in_half_precision(encoder: Speech, tmp_path: Path) -> None:
    write_weights(tmp_path / "speech.safetensors", encoder.network, {"scores": {"real": 0.5}})
    network, facts = read_weights(tmp_path / "speech.safetensors")
    assert network.config == encoder.network.config
    assert facts["scores"] == {"real": 0.5}
    loaded = load_encoder(f"speech:{tmp_path}")
    assert loaded.name == f"speech:{tmp_path}"
    assert loaded.digest != encoder.digest
    torch.testing.assert_close(
        loaded.encode(sound(1.0)), encoder.encode(sound(1.0)), atol=3e-2, rtol=0
    )


@pytest.mark.parametrize("content", [b"", b"\x08" + bytes(7) + b"{}      "])
def test_broken_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "speech.safetensors").write_bytes(content)
    with pytest.raises(AssetError, match="holds no speech encoder"):
        load_encoder(f"speech:{tmp_path}")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="kinevox train speech"):
        load_encoder(f"speech:{tmp_path}")


@pytest.mark.parametrize("wrong", [{"width": 15}, {"ahead": (7,)}, {"ahead": ()}, {"skip": 1.0}])
def test_impossible_networks_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        SpeechConfig(**wrong)
