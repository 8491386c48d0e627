"""Weights released by the authors of DiffPoseTalk, converted once to checkpoints of ours.

The files are pickles. They are read by a reader that knows tensors, numbers, text and the few
classes such files hold, and refuses everything else; nothing in them is run.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
import types
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch._utils import _rebuild_parameter, _rebuild_tensor_v2

from kinevox.data.normalize import Statistics
from kinevox.errors import AssetError
from kinevox.files import written_whole
from kinevox.methods.diffposetalk.config import PAPER, DiffPoseTalkConfig
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.motion import flame_layout
from kinevox.timebase import FPS
from kinevox.training import Space
from kinevox.training.checkpoint import write_checkpoint

_STATISTICS = {"exp": 50, "pose": 6, "shape": 100}
"""Numbers of each kind in the statistics file; `pose` is the head's rotation and the jaw's."""

_ALLOWED = {
    ("argparse", "Namespace"): argparse.Namespace,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}

_NAMES = (
    (r"^start_motion_feat$", "start_motion"),
    (r"^start_audio_feat$", "start_sound"),
    (r"^null_style_feat$", "null_style"),
    (r"^null_audio_feat$", "null_sound"),
    (r"^audio_feature_map\.", "sound."),
    (r"^denoising_net\.PE$", "denoiser.positions.table"),
    (r"^denoising_net\.diff_step_map\.", "denoiser.step."),
    (r"^denoising_net\.person_proj\.", "denoiser.person."),
    (r"^denoising_net\.feature_proj\.", "denoiser.motion."),
    (r"^denoising_net\.motion_dec\.", "denoiser.out."),
    (r"^denoising_net\.transformer\.", "denoiser."),
    (r"^(encoder\.)?motion_proj\.", "motion."),
    (r"^(encoder\.)?transformer\.", ""),
    (r"\.self_attn\.in_proj_", ".attention.query_key_value."),
    (r"\.self_attn\.out_proj\.", ".attention.joined."),
    (r"\.multihead_attn\.out_proj\.", ".hearing.joined."),
    (r"\.linear1\.", ".feedforward.0."),
    (r"\.linear2\.", ".feedforward.3."),
    (r"\.norm1\.", ".norm_attention."),
    (r"\.norm3\.", ".norm_feedforward."),
)
"""Their names of parameters, and ours."""
_COMPUTED = re.compile(r"(^|\.)(TE\.pe|PE\.pe|alignment_mask)$|^diffusion_sched\.|^audio_encoder\.")
"""Tables that we compute, and the speech encoder, which is a part of its own here."""


def our_names(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of their denoiser, or of their style encoder, under our names."""
    ours: dict[str, Tensor] = {}
    for name, value in theirs.items():
        if _COMPUTED.search(name):
            continue
        new = name
        for pattern, ours_is in _NAMES:
            new = re.sub(pattern, ours_is, new)
        # The second norm is behind what is heard, or, where nothing is, behind the network.
        hears = re.sub(r"norm2.*", "norm3.weight", name) in theirs
        new = new.replace(".norm2.", ".norm_hearing." if hears else ".norm_feedforward.")
        if ".multihead_attn.in_proj_" in new:
            width = len(value) // 3
            stem, kind = new.split(".multihead_attn.in_proj_")
            ours[f"{stem}.hearing.query.{kind}"] = value[:width]
            ours[f"{stem}.hearing.key_value.{kind}"] = value[width:]
        else:
            stands_alone = new in {"start_motion", "start_sound", "denoiser.positions.table"}
            ours[new] = value[0] if stands_alone else value
    for name in ("null_style", "null_sound"):
        if name in ours:
            ours[name] = ours[name].reshape(-1)
    return ours


def convert_released(denoiser: Path, style: Path, statistics: Path, out: Path) -> Path:
    """Writes a checkpoint of ours from the released files.

    The speech encoder inside the denoiser's file was tuned with it and is written to
    `out/encoder`, as transformers reads it.

    Args:
        denoiser: `iter_0110000.pt` of a model.
        style: The file of the style encoder it was trained with.
        statistics: `stats_train.npz` of their training data.

    Returns:
        `out`, to be used as `diffposetalk:OUT`.

    Raises:
        AssetError: a file is missing, is not what it should be, or does not fit the others.
    """
    model, style_model = read_released(denoiser), read_released(style)
    parts = [(model, "model", denoiser), (style_model, "encoder", style)]
    for content, key, path in parts:
        if not isinstance(content.get(key), Mapping) or "args" not in content:
            kind = "denoiser" if key == "model" else "style encoder"
            raise AssetError(
                f"{path} lacks 'args' or '{key}'; it is no checkpoint of DiffPoseTalk's {kind}."
            )
    given = released_config(vars(model["args"]), vars(style_model["args"]))
    space, identity = released_space(statistics)
    network = DiffPoseTalkNetwork(given, space)
    state = our_names(model["model"])
    state |= {f"style_encoder.{k}": v for k, v in our_names(style_model["encoder"]).items()}
    state |= identity
    expected = network.state_dict()
    wrong = sorted(expected.keys() ^ state.keys())
    wrong += [
        f"{name} {tuple(state[name].shape)} instead of {tuple(value.shape)}"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    if wrong:
        raise AssetError(
            f"{denoiser} and {style} do not fit together: {', '.join(wrong[:5])}. The style "
            "encoder must be trained with the same choice about head pose."
        )
    network.load_state_dict(state)
    facts = {
        "training": {"samples_seen": int(model.get("iter", 0)) * given.training.batch},
        "data": {"name": "released by the authors of DiffPoseTalk"},
        "metrics": {},
    }
    _write_encoder(out / "encoder", given.encoder, model["model"])
    write_checkpoint(out, given, space, network, facts)
    return out


def _write_encoder(folder: Path, kind: str, weights: Mapping[str, Tensor]) -> None:
    """The speech encoder as a folder of transformers, whose defaults are those of the base size."""
    prefix = "audio_encoder."
    own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    architecture = {"hubert": "HubertModel", "wav2vec2": "Wav2Vec2Model"}[kind]
    config = {"model_type": kind, "architectures": [architecture]}
    with written_whole(folder / "config.json") as temporary:
        temporary.write_text(json.dumps(config) + "\n", encoding="utf-8")
    with written_whole(folder / "model.safetensors") as temporary:
        save_file({k: v.contiguous() for k, v in own.items()}, temporary, {"format": "pt"})


def released_config(options: Mapping[str, Any], style: Mapping[str, Any]) -> DiffPoseTalkConfig:
    """The configuration that a released model was trained with; its mistakes included."""

    def told(name: str, otherwise: Any) -> Any:
        return options[name] if options.get(name) is not None else otherwise

    headless = told("no_head_pose", not told("predict_head_pose", True))
    learned = not told("no_use_learnable_pe", not told("use_learnable_pe", True))
    reach = told("align_mask_width", 1 if told("use_alignment_mask", False) else 0)
    wanted = {"target": "sample", "architecture": "decoder", "rot_repr": "aa"}
    odd = [f"{k} '{told(k, v)}'" for k, v in wanted.items() if told(k, v) != v]
    if odd or told("guiding_conditions", "audio,style") != "audio,style":
        raise AssetError(
            f"This model was trained with {', '.join(odd) or 'other guiding conditions'}, which "
            "this kinevox does not run."
        )
    return replace(
        PAPER,
        encoder=told("audio_model", "hubert"),
        width=told("feature_dim", 512),
        heads=told("n_heads", 8),
        layers=told("n_layers", 8),
        ratio=told("mlp_ratio", 4),
        positions="learned" if learned else "sinusoidal-published",
        reach=reach,
        indicator=bool(told("use_indicator", False)),
        fixed=("jaw_y", "jaw_z", *(("head",) if headless else ())),
        window=told("n_motions", 100),
        context=told("n_prev_motions", 10),
        steps=told("n_diff_steps", 500),
        schedule=told("diff_schedule", "cosine"),
        style_width=style.get("feature_dim") or 128,
        style_layers=style.get("n_layers") or 4,
        style_heads=style.get("n_heads") or 4,
        style_ratio=style.get("mlp_ratio") or 4,
        style_positions="sinusoidal-published",
    )


def released_space(path: Path) -> tuple[Space, dict[str, Tensor]]:
    """The normalization of motion, and that of shapes.

    Raises:
        AssetError: no such file, or its numbers are not those of DiffPoseTalk.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise AssetError(
            f"{path} cannot be read as statistics ({error}). It comes with the TFHP dataset as "
            "stats_train.npz."
        ) from error
    wrong = [
        f"{kind}_{what} {arrays[f'{kind}_{what}'].shape}"
        if f"{kind}_{what}" in arrays
        else f"no {kind}_{what}"
        for kind, count in _STATISTICS.items()
        for what in ("mean", "std")
        if getattr(arrays.get(f"{kind}_{what}"), "shape", None) != (count,)
    ]
    if wrong:
        raise AssetError(
            f"{path} has {', '.join(wrong)}; DiffPoseTalk normalizes "
            f"{', '.join(f'{count} of {kind}' for kind, count in _STATISTICS.items())}."
        )
    layout = flame_layout(50)
    mean, std = (
        np.concatenate([arrays[f"exp_{what}"], arrays[f"pose_{what}"]]).astype(np.float32)
        for what in ("mean", "std")
    )
    # The jaw turns about x alone: its other spreads are 0.
    std = np.where(std > 0, std, 1).astype(np.float32)
    identity = {
        f"identity_{what}": torch.from_numpy(arrays[f"shape_{what}"].astype(np.float32))
        for what in ("mean", "std")
    }
    return Space(layout, FPS, Statistics(mean, std), ()), identity


def read_released(path: Path) -> dict[str, Any]:
    """A released checkpoint, without running anything in it.

    Raises:
        AssetError: missing, broken, or it names anything such a file has no need of.
    """
    if not zipfile.is_zipfile(path):
        raise AssetError(f"{path} is missing, or is no file that torch wrote.")
    reader = types.SimpleNamespace(Unpickler=_Reader, load=None, __name__="pickle")
    try:
        content = torch.load(path, "cpu", pickle_module=reader, weights_only=False)
    except Exception as error:
        raise AssetError(f"{path} cannot be read: {error}. Nothing in it was run.") from None
    if not isinstance(content, dict):
        raise AssetError(f"{path} holds a {type(content).__name__}, expected a dictionary.")
    return content


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        if module.startswith("pathlib") and name.endswith("Path"):
            return _joined
        if module == "torch" and name.endswith("Storage"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _joined(*parts: str) -> str:
    """A path as text: those of another system cannot be made here."""
    return "/".join(parts)
