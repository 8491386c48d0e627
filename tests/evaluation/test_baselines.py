"""What references and controls must score, on a corpus whose every phone and style is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinevox.evaluation import Plan, Results, measure
from kinevox.metrics import METRICS

METHODS = ("articulate+phones", "teacher", "mean-pose", "shuffled-audio:articulate+phones")


@pytest.fixture(scope="module")
def results(corpus: Path, anny_head: object) -> Results:
    return measure(Plan(str(corpus), methods=METHODS, seeds=2))


def value(results: Results, name: str, metric: str) -> float:
    return results.scores[name][metric].value


def test_the_ground_truth_is_perfect(results: Results) -> None:
    scores = results.scores["ground-truth"]
    compared = {
        "lve_mm": 0, "lve_squared_m2": 0, "mean_lip_distance_mm": 0, "mod_mm": 0,
        "mod_extent_mm": 0, "closure_recall": 1, "mouth_opening_correlation": 1,
        "mouth_opening_lag_ms": 0, "fdd": 0, "fdd_absolute": 0, "fdd_squared": 0,
        "fdd_squared_absolute": 0, "beat_alignment_reference": 1, "head_error_deg": 0,
        "head_dynamics_deg": 0, "head_dynamics_absolute_deg": 0, "frechet_face": 0,
        "frechet_head": 0, "coverage_face": 1, "coverage_head": 1, "recall_face": 1,
        "recall_head": 1, "precision_face": 1, "precision_head": 1,
    }  # fmt: skip
    for metric, perfect in compared.items():
        assert scores[metric].value == pytest.approx(perfect, abs=1e-6), metric
        assert scores[metric].half_width is None, "it has no seeds"


def test_nobody_beats_the_ground_truth(results: Results) -> None:
    truth = results.scores["ground-truth"]
    for name in METHODS:
        for metric in ("lve_mm", "mod_mm", "fdd_absolute", "frechet_face", "head_error_deg"):
            assert value(results, name, metric) > truth[metric].value


def test_other_sound_makes_lips_clearly_worse(results: Results) -> None:
    right, wrong = (
        {
            metric: value(results, name, metric)
            for metric in METRICS
            if metric in results.scores[name]
        }
        for name in ("articulate+phones", "shuffled-audio:articulate+phones")
    )
    assert wrong["lve_mm"] > 3 * right["lve_mm"]
    assert wrong["mod_mm"] > 3 * right["mod_mm"]
    assert wrong["closure_recall"] < right["closure_recall"] - 0.2
    assert wrong["mouth_opening_correlation"] < right["mouth_opening_correlation"] - 0.5
    assert wrong["style_cosine"] == pytest.approx(right["style_cosine"], abs=0.25)


def test_standing_still_has_no_dynamics(results: Results) -> None:
    still = results.scores["mean-pose"]
    assert still["beat_alignment_audio"].value == still["closure_recall"].value == 0
    assert still["head_yaw_range_deg"].value == pytest.approx(0, abs=1e-9)
    assert still["fdd"].value > 0, "positive is too still"
    assert np.isnan(still["mouth_opening_correlation"].value)
    assert still["frozen_share"].value == 1


def test_takes_differ_and_the_rules_with_phones_are_the_teacher(results: Results) -> None:
    assert value(results, "teacher", "diversity_head_deg") > 1
    assert "diversity_head_deg" not in results.scores["mean-pose"]
    for metric in ("lve_mm", "fdd", "head_error_deg"):
        teacher = value(results, "teacher", metric)
        assert teacher == value(results, "articulate+phones", metric)


def test_factors_are_recovered_from_other_performers(results: Results) -> None:
    assert {m for m in results.scores["teacher"] if m.startswith("factor_r2/")} >= {
        "factor_r2/smile",
        "factor_r2/jaw_gain",
    }


def test_the_worst_clips_come_first(results: Results) -> None:
    ranked = results.worst("articulate+phones", "lve_mm", 4)
    values = results.per_clip["articulate+phones"]["lve_mm"]
    assert [v for _, v in ranked] == sorted(values, reverse=True)[:4]
    recalls = [v for _, v in results.worst("mean-pose", "mouth_opening_correlation", 4)]
    assert recalls == [], "what cannot be measured is not bad"


def test_json_says_how_it_was_made(results: Results) -> None:
    told = results.to_json()
    assert told["command"].startswith("kinevox evaluate --corpus ")
    assert told["measured"]["clips"] == 6 and told["measured"]["style_gallery"] == 3
    lve = told["contestants"]["teacher"]["scores"]["lve_mm"]
    assert lve["low"] < lve["value"] < lve["high"] and len(lve["per_seed"]) == 2
    assert told["metrics"]["lve_mm"]["version"] == METRICS["lve_mm"].version
    assert told["contestants"]["mean-pose"]["scores"]["mouth_opening_lag_ms"]["value"] is None
