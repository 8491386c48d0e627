"""Training windows: what they hold, and that their number alone decides it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_corpus import toy_corpus

from kinevox.data import Corpus
from kinevox.data.normalize import Statistics, motion_statistics
from kinevox.data.windows import Windows, WindowShape
from kinevox.errors import ConfigError, MotionError


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"), clips=16).split("train")


@pytest.fixture(scope="module")
def windows(clips: Corpus) -> Windows:
    return Windows(
        clips, motion_statistics(clips), ("p0", "p2"), WindowShape(40, lead=10, tail=5), seed=3
    )


def test_statistics_are_those_of_all_frames_together(clips: Corpus) -> None:
    frames = np.concatenate([clips.motion(i).values for i in range(len(clips))]).astype(float)
    statistics = motion_statistics(clips)
    np.testing.assert_allclose(statistics.mean, frames.mean(axis=0), atol=1e-6)
    moving = frames.std(axis=0) > 1e-4
    np.testing.assert_allclose(statistics.std[moving], frames.std(axis=0)[moving], rtol=1e-5)
    assert (statistics.std[~moving] == 1).all() and not moving.all()


@given(arrays(np.float32, (5, 3), elements=st.floats(-9, 9, width=32)))
def test_restore_undoes_normalize(values: np.ndarray) -> None:
    statistics = Statistics(np.array([1, 2, 3], np.float32), np.array([0.1, 1, 5], np.float32))
    again = statistics.restore(statistics.normalize(values))
    np.testing.assert_allclose(again, values, atol=1e-4)


def test_a_window_is_a_piece_of_its_clip(windows: Windows) -> None:
    clip = int(np.argmax(windows.corpus.index["frames"]))
    record, window = windows.corpus[clip], windows.cut(clip, 7)
    motion = windows.statistics.restore(window.motion)
    np.testing.assert_allclose(motion, record.motion.values[7:47], atol=1e-5)
    sound = window.samples[10 * 640 : -5 * 640]
    np.testing.assert_array_equal(sound, record.speech.samples[7 * 640 : 47 * 640])
    assert (window.samples[: 3 * 640] == 0).all(), "before the clip there is nothing"
    np.testing.assert_array_equal(window.samples[3 * 640 : 4 * 640], record.speech.samples[:640])
    assert window.mask.all()


def test_a_short_clip_ends_early(windows: Windows) -> None:
    clip = int(np.argmin(windows.corpus.index["frames"]))
    frames = int(windows.corpus.index["frames"][clip])
    assert frames < 40
    window = windows.cut(clip, 0)
    assert window.mask.sum() == frames and window.mask[:frames].all()
    assert (window.motion[frames:] == 0).all()
    assert (window.samples[(10 + frames) * 640 :] == 0).all()


def test_styles_are_numbered_as_given(windows: Windows) -> None:
    styles = windows.corpus.index["style"].tolist()
    numbers = [int(windows.cut(i, 0).style) for i in range(len(styles))]
    assert numbers == [{"p0": 0, "p1": -1, "p2": 1}[style] for style in styles]


def test_the_number_alone_decides(windows: Windows) -> None:
    again = replace(windows)
    order = list(range(3 * windows.epoch_size))
    forward = {n: windows[n].samples for n in order}
    for n in reversed(order):
        np.testing.assert_array_equal(again[n].samples, forward[n])
    other = replace(windows, seed=4)
    assert any(not np.array_equal(other[n].samples, forward[n]) for n in order)


def test_an_epoch_shows_every_clip_by_its_length(windows: Windows) -> None:
    from kinevox.data.windows import _epoch_order

    shares = -(-windows.corpus.index["frames"] // 40)
    orders = [_epoch_order(windows, epoch) for epoch in (0, 1)]
    for order in orders:
        assert Counter(order.tolist()) == dict(enumerate(shares.tolist()))
    assert orders[0].tolist() != orders[1].tolist()


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(["speaker", "style"]))
def test_balance_shows_everyone_equally_often(windows: Windows, epoch: int, balance: str) -> None:
    from kinevox.data.windows import _epoch_order

    order = _epoch_order(replace(windows, balance=balance), epoch)
    assert len(order) == windows.epoch_size
    counts = Counter(windows.corpus.index[balance][order].tolist())
    assert set(counts) == set(windows.corpus.index[balance].tolist())
    assert max(counts.values()) - min(counts.values()) <= 1


def test_statistics_of_another_layout_are_refused(clips: Corpus) -> None:
    with pytest.raises(MotionError, match="3 channels do not fit corpus 'toy'"):
        Windows(clips, Statistics(np.zeros(3, np.float32), np.ones(3, np.float32)))


def test_a_frame_must_be_whole_samples(tmp_path) -> None:
    odd = toy_corpus(tmp_path, clips=4, fps=30.0)
    with pytest.raises(ConfigError, match="fps is not a whole number"):
        Windows(odd, motion_statistics(odd))


def test_another_clip_of_the_same_person_comes_with_it(windows: Windows) -> None:
    with_other = replace(windows, shape=replace(windows.shape, other=20))
    styles = with_other.corpus.index["style"]
    motions = [with_other.corpus.motion(i).values for i in range(len(styles))]
    for clip in range(len(styles)):
        window = with_other.cut(clip, 0, np.random.default_rng(clip))
        assert window.other.shape == (1, 20, 55) and window.other_mask.shape == (1, 20)
        restored = with_other.statistics.restore(window.other[0])[window.other_mask[0]]
        sources = {i for i, values in enumerate(motions) if _holds(values, restored)}
        assert sources - {clip}
        assert {styles[i] for i in sources} == {styles[clip]}


def test_who_has_one_clip_only_is_his_own_other(windows: Windows) -> None:
    alone = windows.corpus.select([3])
    window = replace(windows, corpus=alone, shape=WindowShape(40, other=20)).cut(0, 0)
    restored = windows.statistics.restore(window.other[0])[window.other_mask[0]]
    assert _holds(alone.motion(0).values, restored)


def test_several_pieces_of_the_same_person(windows: Windows) -> None:
    several = replace(windows, shape=replace(windows.shape, other=20, others=5))
    window = several.cut(0, 0, np.random.default_rng(0))
    assert window.other.shape == (5, 20, 55) and window.other_mask.shape == (5, 20)
    assert len({piece.tobytes() for piece in window.other}) > 1


def test_factors_come_where_they_are_known(windows: Windows) -> None:
    index = {**windows.corpus.index}
    index["factors"] = np.array(['{"smile": 0.5}'] + [""] * (len(windows.corpus) - 1), object)
    known = replace(
        windows,
        corpus=replace(windows.corpus, index=index),
        shape=replace(windows.shape, factors=("squint", "smile")),
    )
    assert np.array_equal(known.cut(0, 0).factors, [np.nan, 0.5], equal_nan=True)
    assert np.isnan(known.cut(1, 0).factors).all()


def test_asking_for_more_changes_nothing_else(windows: Windows) -> None:
    more = replace(windows, shape=replace(windows.shape, other=20, identity=3))
    for number in range(windows.epoch_size):
        one, other = windows[number], more[number]
        assert (one.samples == other.samples).all() and (one.motion == other.motion).all()
        assert one.other.shape == (1, 0, 55) and one.identity.shape == (0,)
        assert np.isnan(other.identity).all() and other.identity.shape == (3,)


def test_the_shape_of_a_head_comes_from_the_metadata(windows: Windows) -> None:
    index = {**windows.corpus.index}
    index["metadata"] = np.array(['{"shape": "[1.5, -2.0]"}'] * len(index["id"]))
    told = replace(windows, corpus=replace(windows.corpus, index=index))
    shaped = replace(told, shape=WindowShape(40, identity=2))
    assert shaped.cut(0, 0).identity.tolist() == [1.5, -2.0]
    with pytest.raises(MotionError, match="by 2 numbers; the network takes 3"):
        replace(told, shape=WindowShape(40, identity=3)).cut(0, 0)


def _holds(values: np.ndarray, piece: np.ndarray) -> bool:
    """Whether the piece is somewhere in the clip."""
    starts = range(len(values) - len(piece) + 1)
    return any(np.allclose(values[s : s + len(piece)], piece, atol=1e-5) for s in starts)
