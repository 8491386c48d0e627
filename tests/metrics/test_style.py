"""Style metrics against numbers worked out by hand, and on made-up performers."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import toy_motion

from kinevox import arkit
from kinevox.errors import ConfigError, MotionError
from kinevox.metrics import style
from kinevox.metrics.style import Described
from kinevox.motion import Motion, flame_layout

ENTRIES = np.array([[1.0, 0], [0, 1], [-1, 0]])


def test_ranks_by_hand() -> None:
    # Cosines of (1, 0.1) to a, b, c are 0.995, 0.0995, -0.995.
    probes = np.array([[1.0, 0.1]]).repeat(3, axis=0)
    ranks = style.retrieval_ranks(probes, ["a", "b", "c"], ENTRIES, ["a", "b", "c"])
    assert ranks == [1, 2, 3]
    assert style.top_share(ranks, 1) == pytest.approx(1 / 3)
    assert style.top_share(ranks, 2) == pytest.approx(2 / 3)


def test_an_entry_is_the_mean_of_its_clips() -> None:
    gallery = np.array([[4.0, 0], [0, 2], [0, -2], [0, 3]])
    ranks = style.retrieval_ranks(np.array([[1.0, 0.5]]), ["a"], gallery, ["a", "a", "a", "b"])
    assert ranks == [1]


def test_a_description_that_says_nothing_finds_nobody() -> None:
    assert style.retrieval_ranks(np.zeros((1, 2)), ["a"], ENTRIES, ["a", "b", "c"]) == [3]
    same = np.ones((3, 2))
    assert style.retrieval_ranks(same, ["a", "b", "c"], same, ["a", "b", "c"]) == [3, 3, 3]


def test_cosine_by_hand() -> None:
    asked = np.array([[1.0, 0], [1, 0], [2, 0]])
    assert style.style_cosine(np.array([[3.0, 0], [0, 1], [1, 1]]), asked) == pytest.approx(
        (1 + 0 + np.sqrt(0.5)) / 3
    )


def test_recovery_by_hand() -> None:
    # The ridge adds 0.01 * 2 to x'x = 2: the slope is 4 / 2.02 instead of 2.
    rows, factor = np.array([[-1.0], [1]]), np.array([3.0, 7])
    missed = 2 - 4 / 2.02
    expected = 1 - 2 * missed**2 / 8
    assert style.factor_recovery_r2(rows, factor, rows, factor) == pytest.approx(expected)
    # The mean of what is scored would be exact; that of the training clips is 3 off.
    assert style.factor_recovery_r2(0 * rows, factor, rows, factor + 3) == pytest.approx(
        1 - (25 + 1) / 8
    )
    assert np.isnan(style.factor_recovery_r2(rows, factor, rows, np.array([5.0, 5])))


def _clips(performers: list[str], each: int, noise: float, seed: int) -> Described:
    """Two factors per performer, mixed into five numbers per clip, with noise and scales."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(0, 1, (2, 5)) * [1, 10, 0.1, 1000, 1]
    names = [name for name in performers for _ in range(each)]
    factors = np.array([[hash_(name, i) for i in range(2)] for name in names])
    rows = factors @ mixing + noise * rng.normal(0, 1, (len(names), 5)) * [1, 10, 0.1, 1000, 1]
    return Described(rows, names, {"smile": factors[:, 0], "tempo": factors[:, 1]})


def hash_(name: str, factor: int) -> float:
    return np.random.default_rng([factor, *name.encode()]).normal()


TRAINING = [f"t{i}" for i in range(60)]
TEST = [f"p{i}" for i in range(20)]


def test_known_performers_are_found_and_their_factors_recovered() -> None:
    training = _clips(TRAINING, 3, 0.01, 0)
    gallery, probes = _clips(TEST, 3, 0.01, 1), _clips(TEST, 2, 0.01, 2)
    scores = style.evaluate(probes, gallery, training)
    assert scores["style_top1"] > 0.9 and scores["style_top5"] == 1
    assert scores["style_cosine"] > 0.99
    assert scores["factor_r2/smile"] > 0.95 and scores["factor_r2/tempo"] > 0.95
    mean = (scores["factor_r2/smile"] + scores["factor_r2/tempo"]) / 2
    assert scores["factor_r2"] == pytest.approx(mean)


def test_styles_of_somebody_else_score_worse_in_everything() -> None:
    training, gallery = _clips(TRAINING, 3, 0.2, 0), _clips(TEST, 3, 0.2, 1)
    probes = _clips(TEST, 2, 0.2, 2)
    right = style.evaluate(probes, gallery, training)
    mixed = np.random.default_rng(3).permutation(len(probes.rows))
    shuffled = Described(probes.rows[mixed], probes.performers, probes.factors)
    wrong = style.evaluate(shuffled, gallery, training)
    for name in ("style_top1", "style_top5", "style_cosine", "factor_r2"):
        assert wrong[name] < right[name] - 0.2
    assert wrong["factor_r2"] < 0.1


def test_units_and_constant_columns_do_not_matter() -> None:
    gallery, probes = _clips(TEST, 3, 0.3, 1), _clips(TEST, 2, 0.3, 2)
    scaled = [
        Described(np.concatenate([7 * d.rows + 3, np.full((len(d.rows), 1), 0.1)], axis=1),
                  d.performers)
        for d in (probes, gallery)
    ]  # fmt: skip
    assert style.evaluate(*scaled) == pytest.approx(style.evaluate(probes, gallery), nan_ok=True)


def test_messages_tell_what_breaks_the_protocol() -> None:
    gallery, probes = _clips(TEST, 2, 0.1, 1), _clips(TEST[:3], 1, 0.1, 2)
    with pytest.raises(ConfigError, match=r"1 performers are not in the gallery, e\.g\. 'x'"):
        style.evaluate(_clips(["x"], 1, 0.1, 0), gallery)
    with pytest.raises(ConfigError, match=r"3 performers are trained and probed, e\.g\. 'p0'"):
        style.evaluate(probes, gallery, gallery)
    with pytest.raises(ConfigError, match="same style factors"):
        style.evaluate(
            probes, gallery, Described(np.zeros((2, 5)), ["t", "t"], {"age": np.ones(2)})
        )
    with pytest.raises(ConfigError, match="features per clip differ: probes 4, gallery 5"):
        style.evaluate(Described(np.zeros((1, 4)), ["p0"]), gallery)
    with pytest.raises(ConfigError, match="2 clips are described, but 1 of performers"):
        Described(np.zeros((2, 4)), ["p0"])
    with pytest.raises(ConfigError, match="not finite"):
        Described(np.full((1, 4), np.nan), ["p0"])


def _feature(motion: Motion, name: str) -> float:
    return style.motion_style_features(motion)[style.STYLE_FEATURES.index(name)]


def test_features_say_what_their_names_say() -> None:
    still = toy_motion(100).replace(values=np.zeros((100, 55), np.float32))
    ramp = np.arange(100) / 25
    moved = still.with_channels(
        jawOpen=0.1 * ramp, mouthSmileLeft=0.4, mouthFrownLeft=0.1, head_y=np.radians(10)
    )
    assert _feature(moved, "jaw_speed") == pytest.approx(0.1, rel=1e-5)
    assert _feature(moved, "jaw_middle") == pytest.approx(0.1 * 1.98, rel=1e-5)
    assert _feature(moved, "smile_rest") == pytest.approx(0.4 / 2 - 0.1 / 2)
    assert _feature(moved, "leftness") == pytest.approx(1)
    assert _feature(moved, "yaw_middle") == pytest.approx(10, rel=1e-5)
    # Eyes that look as far to the right undo the head's turn to the left.
    right = np.radians(10) / arkit.EYE_LOOK_RADIANS
    undone = moved.with_channels(eyeLookInLeft=right, eyeLookOutRight=right)
    assert _feature(undone, "gaze_yaw_middle") == pytest.approx(0, abs=1e-5)
    assert not style.motion_style_features(still).any()


def test_features_are_finite_and_hardly_depend_on_the_frame_rate() -> None:
    motion = toy_motion(500, seed=3)
    at_25, at_50 = (style.motion_style_features(motion.resample(fps)) for fps in (25, 50))
    assert np.isfinite(at_25).all() and len(at_25) == len(style.STYLE_FEATURES)
    np.testing.assert_allclose(at_25, at_50, rtol=0.1, atol=0.3)


def test_features_of_other_layouts_or_of_a_moment_are_refused() -> None:
    with pytest.raises(MotionError, match=r"layout 'arkit', this motion is 'flame'.*convert"):
        style.motion_style_features(Motion(np.zeros((50, 56)), layout=flame_layout()))
    with pytest.raises(MotionError, match=r"0\.40 s long; style features need 1 s"):
        style.motion_style_features(toy_motion(10))
