"""Contestants that are one model sampled in several ways."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from kinevox.data import Corpus
from kinevox.errors import ConfigError, UnknownNameError
from kinevox.evaluation.contestants import Contestant, load_contestant
from kinevox.evaluation.plan import listed_contestants
from kinevox.methods import METHODS
from kinevox.methods.diffposetalk import DiffPoseTalk, Style
from kinevox.motion import Motion


@pytest.fixture
def opened(corpus: Path) -> Corpus:
    return Corpus.open(corpus)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder whose weights are those of a tiny network."""
    from kinevox.evaluation import contestants

    debug = METHODS.get("diffposetalk").debug()
    monkeypatch.setattr(DiffPoseTalk, "load", lambda self, folder: debug)
    monkeypatch.setattr(contestants, "_weights", lambda run: "digest of the weights")
    return str(tmp_path)


def test_commas_of_options_do_not_part_contestants() -> None:
    text = "teacher, diffposetalk:r@steps=4,style-scale=1.5 ,diffposetalk@guidance=off,mean-pose"
    assert listed_contestants(text) == [
        "teacher",
        "diffposetalk:r@steps=4,style-scale=1.5",
        "diffposetalk@guidance=off",
        "mean-pose",
    ]


def test_takes_and_identity_follow_the_options(opened: Corpus, run: str) -> None:
    torch.set_num_threads(1)
    plain = f"diffposetalk:{run}"
    names = [plain, f"{plain}@steps=1", f"{plain}@steps=2", f"{plain}@steps=2,sampler=ddim"]
    found = [load_contestant(name, opened) for name in names]
    assert len({who.identity for who in found}) == len(names)
    takes = [who.perform(opened[0], 0).values for who in found]
    assert all(np.abs(a - b).max() > 0 for a, b in pairwise(takes))
    again = load_contestant(names[1], opened)
    assert again.identity == found[1].identity
    assert "steps 2, sampler ddim" in found[3].told and "steps" not in found[0].told


def test_a_style_can_be_named(opened: Corpus, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def generate(self, speech, style, *, seed, fps):
        given.append(style)
        return Motion(np.zeros((1, opened.layout.num_channels)), fps)

    monkeypatch.setattr(DiffPoseTalk, "generate", generate)
    named = load_contestant(f"diffposetalk:{run}@style=neutral,steps=2", opened)
    named.perform(opened[0], 0)
    assert given == [Style()] and "style neutral" in named.told
    assert named.identity != load_contestant(f"diffposetalk:{run}@steps=2", opened).identity


def test_others_voices_and_words_go_with_options(opened: Corpus, run: str) -> None:
    who: Contestant = load_contestant(f"shuffled-audio:diffposetalk:{run}@steps=2", opened)
    assert who.other_voice and who.kind == "control" and "steps 2" in who.identity.replace("=", " ")
    assert (
        "told the words" in load_contestant(f"diffposetalk:{run}@steps=2+transcript", opened).told
    )


def test_wrong_options(opened: Corpus, run: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'steps'"):
        load_contestant(f"diffposetalk:{run}@step=2", opened)
    with pytest.raises(ConfigError, match="takes no options"):
        load_contestant("mean-pose@steps=2", opened)
    with pytest.raises(UnknownNameError, match="style"):
        load_contestant(f"diffposetalk:{run}@style=nobody-of-that-name", opened)
