"""Inputs and outputs of the public DiffPoseTalk code, run with random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from kinevox.data.normalize import Statistics
from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.methods.diffposetalk.released import released_config
from kinevox.motion import flame_layout
from kinevox.training import Space

SINGLE, SAMPLED = 1e-5, 1e-4
"""Largest differences, as a share of the largest magnitude: of one pass, and of many."""


class Case:
    """One golden file: tensors by name, and the configuration they were made with."""

    def __init__(self, folder: Path, name: str):
        path = folder / "data" / "golden" / "diffposetalk" / f"{name}.safetensors"
        if not path.is_file():
            pytest.skip("The golden files of DiffPoseTalk are not in the shared folder.")
        stored = load_file(path)
        self.tensors = {k: v.float() if v.is_floating_point() else v for k, v in stored.items()}
        self.facts: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    @property
    def weights(self) -> dict[str, Tensor]:
        return {
            name.removeprefix("weights."): value
            for name, value in self.tensors.items()
            if name.startswith("weights.")
        }

    def config(self, **changes: Any) -> DiffPoseTalkConfig:
        """The configuration of a released model, without dropout; 64 features where it hears."""
        options = {**self.facts["config"], "guiding_conditions": "audio,style"}
        style = options.get("style_encoder") or {"feature_dim": options.get("d_style", 128)}
        config = released_config(options, {"n_layers": 1, "n_heads": 4, **style})
        sizes = {"features": 64, "dropout": 0.0, "head": ""}
        if options.get("style_enc_ckpt", "x") is None:
            sizes["style_width"] = 0
        return replace(config, **{**sizes, **changes})


def space_of(case: Case | None = None, **fixed: Any) -> Space:
    """FLAME's layout, with the statistics of a case where it has some."""
    layout = flame_layout(50)
    mean, std = np.zeros(56, np.float32), np.ones(56, np.float32)
    if case is not None and "in.stats.exp_mean" in case.tensors:
        mean, std = (
            torch.cat([case[f"in.stats.exp_{what}"], case[f"in.stats.pose_{what}"]]).numpy()
            for what in ("mean", "std")
        )
        std = np.where(std > 0, std, 1).astype(np.float32)
    return Space(layout, 25.0, Statistics(mean, std), ())


class Hubert:
    """A tiny HuBERT of transformers with the stored weights, wrapped as DiffPoseTalk does."""

    def __init__(self, case: Case):
        transformers = pytest.importorskip("transformers")
        sizes = transformers.HubertConfig(**case.facts["config"]["hubert"])
        self.model = transformers.HubertModel(sizes).eval()
        prefix = "audio_encoder."
        known = {k.removeprefix(prefix): v for k, v in case.weights.items() if prefix in k}
        self.model.load_state_dict(known)

    def train_likediffposetalk(self) -> None:
        """All but the convolutions, the projection and the first two layers."""
        frozen = ("feature_extractor", "feature_projection", "encoder.layers.0", "encoder.layers.1")
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = not name.startswith(frozen)

    def __call__(self, samples: Tensor, frames: int) -> Tensor:
        """Normalized sound of whole frames to one feature per frame."""
        for _ in range(2):
            samples = torch.nn.functional.pad(samples[:, None], (20, 20), "reflect")[:, 0]
        features = self.model(samples).last_hidden_state
        assert features.shape[1] == 2 * frames
        return features.unflatten(1, (frames, 2)).mean(dim=2)


def assert_close(ours: Tensor, theirs: Tensor, share: float = SINGLE) -> None:
    bound = share * float(theirs.abs().max())
    difference = float((ours.detach() - theirs).abs().max())
    assert difference <= bound, f"differs by {difference:.2g}, allowed {bound:.2g}"


def affine_vertices(case: Case):
    """The stand-in for FLAME: normalized motion of 54 or 51 channels to 5,023 vertices."""
    head, template = case["in.head"], case["in.template"]
    mean = torch.cat([case["in.stats.exp_mean"], case["in.stats.pose_mean"]])
    std = torch.cat([case["in.stats.exp_std"], case["in.stats.pose_std"]])
    repeats = torch.arange(5023) % 40

    def vertices(motion: Tensor) -> Tensor:
        """Without head rotation; the shape adds the same to all and is left out."""
        zero = torch.zeros_like(motion[..., :1])
        jaw = torch.cat([motion[..., -1:], zero, zero], dim=-1) * std[53:] + mean[53:]
        expression = motion[..., :50] * std[:50] + mean[:50]
        moved = torch.cat([expression, zero, zero, zero, jaw], dim=-1)
        places = template + torch.einsum("...j,jkc->...kc", moved, head[100:])
        return places[..., repeats, :].flatten(-2)

    return vertices
