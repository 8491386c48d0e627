"""What holds for every family: names, definitions, the printed page, perfection, invariance."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_head, toy_motion
from synthetic_faces import arkit_face, flame_file

from kinevox.heads import Head, load_head
from kinevox.metrics import (
    FAMILIES,
    METRICS,
    Metric,
    _vertices,
    continuity,
    distribution,
    head_pose,
    lips,
    style,
    upper_face,
)
from kinevox.metrics._page import page
from kinevox.motion import Motion, flame_layout
from kinevox.phones import Phones

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def _hummed(motion: Motion) -> Phones:
    """A clip that is one "m"."""
    return Phones(("M",), np.array([0.0]), np.array([motion.seconds]))


def _clip_scores(head: Head, reference: Motion, predicted: Motion) -> dict[str, float]:
    """Every metric of a pair of clips, and of two sets of them."""
    beats = head_pose.head_beats(reference.group("head"), reference.fps)
    scores = lips.evaluate(head, reference, predicted, _hummed(predicted))
    scores |= upper_face.evaluate(head, reference, predicted)
    scores |= head_pose.evaluate(reference, predicted, beats)
    scores |= distribution.evaluate(head, [reference], [predicted])
    scores |= distribution.evaluate_takes(head, [reference, predicted])
    scores |= continuity.evaluate(head, predicted, [25, 50])
    return scores


def _style_scores() -> dict[str, float]:
    rows = np.eye(4)
    clips = style.Described(rows, list("abcd"), {"smile": np.arange(4.0)})
    training = style.Described(rows, list("efgh"), {"smile": np.arange(4.0)})
    return style.evaluate(clips, clips, training)


def test_every_metric_is_named_once_and_defined() -> None:
    listed = [metric.name for _, family in FAMILIES for metric in family]
    assert len(listed) == len(set(listed)) == len(METRICS)
    for metric in METRICS.values():
        assert metric.version >= 1 and metric.unit and metric.title
        assert metric.definition.endswith(".")
        assert metric.better == "closer" or metric.target is None


def test_evaluate_answers_with_exactly_the_names_of_its_family() -> None:
    scores = _clip_scores(arkit_face(), toy_motion(100), toy_motion(100, seed=1))
    scores |= _style_scores()
    assert {name.partition("/")[0] for name in scores} == set(METRICS)
    assert all(isinstance(value, float) for value in scores.values())


NOT_ABOUT_A_REFERENCE = ("diversity", "border", "closure", "beat_alignment_audio_excess",
                         "beat_alignment_reference_excess")  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_identical_clips_score_perfectly(seed: int) -> None:
    motion = toy_motion(100, seed=seed)
    head = arkit_face()
    once, again = (_clip_scores(head, motion, motion) for _ in range(2))
    for name, value in (once | _style_scores()).items():
        metric = METRICS[name.partition("/")[0]]
        if name.startswith(NOT_ABOUT_A_REFERENCE):
            continue
        best = {"lower": 0.0, "higher": -1.0, "closer": 0.0}[metric.better]
        tolerance = 2e-3 if name.startswith("factor_r2") else 1e-9
        assert metric.penalty(value, again.get(name)) == pytest.approx(best, abs=tolerance), name


@pytest.mark.parametrize("order", ["other clip", "shuffled frames"])
def test_wrong_input_scores_worse_than_right_input(order: str) -> None:
    head, right = arkit_face(), toy_motion(100)
    wrong = toy_motion(100, seed=5)
    if order == "shuffled frames":
        wrong = right.replace(values=np.random.default_rng(0).permutation(right.values))
    good, bad = _clip_scores(head, right, right), _clip_scores(head, right, wrong)
    follow_time = ["lve_mm", "lve_squared_m2", "mean_lip_distance_mm", "mod_mm", "mod_extent_mm",
                   "mouth_opening_correlation", "head_error_deg", "beat_alignment_reference",
                   "frechet_face", "frechet_head"]  # fmt: skip
    if order == "other clip":
        follow_time += ["fdd", "fdd_absolute", "fdd_squared", "fdd_squared_absolute"]
    for name in follow_time:
        assert METRICS[name].penalty(bad[name]) > METRICS[name].penalty(good[name]), name


def test_distances_do_not_care_which_is_the_reference() -> None:
    head, a, b = arkit_face(), toy_motion(100), toy_motion(100, seed=1)
    there, back = _clip_scores(head, a, b), _clip_scores(head, b, a)
    for name in ("lve_mm", "lve_squared_m2", "mean_lip_distance_mm", "mod_mm", "mod_extent_mm",
                 "mouth_opening_correlation", "fdd_absolute", "fdd_squared_absolute",
                 "head_error_deg", "head_dynamics_absolute_deg", "frechet_face",
                 "frechet_head", "diversity_face_mm", "diversity_head_deg"):  # fmt: skip
        assert there[name] == pytest.approx(back[name], rel=1e-6), name
    for name in ("fdd", "fdd_squared", "head_dynamics_deg", "mouth_opening_lag_ms"):
        assert there[name] == pytest.approx(-back[name], rel=1e-6), name


def test_the_face_is_measured_without_the_turn_of_the_head() -> None:
    head, a, b = arkit_face(), toy_motion(60), toy_motion(60, seed=1)
    turned = b.with_channels(head_x=0.3, head_y=-0.5, head_z=np.linspace(0, 1, 60))
    before, after = _clip_scores(head, a, b), _clip_scores(head, a, turned)
    names = [m.name for m in (*lips.METRICS, *upper_face.METRICS)]
    names += [name for name in METRICS if "_face" in name]
    for name in names:
        assert before[name] == pytest.approx(after[name], nan_ok=True), name
    assert before["head_error_deg"] != pytest.approx(after["head_error_deg"])


class _OtherHead:
    """A head that is not linear, as far as metrics can see."""

    def __init__(self, head: Head):
        self._head = head

    def __getattr__(self, name: str):
        return getattr(self._head, name)

    def vertices(self, motion: Motion, *, head_pose: bool = True) -> np.ndarray:
        return self._head.vertices(motion, head_pose=head_pose)


def test_heads_of_any_kind_and_any_chunk_give_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    head, a, b = arkit_face(), toy_motion(60), toy_motion(60, seed=1)
    expected = _clip_scores(head, a, b)
    monkeypatch.setattr(_vertices, "_CHUNK_POINTS", 5 * len(head.template))
    other = _OtherHead(head)
    assert isinstance(other, Head)
    assert _clip_scores(other, a, b) == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True)


def test_region_vertices_are_those_of_the_head() -> None:
    head, motion = toy_head(), toy_motion(9)
    chosen = np.array([5, 60, 48])
    expected = head.vertices(motion, head_pose=False)[:, chosen]
    np.testing.assert_allclose(_vertices.region_vertices(head, motion, chosen), expected, atol=1e-7)


def test_spread_points_start_left_and_keep_away_from_each_other() -> None:
    line = np.zeros((11, 3))
    line[:, 0] = np.arange(11)
    assert _vertices.spread_points(line, np.arange(11), 3).tolist() == [10, 0, 5]
    assert len(_vertices.spread_points(line, np.arange(4), 8)) == 4


@pytest.fixture
def flame(tmp_path: Path) -> Head:
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps(flame_file()))
    return load_head(f"flame:{path}")


def test_the_same_metrics_run_on_flame(flame: Head) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(75)[:, None] / 25
    waves = 0.1 * np.sin(2 * np.pi * rng.uniform(0.3, 2, 56) * times + rng.uniform(0, 6, 56))
    motion = Motion(waves, layout=flame_layout())
    same = _clip_scores(flame, motion, motion)
    assert same["lve_mm"] == same["fdd"] == 0 and same["mouth_opening_correlation"] == 1
    # A jaw that turns by a tenth of a radian more, on every frame.
    more = motion.with_channels(jaw_x=motion["jaw_x"] + 0.1)
    scores = _clip_scores(flame, motion, more)
    assert 1 < scores["mean_lip_distance_mm"] < scores["lve_mm"] < 20
    assert scores["head_error_deg"] == 0


def test_penalty_ranks_and_asks_for_what_it_needs() -> None:
    def metric(better: str, target: float | None = None) -> Metric:
        return Metric("m", "M", "1", better, "Made up.", target=target)  # type: ignore[arg-type]

    assert metric("lower").penalty(2) < metric("lower").penalty(3)
    assert metric("higher").penalty(3) < metric("higher").penalty(2)
    assert metric("closer", 1.0).penalty(0.5) == metric("closer", 1.0).penalty(1.5) == 0.5
    assert metric("closer").penalty(4, reference=6) == 2
    with pytest.raises(ValueError, match="give its value"):
        metric("closer").penalty(4)


@pytest.mark.golden
def test_the_page_of_metrics_is_up_to_date() -> None:
    if os.environ.get("KINEVOX_GOLDEN") == "write":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make golden` and look at the diff"
