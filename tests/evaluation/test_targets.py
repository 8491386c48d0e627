"""Targets: what is asked, of whom, against whom."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kinevox.evaluation import Plan, Results, Score
from kinevox.evaluation.contestants import Contestant
from kinevox.evaluation.plan import GROUND_TRUTH
from kinevox.evaluation.tables import targets_table
from kinevox.evaluation.targets import TARGETS, baselines, figures, subjects
from kinevox.metrics import METRICS


def contestant(name: str, kind: str, method: str = "", **more: bool) -> Contestant:
    return Contestant(name, kind, "", lambda clip, seed: None, method, **more)  # type: ignore


WHO = [
    contestant(GROUND_TRUTH, "reference"),
    contestant("teacher", "reference", "articulate", true_style=True),
    contestant("articulate", "method", "articulate", true_style=True),
    contestant("articulate:neutral", "method", "articulate"),
    contestant("regressor:r", "method", "regressor"),
    contestant("ours:r", "method", "ours"),
    contestant("ours:r@steps=4", "method", "ours"),
    contestant("mean-pose", "control"),
    contestant("shuffled-audio", "control", "articulate", other_voice=True),
]
LVE = [0.0, 0.2, 2.0, 4.0, 5.0, 3.0, 4.5, np.nan, 1.0]


def made_up(names: list[str] | None = None) -> Results:
    """Scores of LVE and of how much the head moves; the last score counts up from 1."""
    chosen = [k for k, who in enumerate(WHO) if names is None or who.name in names]
    scores = {
        WHO[k].name: {"lve_mm": Score(LVE[k]), "head_motion_deg": Score(1 + 0.05 * k)}
        for k in chosen
    }
    contestants = {WHO[k].name: WHO[k] for k in chosen}
    return Results(Plan("made up"), contestants, scores, (), {}, {}, ())


def test_who_has_targets_and_who_is_to_be_beaten() -> None:
    results = made_up()
    assert subjects(results) == ["ours:r", "ours:r@steps=4"]
    # Neither those who know the true style nor those who hear something else.
    assert baselines(results) == ["articulate:neutral", "regressor:r", "mean-pose"]


def test_figures_by_hand() -> None:
    found = {target.title: row for target, row in figures(made_up())}
    assert found["LVE, against the best baseline"]["ours:r"] == pytest.approx(3 / 4)
    assert found["LVE, against the teacher"]["ours:r"] == pytest.approx(15)
    assert found["Head motion"] == pytest.approx({"ours:r": 1.25, "ours:r@steps=4": 1.30})
    assert len(found) == 3, "nothing is claimed that was not measured"


def test_what_did_not_take_part_is_left_out() -> None:
    titles = [target.title for target, _ in figures(made_up([GROUND_TRUTH, "ours:r"]))]
    assert titles == ["Head motion"]
    assert targets_table(made_up([GROUND_TRUTH, "articulate"])) is None


def test_bounds() -> None:
    by_title = {target.title: target for target in TARGETS}
    fdd, lve = by_title["Upper-face motion (FDD)"], by_title["LVE, against the best baseline"]
    assert [fdd.met(x) for x in (0.84, 0.85, 1.15, 1.16)] == [False, True, True, False]
    assert (fdd.bound, lve.bound) == ("0.85 to 1.15", "at most 1")
    assert by_title["BA to the voice"].bound == "at least 0.9"
    free = by_title["LVE, against the teacher"]
    assert free.met(100.0) is None and free.bound == ""
    assert {target.metric for target in TARGETS} <= set(METRICS)
    assert len(by_title) == len(TARGETS)


def test_the_table_says_met_or_missed() -> None:
    table = targets_table(made_up())
    assert table is not None
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["LVE, against the best baseline"] == ["at most 1", "0.750 met", "1.12 missed"]
    assert rows["LVE, against the teacher"] == ["-", "15.0", "22.5"]
    assert rows["Head motion"] == ["0.85 to 1.15", "1.25 missed", "1.30 missed"]
    assert "articulate:neutral, regressor:r, mean-pose" in table.note


def test_only_those_in_the_true_style_are_said_to_know_it(corpus: Path) -> None:
    from kinevox.data import Corpus
    from kinevox.evaluation.contestants import load_contestant

    opened = Corpus.open(corpus)
    knows = {
        name: load_contestant(name, opened).true_style
        for name in ("articulate", "articulate:neutral", "teacher", "mean-pose", "shuffled-audio")
    }
    assert knows == {
        "articulate": True,
        "articulate:neutral": False,
        "teacher": True,
        "mean-pose": False,
        "shuffled-audio": True,
    }
    assert dataclasses.replace(WHO[0]).true_style is False
