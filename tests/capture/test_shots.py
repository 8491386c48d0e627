"""Cuts are found, movement and noise are not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from synthetic_video import Disc, paint

from kinevox.capture._base import Shot
from kinevox.capture.shots import find_shots, shots_between, step, thumbnail


@given(st.lists(st.integers(-5, 60)), st.integers(0, 50))
def test_shots_cover_all_frames_once(cuts: list[int], count: int) -> None:
    shots = shots_between(cuts, count)
    covered = [t for shot in shots for t in range(shot.start, shot.stop)]
    assert covered == list(range(count))
    assert {shot.start for shot in shots[1:]} == {cut for cut in cuts if 0 < cut < count}


@given(st.integers(0, 10_000), st.integers(2, 57), st.floats(0.1, 0.9))
def test_a_jump_among_noise_is_a_cut(seed: int, at: int, height: float) -> None:
    steps = np.random.default_rng(seed).uniform(0, 0.008, 60)
    assert find_shots(steps) == (Shot(0, 60),)
    steps[at] = height
    assert find_shots(steps) == (Shot(0, at), Shot(at, 60))


def test_movement_is_no_cut() -> None:
    steps = 0.1 * np.sin(np.linspace(0, np.pi, 40)) ** 2
    assert len(find_shots(steps)) == 1


def test_steps_between_pictures() -> None:
    here, moved, elsewhere = (
        thumbnail(paint(disc)) for disc in (Disc(60), Disc(61), Disc(140, other=True))
    )
    assert step(None, here) == step(here, here) == 0
    assert step(here, moved) < 0.02 < step(here, elsewhere)
