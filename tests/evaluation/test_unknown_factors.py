"""Corpora of real people: nobody knows their style factors, and some clips are short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinevox.data import Record
from kinevox.data.store import finish, write_shard
from kinevox.errors import ConfigError
from kinevox.evaluation import Plan, measure
from kinevox.motion import ARKIT
from kinevox.speech import Speech


@pytest.fixture(scope="module")
def captured(act: Callable[..., Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people of two clips each; the gallery clip of the last is below a second."""
    clips = [
        replace(act(20 + k, split, style), factors={})
        for split, styles in (("test", ("p0", "p1", "p2")), ("train", ("p8", "p9")))
        for k, style in enumerate(style for style in styles for _ in range(2))
    ]
    short = clips[5]
    speech = Speech(short.speech.samples[:12800], phones=short.speech.phones)
    clips[5] = replace(short, speech=speech, motion=short.motion.cut(0, 0.8))
    folder = tmp_path_factory.mktemp("captured")
    write_shard(folder, 0, clips)
    finish(folder, "captured", ARKIT, 25.0, {"command": "a test"})
    return folder


def test_styles_are_retrieved_but_no_factors_recovered(
    captured: Path, fresh_cache: pytest.MonkeyPatch
) -> None:
    found = measure(Plan(str(captured), methods=("articulate+phones", "shuffled-audio"), seeds=1))
    truth = found.scores["ground-truth"]
    assert np.isfinite(truth["style_top1"].value) and np.isnan(truth["factor_r2"].value)
    assert not any(name.startswith("factor_r2/") for name in truth)
    assert found.scores["articulate+phones"]["mouth_opening_correlation"].value > 0.4
    assert "neutral style" in found.contestants["articulate+phones"].told


def test_there_is_no_teacher(captured: Path) -> None:
    with pytest.raises(ConfigError, match="does not know its style factors"):
        measure(Plan(str(captured), methods=("teacher",)))
