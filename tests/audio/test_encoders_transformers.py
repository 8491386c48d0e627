"""Published encoders: lengths and padding as DiffPoseTalk has them, and long recordings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import vowel

from kinevox.audio.encoders import ENCODERS, load_encoder
from kinevox.audio.encoders._padding import LocalLevel, padded, standardized
from kinevox.audio.encoders._transformers import CONTEXT, CORE, TransformersEncoder
from kinevox.errors import AssetError

NAMES = ("hubert", "wav2vec2", "xlsr")
GOLDEN = (
    Path(os.environ.get("KINEVOX_SHARED", Path(__file__).parents[3] / "shared"))
    / "data/golden/diffposetalk"
)


@pytest.fixture(params=NAMES)
def encoder(request: pytest.FixtureRequest) -> TransformersEncoder:
    pytest.importorskip("transformers", reason="needs the extra 'encoders'")
    return ENCODERS.get(request.param).debug()


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    voice = (
        vowel(seconds) * np.repeat(rng.random(int(seconds * 10) + 1), 1600)[: int(seconds * 16000)]
    )
    return (voice + 1e-3 * rng.standard_normal(len(voice))).astype(np.float32)


@pytest.mark.parametrize("vectors", [100, 200, 400])
def test_padding_makes_the_published_lengths(vectors: int) -> None:
    assert padded(torch.zeros(320 * vectors)).shape == (320 * vectors + 80,)


@pytest.mark.parametrize("extra", range(80, 320, 40))
def test_padding_leaves_sound_alone_that_is_long_enough(extra: int) -> None:
    samples = torch.randn(2, 960 + extra)
    assert padded(samples) is samples


def test_padding_repeats_what_it_mirrored() -> None:
    index = padded(torch.arange(320.0)).tolist()
    assert index[40:-40] == list(range(320))
    assert index[20:40] == list(range(20, 0, -1))
    # The outer half mirrors the inner one: it runs forward again.
    assert index[:20] == list(range(20))


def test_level_is_decided_nearby() -> None:
    samples = np.concatenate([sound(20.0), 0.05 * sound(20.0, 1)])
    level = LocalLevel(samples)
    alone = LocalLevel(samples[: 20 * 16000])
    np.testing.assert_array_equal(level.cut(0, 160_000), alone.cut(0, 160_000))
    assert 0.7 < level.cut(30 * 16000, 34 * 16000).std() < 1.4


@pytest.mark.parametrize("gain", [0.05, 3.0])
def test_loudness_makes_no_difference(encoder: TransformersEncoder, gain: float) -> None:
    samples = sound(1.0)
    torch.testing.assert_close(
        encoder.encode(samples * np.float32(gain)), encoder.encode(samples), atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize("count", [0, 319, 320, 399, 16_000, 16_321])
def test_as_many_features_as_fit(encoder: TransformersEncoder, count: int) -> None:
    features = encoder.encode(sound(2.0)[:count])
    assert features.shape == (count // 320, encoder.width)
    assert torch.isfinite(features).all()


def test_pieces_come_near_the_whole(encoder: TransformersEncoder, monkeypatch) -> None:
    samples = sound(2 * CORE + 2 * CONTEXT + 3)
    pieces = encoder.encode(samples)
    monkeypatch.setattr("kinevox.audio.encoders._transformers.CORE", 1000)
    whole = encoder.encode(samples)
    error = (pieces - whole).square().mean().sqrt() / whole.std()
    assert 0 < error < 0.05


def test_the_same_weights_have_the_same_digest(encoder: TransformersEncoder) -> None:
    again = ENCODERS.get(encoder.name).debug()
    assert again.digest == encoder.digest
    with torch.no_grad():
        next(again.model.parameters()).add_(1e-3)
    assert ENCODERS.get(encoder.name).wrap(again.model, "changed").digest != encoder.digest


def test_weights_from_a_folder(encoder: TransformersEncoder, tmp_path: Path) -> None:
    encoder.model.save_pretrained(tmp_path)
    loaded = load_encoder(f"{encoder.name}:{tmp_path}")
    assert loaded.digest == encoder.digest
    torch.testing.assert_close(loaded.encode(sound(0.5)), encoder.encode(sound(0.5)))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="needs the extra 'encoders'")
    with pytest.raises(AssetError, match=r"config\.json"):
        load_encoder(f"hubert:{tmp_path}")


@pytest.fixture(scope="module")
def golden() -> tuple[dict, dict[str, torch.Tensor]]:
    from safetensors.torch import load_file

    if not GOLDEN.is_dir():
        pytest.skip("needs the golden numbers of DiffPoseTalk under KINEVOX_SHARED")
    facts = json.loads((GOLDEN / "audio_path.json").read_text(encoding="utf-8"))
    return facts, load_file(GOLDEN / "audio_path.safetensors")


@pytest.mark.shared
def test_padding_maps_samples_as_published(golden) -> None:
    maps = {k: v for k, v in golden[1].items() if k.startswith("out.pad_index.")}
    assert len(maps) == 12
    for name, index in maps.items():
        count = int(name.rpartition(".")[2])
        assert padded(torch.arange(float(count))).tolist() == index.tolist(), name


@pytest.mark.shared
@pytest.mark.parametrize(
    ("count", "frames", "name"),
    [
        (64_000, 100, "features_4s"),
        (32_000, 50, "features_2s"),
        (64_400, 100, "features_64400_samples_100_frames"),
    ],
)
def test_features_are_those_of_the_published_code(golden, count, frames, name) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra 'encoders'")
    facts, tensors = golden
    model = transformers.HubertModel(transformers.HubertConfig(**facts["config"]["hubert"]))
    prefix = "weights.audio_encoder."
    model.load_state_dict(
        {k.removeprefix(prefix): v.float() for k, v in tensors.items() if k.startswith(prefix)}
    )
    encoder = ENCODERS.get("hubert").wrap(model, "golden")
    samples = standardized(tensors["in.audio_int16"][:count].float() / 32768)
    hidden = encoder.hidden(padded(samples)[None], 2 * frames)[0]
    if count == 64_000:
        assert_near(hidden, tensors["out.hubert_last_hidden_4s"])
    weight, bias = (tensors[f"weights.audio_feature_map.{n}"].float() for n in ("weight", "bias"))
    assert_near(hidden.unflatten(0, (-1, 2)).mean(1) @ weight.T + bias, tensors[f"out.{name}"])


def assert_near(found: torch.Tensor, published: torch.Tensor) -> None:
    bound = 1e-5 * float(published.abs().max())
    torch.testing.assert_close(found, published, atol=bound, rtol=0)
