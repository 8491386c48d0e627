"""Lids shut in a blink, or stay where they are."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinevox.blinks import APART, BEGUN, LONGEST, SHUT, count_blinks, whole_blinks
from kinevox.motion import ARKIT, Motion

FPS = 25.0
REST = 0.06
LIDS = ("eyeBlinkLeft", "eyeBlinkRight")
SQUINTS = ("eyeSquintLeft", "eyeSquintRight")


def lids(begun: Mapping[int, float], frames: int = 200) -> Motion:
    """Lids that come down so far around these frames, and squeeze a little."""
    away = np.abs(np.arange(frames)[:, None] - np.array(list(begun)))
    down = (np.array(list(begun.values())) * np.clip(1 - away / 4, 0, 1)).max(axis=1, initial=0)
    motion = Motion(np.zeros((frames, ARKIT.num_channels), np.float32), FPS)
    weights = {name: REST + down for name in LIDS} | {name: 0.1 + 0.2 * down for name in SQUINTS}
    return motion.with_channels(browInnerUp=0.3, **weights)


def shut(motion: Motion) -> list[int]:
    """Frames at which lids are down most, one of each blink."""
    lid = motion["eyeBlinkLeft"]
    inside = np.flatnonzero(lid > 0.9)
    groups = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
    return [int(group[lid[group].argmax()]) for group in groups if len(group)]


def test_half_a_blink_becomes_one() -> None:
    whole = whole_blinks(lids({50: 0.5, 120: 0.9}))
    assert shut(whole) == [50, 120]
    for name in LIDS:
        np.testing.assert_allclose(whole[name].max(), SHUT, atol=1e-5)
        np.testing.assert_allclose(whole[name][np.r_[0:40, 70:110]], REST, atol=1e-5)


def test_lids_that_hardly_move_stay() -> None:
    still = whole_blinks(lids({50: 0.5 * BEGUN}))
    for name, weight in (*((n, REST) for n in LIDS), *((n, 0.1) for n in SQUINTS)):
        np.testing.assert_allclose(still[name], weight, atol=0.01)


def test_as_often_as_asked_where_lids_closed_most() -> None:
    drawn = lids({30: 0.2, 80: 0.7, 120: 0.1, 170: 0.4})
    for count, places in ((0, []), (1, [80]), (2, [80, 170]), (3, [30, 80, 170])):
        whole = whole_blinks(drawn, count)
        assert shut(whole) == places and count_blinks(whole) == count


def test_none_where_the_lids_are_not_free() -> None:
    """Nor one that would begin or end there."""
    drawn, free = lids({50: 0.9, 90: 0.6, 150: 0.5}), np.ones(200, bool)
    free[:89] = False
    assert shut(whole_blinks(drawn, free=free)) == [150]
    free[:60] = free[80:] = True
    assert shut(whole_blinks(drawn, 3, free)) == [50, 90, 150]


def test_no_blink_is_cut() -> None:
    """A clip begins and ends with open eyes."""
    drawn = lids({0: 0.5, 100: 0.5, 198: 0.8})
    assert shut(whole_blinks(drawn)) == shut(whole_blinks(drawn, 3)) == [100]


def test_slow_lids_do_not_blink() -> None:
    """Somebody looks down for two seconds."""
    lid = np.where(np.abs(np.arange(200) - 100) < 25, 0.4, REST)
    down = lids({}).with_channels(**{name: lid for name in LIDS})
    assert count_blinks(down) == 0 and FPS * LONGEST < 50
    np.testing.assert_allclose(whole_blinks(down).values, down.values, atol=1e-6)


def test_lids_close_quicker_than_they_open() -> None:
    lid = whole_blinks(lids({50: 0.6}))["eyeBlinkLeft"]
    half = np.flatnonzero(lid > (REST + SHUT) / 2)
    assert 50 - half[0] < half[-1] - 50
    # Nothing jumps: at 25 fps the quickest closure takes two frames.
    assert np.abs(np.diff(lid)).max() < 0.65


def test_everything_else_goes_on() -> None:
    drawn = lids({50: 0.5, 120: 0.1})
    whole = whole_blinks(drawn)
    for name in set(ARKIT.names) - {*LIDS, *SQUINTS}:
        np.testing.assert_array_equal(whole[name], drawn[name])
    # The squeeze of a blink that is none goes with it, that of one that is stays.
    for name in SQUINTS:
        assert whole[name][50] == pytest.approx(0.2, abs=0.01)
        assert whole[name][120] == pytest.approx(0.1, abs=0.01)


@given(
    st.dictionaries(st.integers(0, 199), st.floats(0.0, 0.9), max_size=8),
    st.one_of(st.none(), st.integers(0, 12)),
)
def test_all_or_nothing(begun: dict[int, float], count: int | None) -> None:
    whole = whole_blinks(lids(begun), count)
    assert count is None or count_blinks(whole) <= count
    for name in (*LIDS, *SQUINTS):
        assert whole[name].min() >= 0 and whole[name].max() <= 1
    places = shut(whole)
    assert all(later - earlier >= APART * FPS for earlier, later in pairwise(places))


def test_whole_blinks_stay() -> None:
    once = whole_blinks(lids({50: 0.5, 120: 0.9}))
    np.testing.assert_allclose(whole_blinks(once).values, once.values, atol=0.12)
    assert shut(whole_blinks(once)) == shut(once)


def test_of_nothing_there_is_nothing_to_shut() -> None:
    empty = Motion(np.zeros((0, ARKIT.num_channels), np.float32), FPS)
    assert whole_blinks(empty).num_frames == 0 and count_blinks(empty) == 0
