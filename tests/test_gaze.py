"""Eyes rest between leaps, whatever the head does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kinevox.gaze import fixations, line_of_sight, looking, steady_sight, turned_eyes
from kinevox.motion import ARKIT, Motion

FPS = 25.0
TREMBLE = np.radians(0.4)


def watching(yaw: np.ndarray, pitch: np.ndarray, head: np.ndarray | None = None) -> Motion:
    """Somebody whose line of sight is this [rad], with a head that turns to the left so far."""
    frames = len(yaw)
    head = np.zeros(frames) if head is None else head
    motion = Motion(np.zeros((frames, ARKIT.num_channels), np.float32), FPS)
    motion = motion.with_channels(head_y=head.astype(np.float32), browInnerUp=0.3)
    return turned_eyes(motion, np.stack([yaw, pitch], axis=1) - line_of_sight(motion))


def steadied(motion: Motion) -> Motion:
    return looking(motion, steady_sight(motion))


def glance(frames: int = 100, angle: float = 0.15) -> np.ndarray:
    """To the side from frame 40 to 60."""
    places = np.arange(frames)
    return np.where((places >= 40) & (places < 60), angle, 0.0)


def tremble(frames: int, seed: int = 0) -> np.ndarray:
    return TREMBLE * np.random.default_rng(seed).standard_normal(frames)


def test_eyes_can_be_told_where_to_look() -> None:
    yaw, pitch = 0.2 * np.sin(np.arange(50) / 8), 0.1 * np.cos(np.arange(50) / 5)
    sight = line_of_sight(watching(yaw, pitch, head=0.1 * np.sin(np.arange(50) / 9)))
    np.testing.assert_allclose(sight, np.stack([yaw, pitch], axis=1), atol=1e-5)


def test_what_trembles_stands_still_and_glances_stay() -> None:
    drawn = watching(glance() + tremble(100), tremble(100, seed=1))
    sight = line_of_sight(steadied(drawn))[:, 0]
    leaps = np.flatnonzero(np.abs(np.diff(sight)) > 1e-4) + 1
    assert leaps.tolist() == [40, 60]
    np.testing.assert_allclose(sight, glance(), atol=TREMBLE)


def test_eyes_undo_the_turns_of_the_head() -> None:
    head = 0.12 * np.sin(np.arange(100) / 6)
    steady = steadied(watching(glance() + tremble(100), np.zeros(100), head))
    assert np.ptp(line_of_sight(steady)[:40, 0]) < 1e-5
    np.testing.assert_array_equal(steady["head_y"], head.astype(np.float32))
    np.testing.assert_array_equal(steady["browInnerUp"], np.float32(0.3))


def test_nobody_stares_for_ever() -> None:
    assert max(end - start for start, end in fixations(np.zeros((1000, 2)), FPS)) <= 6 * FPS


@given(st.integers(0, 60), st.integers(0, 100))
def test_every_frame_is_looked_at_once(frames: int, seed: int) -> None:
    sight = np.random.default_rng(seed).normal(0, 0.1, (frames, 2))
    found = fixations(sight, FPS)
    assert [place for start, end in found for place in range(start, end)] == list(range(frames))


@given(st.lists(st.integers(4, 30), min_size=1, max_size=6), st.integers(0, 100))
def test_steady_eyes_stay_as_they_are(lengths: list[int], seed: int) -> None:
    # Neighbors are at least 6 degrees apart.
    steps = np.random.default_rng(seed).uniform(0.1, 0.2, (len(lengths), 2))
    goals = steps * (np.arange(len(lengths)) % 2)[:, None]
    steady = watching(*np.repeat(goals, lengths, axis=0).T)
    np.testing.assert_allclose(steadied(steady).values, steady.values, atol=1e-5)


def test_of_nothing_there_is_nothing_to_steady() -> None:
    empty = Motion(np.zeros((0, ARKIT.num_channels), np.float32), FPS)
    assert steadied(empty).num_frames == 0
