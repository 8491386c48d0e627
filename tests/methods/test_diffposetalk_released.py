"""Files as the authors of DiffPoseTalk release them, made up: read without running them."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_diffposetalk import space_of
from safetensors.torch import load_file
from torch import nn

from kinevox.cli.main import main
from kinevox.errors import AssetError
from kinevox.methods import METHODS
from kinevox.methods.diffposetalk.config import PAPER
from kinevox.methods.diffposetalk.released import convert_released, our_names, read_released

SIZES = {"feature_dim": 16, "n_heads": 2, "n_layers": 1, "mlp_ratio": 2}


def encoder_layers(width: int, cross: bool) -> dict[str, torch.Tensor]:
    kind = nn.TransformerDecoderLayer if cross else nn.TransformerEncoderLayer
    layer = kind(width, 2, 2 * width, activation="gelu", batch_first=True)
    return {f"transformer.layers.0.{name}": value for name, value in layer.state_dict().items()}


def style_state() -> dict[str, torch.Tensor]:
    projection = nn.Linear(54, 16).state_dict()
    return {f"motion_proj.{k}": v for k, v in projection.items()} | encoder_layers(16, False)


def model_state() -> dict[str, torch.Tensor]:
    parts = {
        "diff_step_map.0": nn.Linear(16, 16),
        "diff_step_map.2": nn.Linear(16, 16),
        "person_proj": nn.Linear(116, 16),
        "feature_proj": nn.Linear(55, 16),
        "motion_dec.0": nn.Linear(16, 8),
        "motion_dec.2": nn.Linear(8, 54),
    }
    denoiser = {f"{n}.{k}": v for n, part in parts.items() for k, v in part.state_dict().items()}
    denoiser |= encoder_layers(16, True)
    denoiser |= {"PE": torch.randn(1, 31, 16), "TE.pe": torch.randn(1, 51, 16)}
    denoiser |= {"alignment_mask": torch.ones(31, 30, dtype=torch.bool)}
    return {
        "start_audio_feat": torch.randn(1, 5, 16),
        "start_motion_feat": torch.randn(1, 5, 54),
        "null_style_feat": torch.randn(1, 1, 16),
        "null_audio_feat": torch.randn(1, 1, 16),
        "audio_encoder.encoder.layer_norm.weight": torch.ones(768),
        **{f"audio_feature_map.{k}": v for k, v in nn.Linear(768, 16).state_dict().items()},
        **{f"denoising_net.{k}": v for k, v in denoiser.items()},
        "diffusion_sched.betas": torch.randn(51),
    }


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    torch.manual_seed(0)
    paths = {name: tmp_path / name for name in ("model.pt", "style.pt", "stats.npz")}
    options = {**SIZES, "n_motions": 25, "n_prev_motions": 5, "n_diff_steps": 50, "d_style": 16}
    options |= {"use_indicator": True, "align_mask_width": 1, "no_head_pose": False}
    options |= {"data_root": pathlib.PurePosixPath("datasets/lmdb"), "audio_model": "hubert"}
    args = argparse.Namespace(**options)
    torch.save({"args": args, "model": model_state(), "iter": 7}, paths["model.pt"])
    told = argparse.Namespace(**SIZES, stats_file=pathlib.PurePosixPath("stats_train.npz"))
    torch.save({"args": told, "encoder": style_state(), "iter": 3}, paths["style.pt"])
    write_statistics(paths["stats.npz"])
    return paths


def write_statistics(path: Path, **changes: Any) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for name, size in (("exp", 50), ("pose", 6), ("shape", 100)):
        arrays[f"{name}_mean"] = rng.normal(0, 0.1, size)
        arrays[f"{name}_std"] = rng.uniform(0.01, 0.1, size)
    arrays["pose_std"][4:] = 0
    np.savez(path, **{**arrays, **changes})


def converted(files: dict[str, Path], out: Path) -> Path:
    return convert_released(files["model.pt"], files["style.pt"], files["stats.npz"], out)


def test_a_model_becomes_a_checkpoint(files: dict[str, Path], tmp_path: Path) -> None:
    method = METHODS.get("diffposetalk").load(converted(files, tmp_path / "out"))
    network = method.network
    assert network.config.encoder == f"hubert:{tmp_path / 'out' / 'encoder'}"
    assert (network.config.width, network.config.window, network.config.steps) == (16, 25, 50)
    assert network.config.style_positions == "sinusoidal-published"
    assert len(network.columns) == 54
    theirs = torch.load(files["model.pt"], weights_only=False)["model"]
    for name, value in our_names(theirs).items():
        assert torch.equal(network.state_dict()[name], value), name
    with np.load(files["stats.npz"]) as stored:
        np.testing.assert_allclose(network.identity_std, stored["shape_std"], rtol=1e-6)
        np.testing.assert_allclose(network.space.statistics.std[:50], stored["exp_std"], rtol=1e-6)
    assert network.space.statistics.std[-1] == 1, "a spread of 0 divides nothing"
    folder = tmp_path / "out" / "encoder"
    assert json.loads((folder / "config.json").read_text())["model_type"] == "hubert"
    assert list(load_file(folder / "model.safetensors")) == ["encoder.layer_norm.weight"]


def test_from_the_command_line(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--statistics", str(files["stats.npz"]), "-o", str(tmp_path / "out")]
    right = ["weights", "convert", str(files["model.pt"]), "--style", str(files["style.pt"])]
    assert main([*right, *words]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out")
    assert METHODS.get("diffposetalk").load(tmp_path / "out").network is not None
    swapped = ["weights", "convert", str(files["style.pt"]), "--style", str(files["model.pt"])]
    assert main([*swapped, *words]) == 1
    assert "no checkpoint of DiffPoseTalk's denoiser" in capsys.readouterr().err
    assert main(["card", str(tmp_path / "out")]) == 1
    assert "not trained by `kinevox train`" in capsys.readouterr().err


def test_statistics_must_fit(files: dict[str, Path], tmp_path: Path) -> None:
    write_statistics(files["stats.npz"], pose_mean=np.zeros(9), pose_std=np.ones(9))
    with pytest.raises(AssetError, match=r"pose_mean \(9,\).*6 of pose"):
        converted(files, tmp_path / "out")
    files["stats.npz"].unlink()
    with pytest.raises(AssetError, match=r"stats_train\.npz"):
        converted(files, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_style_encoder_without_head_does_not_fit(files: dict[str, Path], tmp_path: Path) -> None:
    content = torch.load(files["style.pt"], weights_only=False)
    content["encoder"]["motion_proj.weight"] = torch.randn(16, 51)
    torch.save(content, files["style.pt"])
    with pytest.raises(AssetError, match="same choice about head pose"):
        converted(files, tmp_path / "out")


def test_a_model_of_another_kind_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    content = torch.load(files["model.pt"], weights_only=False)
    content["args"].target = "noise"
    torch.save(content, files["model.pt"])
    with pytest.raises(AssetError, match="target 'noise'"):
        converted(files, tmp_path / "out")


class _Trap:
    def __reduce__(self):
        return os.mkdir, ("trap",)


def test_nothing_in_a_file_is_run(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"args": _Trap(), "model": {}}, files["model.pt"])
    with pytest.raises(AssetError, match="Nothing in it was run"):
        read_released(files["model.pt"])
    assert not (tmp_path / "trap").exists()
    for content in (b"", b"garbage"):
        files["model.pt"].write_bytes(content)
        with pytest.raises(AssetError, match="no file that torch wrote"):
            read_released(files["model.pt"])
    torch.save([1, 2], files["model.pt"])
    with pytest.raises(AssetError, match="holds a list"):
        read_released(files["model.pt"])


@pytest.mark.shared
def test_every_released_name_is_known(shared_dir: Path) -> None:
    """The published list of parameters, of both files, has a place here for each."""
    listing = shared_dir / "data/golden/diffposetalk/released_checkpoint_keys.txt"
    if not listing.is_file():
        pytest.skip("The list of released parameters is not in the shared folder.")
    found = re.findall(
        r"^[fb]? +(\S+)  \(([\d, ]*)\)  (?:float32|bool)$", listing.read_text(), re.M
    )
    shapes = {name: tuple(int(n) for n in text.split(",") if n.strip()) for name, text in found}
    network = PAPER.build(space_of())
    state = our_names({n: torch.zeros(s) for n, s in shapes.items() if _of_denoiser(n)})
    style = our_names({n: torch.zeros(s) for n, s in shapes.items() if not _of_denoiser(n)})
    state |= {f"style_encoder.{name}": value for name, value in style.items()}
    expected = {n: w.shape for n, w in network.state_dict().items() if "identity_" not in n}
    assert {name: value.shape for name, value in state.items()} == expected


def _of_denoiser(name: str) -> bool:
    return name.startswith(("start_", "null_", "audio_", "denoising_net", "diffusion_sched"))
