"""Contestants by name, what they are given, and which clips they meet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinevox.cli.main import main
from kinevox.data import Corpus
from kinevox.errors import AssetError, ConfigError, KinevoxError, MotionError, UnknownNameError
from kinevox.evaluation import Plan
from kinevox.evaluation.contestants import fitted, load_contestant
from kinevox.evaluation.plan import choose_clips
from kinevox.methods.articulate import Articulate
from kinevox.methods.articulate.style import PRESETS
from kinevox.motion import ARKIT, Motion


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("articulat", UnknownNameError, "Did you mean 'articulate'"),
        ("shufled-audio", UnknownNameError, "Did you mean 'shuffled-audio'"),
        ("articulate:livly", UnknownNameError, "Did you mean 'lively'"),
        ("articulate+phone", UnknownNameError, "Did you mean 'articulate'"),
        ("shuffled-audio:mean-pose", ConfigError, "does not listen"),
        ("shuffled-audio:ground-truth", ConfigError, "does not listen"),
        ("ground-truth:x", ConfigError, "no options"),
        ("teacher+phones", ConfigError, "no options"),
        ("regressor:nowhere", AssetError, "nowhere"),
    ],
)
def test_wrong_names(corpus: Path, text: str, error: type[KinevoxError], message: str) -> None:
    with pytest.raises(error, match=message):
        load_contestant(text, Corpus.open(corpus))


def test_the_command_line_suggests_the_nearest(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--corpus", str(corpus), "--methods", "mean-poes"]) == 2
    assert "Did you mean 'mean-pose'" in capsys.readouterr().err
    assert main(["evaluate", "--corpus", str(corpus), "--out", "table.txt"]) == 2
    assert "'.txt'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "transcript", "phones", "style"),
    [
        ("articulate", False, False, "own"),
        ("articulate:sad", False, False, "sad"),
        ("articulate+transcript", True, False, "own"),
        ("articulate:sad+phones", False, True, "sad"),
        ("shuffled-audio", False, False, "own"),
        ("teacher", False, True, "own"),
    ],
)
def test_what_contestants_are_given(
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    transcript: bool,
    phones: bool,
    style: str,
) -> None:
    heard = []

    def generate(self, speech, style, *, seed, fps):
        heard.append((speech, style))
        return Motion(np.zeros((1, ARKIT.num_channels)), fps)

    monkeypatch.setattr(Articulate, "generate", generate)
    opened = Corpus.open(corpus)
    record = opened[0]
    load_contestant(text, opened).perform(record, 0)
    ((speech, given_style),) = heard
    assert (speech.transcript is not None, speech.phones is not None) == (transcript, phones)
    assert speech.path is None, "files beside the recording could tell more"
    wanted = record.factors if style == "own" else vars(PRESETS[style])
    assert vars(given_style) == dict(wanted)


def test_a_method_must_cover_its_recording() -> None:
    motion = Motion(np.arange(10)[:, None] * np.ones((1, ARKIT.num_channels)))
    for frames in (9, 10, 11):
        assert fitted(motion, frames, "x", any_length=False).num_frames == frames
    with pytest.raises(MotionError, match="'x' made 10 frames for a clip of 12"):
        fitted(motion, 12, "x", any_length=False)
    longer = fitted(motion, 25, "x", any_length=True).values[:, 0]
    assert np.abs(np.diff(longer)).max() == 1, "nothing jumps"


@given(
    styles=st.lists(st.sampled_from("abcde"), min_size=1, max_size=40),
    limit=st.none() | st.integers(1, 50),
)
def test_chosen_clips(styles: list[str], limit: int | None) -> None:
    index = {"id": np.arange(len(styles)), "style": np.array(styles)}
    chosen = choose_clips(Corpus(Path(), {}, index), limit)
    assert len(chosen.measured) == min(limit or 99, len(styles))
    assert list(chosen.measured) == sorted(set(chosen.measured))
    assert not set(chosen.probes) & set(chosen.gallery), "a probe is not looked up in itself"
    assert set(chosen.probes) <= set(chosen.measured)
    assert {styles[i] for i in chosen.probes} <= {styles[i] for i in chosen.gallery}
    shown = {styles[i] for i in chosen.measured}
    assert len(shown) == min(len(chosen.measured), len(set(styles))), "few clips, many performers"


def test_plans_say_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="seeds is 0; limit is -1; teacher takes part more"):
        Plan("x", methods=("teacher", "teacher"), seeds=0, limit=-1)


def test_the_command_is_complete() -> None:
    plan = Plan("my corpus", "valid", ("a", "b:c d"), 3, 7, "avatar.glb", ("t.md",))
    assert plan.command == (
        "kinevox evaluate --corpus 'my corpus' --split valid --methods 'a,b:c d' --seeds 3 "
        "--limit 7 --head avatar.glb --out t.md"
    )


def test_another_layout_needs_another_head(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for item in corpus.iterdir():
        (tmp_path / "c" / item.name).symlink_to(item)
    header = json.loads((corpus / "corpus.json").read_text())
    (tmp_path / "c" / "corpus.json").unlink()
    (tmp_path / "c" / "corpus.json").write_text(json.dumps({**header, "layout": "flame"}))
    from kinevox.evaluation.judge import Judge

    with pytest.raises(ConfigError, match="layout 'flame'"):
        Judge(Plan(str(tmp_path / "c"), methods=("ground-truth",)))
