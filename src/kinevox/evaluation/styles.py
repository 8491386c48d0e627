"""How real performers move, for the style metrics: rows of features, kept in the cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

import numpy as np

from kinevox.cache import cache_dir
from kinevox.data import Corpus
from kinevox.evaluation.judge import code_digest, style_row
from kinevox.files import written_whole
from kinevox.metrics.style import Described

TRAINING_CLIPS = 1000
"""Clips of other performers that factor recovery is fitted on."""


def described(
    clips: Corpus, chosen: Sequence[int], rows: Sequence[Sequence[float] | None]
) -> Described | None:
    """Rows with the performer and the factors of each clip; None when nothing is described."""
    kept = [(i, row) for i, row in zip(chosen, rows, strict=True) if row is not None]
    if not kept:
        return None
    factors = [json.loads(clips.index["factors"][i] or "{}") for i, _ in kept]
    names = set.intersection(*(set(known) for known in factors))
    return Described(
        np.array([row for _, row in kept], dtype=np.float64),
        [str(clips.index["style"][i]) for i, _ in kept],
        {name: np.array([float(f[name]) for f in factors]) for name in sorted(names)} or None,
    )


def describe_others(
    corpus: Corpus, split: str, progress: Callable[[int, int], None]
) -> Described | None:
    """Clips of performers who are not tested, spread over the training split."""
    if split == "train" or "train" not in corpus.index["split"]:
        return None
    train = corpus.split("train")
    chosen = np.unique(np.linspace(0, len(train) - 1, TRAINING_CLIPS).astype(int)).tolist()
    return describe_clips(train, chosen, progress)


def describe_clips(
    clips: Corpus, chosen: Sequence[int], progress: Callable[[int, int], None]
) -> Described | None:
    """Style features of real clips; clips too short to have any are left out."""
    ids = clips.index["id"][list(chosen)].tolist()
    facts = json.dumps([clips.header, ids, code_digest("")], sort_keys=True)
    # The table of contents changes with the corpus; clips of a shard are never changed alone.
    index = (clips.folder / "index.parquet").read_bytes()
    name = hashlib.sha256(facts.encode() + index).hexdigest()[:40]
    path = cache_dir("evaluate", "styles") / f"{name}.json"
    if path.is_file():
        return described(clips, chosen, json.loads(path.read_text(encoding="utf-8")))
    rows = []
    for number, i in enumerate(chosen):
        progress(number, len(chosen))
        rows.append(style_row(clips.motion(i)))
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(rows), encoding="utf-8")
    return described(clips, chosen, rows)
