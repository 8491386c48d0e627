"""The folder of a training: what was asked for, on which data, by which code."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections import defaultdict
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import kinevox
from kinevox.cache import cache_dir
from kinevox.data import Corpus
from kinevox.data.mixture import Mixed
from kinevox.errors import ConfigError
from kinevox.files import written_whole
from kinevox.training._base import Trainable
from kinevox.training.options import TrainingOptions


def run_folder(name: str | Path) -> Path:
    """A run by path, or by name among those in the cache."""
    path = Path(name).expanduser()
    return path if path.is_dir() or len(path.parts) != 1 else cache_dir("runs") / path


def configuration(
    stage: Trainable, corpus: Corpus, options: TrainingOptions, mixed: Mixed | None = None
) -> dict[str, Any]:
    """Everything that decides the result."""
    data = data_facts(corpus)
    if mixed:
        data["mixed"] = {"every": mixed.every, **data_facts(mixed.corpus)}
    return {
        "network": {"name": stage.name, "config": asdict(stage)},
        "options": asdict(options),
        "data": data,
        "kinevox": kinevox.__version__,
        "code": code_version(),
    }


def claim(folder: Path, wanted: dict[str, Any]) -> None:
    """Notes what a run is, or checks that it is the same as before.

    Raises:
        ConfigError: the folder holds another run; the message lists what differs.
    """
    path = folder / "config.json"
    if path.is_file():
        before = _deciding(json.loads(path.read_text(encoding="utf-8")))
        differences = [
            f"{part} {key}: {before[part].get(key)} there, {value} now"
            for part, values in _deciding(json.loads(json.dumps(wanted))).items()
            for key, value in values.items()
            if before[part].get(key) != value
        ]
        if differences:
            raise ConfigError(
                f"{folder} holds another training ({'; '.join(differences)}). Give another --out, "
                "or the same options to go on with it."
            )
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _deciding(wanted: dict[str, Any]) -> dict[str, dict[str, Any]]:
    mixed = wanted["data"].get("mixed", {})
    return {
        "network": wanted["network"],
        "options": {k: v for k, v in wanted["options"].items() if k not in TrainingOptions.FREE},
        "data": {
            "digest": wanted["data"]["digest"],
            "mixed in": mixed.get("digest"),
            "mixed in one of": mixed.get("every"),
        },
    }


def data_facts(corpus: Corpus) -> dict[str, Any]:
    """What a corpus is, for the model card."""
    hours = corpus.index["frames"] / corpus.fps / 3600
    told: dict[str, dict[str, float]] = {
        "licence": defaultdict(float),
        "language": defaultdict(float),
    }
    for text, length in zip(corpus.index["metadata"], hours, strict=True):
        metadata = json.loads(text)
        for what, sums in told.items():
            sums[metadata.get(what, "not stated")] += float(length)
    rows = zip(*(corpus.index[c].tolist() for c in ("id", "split", "style", "frames")), strict=True)
    return {
        "name": corpus.name,
        "digest": hashlib.sha256(json.dumps(list(rows)).encode()).hexdigest()[:16],
        "layout": corpus.layout.name,
        "fps": corpus.fps,
        "splits": {
            split: {
                "clips": int((corpus.index["split"] == split).sum()),
                "hours": round(float(hours[corpus.index["split"] == split].sum()), 3),
                **{
                    f"{who}s": len(set(corpus.index[who][corpus.index["split"] == split]))
                    for who in ("speaker", "style")
                },
            }
            for split in dict.fromkeys(corpus.index["split"].tolist())
        },
        "hours_by_licence": {k: round(v, 3) for k, v in sorted(told["licence"].items())},
        "hours_by_language": {k: round(v, 3) for k, v in sorted(told["language"].items())},
        "made": corpus.header.get("made", {}),
    }


@cache
def code_version() -> str:
    """The commit this code is of, with `+changes` where it was edited; else `released`."""
    package = Path(kinevox.__file__).parent
    if not (package.parents[1] / ".git").exists():
        return "released"
    try:
        git = ["git", "-C", str(package)]
        commit = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True)
        edited = subprocess.check_output([*git, "status", "--porcelain", "--", "."], text=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.strip() + ("+changes" if edited.strip() else "")


def machine() -> str:
    """Processor or graphics card, and the versions that matter."""
    import torch

    if torch.cuda.is_available():
        device = f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    else:
        device = f"{_processor()}, {os.cpu_count()} cores"
    return f"{device}; Python {platform.python_version()}, torch {torch.__version__}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
