"""read(write(motion)) is the motion, within the digits of each format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from synthetic import toy_head, toy_motion

from kinevox import rotation
from kinevox.errors import MotionError
from kinevox.export import Animation, read_motion, write
from kinevox.motion import ARKIT, Motion, body_layout, flame_layout
from kinevox.timebase import exact_fps

LAYOUTS = (ARKIT, flame_layout(50), flame_layout(100), body_layout(("hips", "spine_1", "neck")))
RATES = st.sampled_from([23.976, 24.0, 25.0, 29.97, 30.0, 48.0, 50.0, 59.94, 60.0, 120.0])
HASTY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Weights outside [0, 1] are kept. Beyond a pitch of 90 degrees yaw and roll are not unique.
WEIGHTS = st.floats(-0.5, 1.5, width=32)
TURNS = st.floats(-0.75, 0.75, width=32)


@st.composite
def arkit_motions(draw: st.DrawFn, frames: tuple[int, int] = (2, 12)) -> Motion:
    count = draw(st.integers(*frames))
    weights = draw(hnp.arrays(np.float32, (count, 52), elements=WEIGHTS))
    head = draw(hnp.arrays(np.float32, (count, 3), elements=TURNS))
    return Motion(np.concatenate([weights, head], axis=1), draw(RATES))


@pytest.mark.parametrize(
    ("suffix", "error"),
    [(".csv", 1e-7), (".json", 1e-6), (".glb", 1e-6), (".dense.glb", 1e-6), (".npz", 0.0)],
)
@given(motion=arkit_motions())
@HASTY
def test_arkit_motion_comes_back(tmp_path: Path, suffix: str, error: float, motion: Motion):
    path = tmp_path / f"clip{suffix}"
    write(Animation(motion, toy_head), path)
    back = read_motion(path)
    assert exact_fps(back.fps) == exact_fps(motion.fps)
    assert back.layout == motion.layout
    np.testing.assert_allclose(back.values[:, :52], motion.values[:, :52], rtol=0, atol=error)
    turned, expected = (
        rotation.matrix_from_axis_angle(m.group("head").astype(np.float64)) for m in (back, motion)
    )
    np.testing.assert_allclose(turned, expected, rtol=0, atol=2 * error)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@given(data=st.data(), fps=st.floats(1, 240))
@HASTY
def test_a_clip_file_keeps_every_bit(tmp_path: Path, layout, data: st.DataObject, fps: float):
    shape = st.tuples(st.integers(0, 5), st.just(layout.num_channels))
    finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
    values = data.draw(hnp.arrays(np.float32, shape, elements=finite))
    metadata = data.draw(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3))
    motion = Motion(values, fps, layout, metadata)
    write(Animation(motion, toy_head, metadata={"seed": "7"}), tmp_path / "clip.npz")
    back = read_motion(tmp_path / "clip.npz")
    assert back.values.tobytes() == motion.values.tobytes()
    assert (back.fps, back.layout) == (motion.fps, motion.layout)
    assert back.metadata == metadata | {"seed": "7"}


@given(
    values=hnp.arrays(
        np.float32, st.tuples(st.integers(1, 6), st.just(56)), elements=st.floats(-3, 3, width=32)
    ),
    fps=RATES,
)
@HASTY
def test_flame_parameters_keep_every_bit(tmp_path: Path, values: np.ndarray, fps: float):
    motion = Motion(values, fps, flame_layout(50))
    write(Animation(motion, toy_head), tmp_path / "clip.flame.npz")
    back = read_motion(tmp_path / "clip.flame.npz")
    assert back.values.tobytes() == values.tobytes()
    assert exact_fps(back.fps) == exact_fps(fps)
    assert back.layout == motion.layout


@pytest.mark.parametrize("suffix", [".csv", ".json", ".glb", ".usdc", ".flame.npz"])
def test_other_layouts_are_refused_with_advice_and_leave_nothing(tmp_path: Path, suffix: str):
    layout = body_layout(("hips",))
    motion = Motion(np.zeros((3, layout.num_channels), np.float32), layout=layout)
    with pytest.raises(MotionError, match="kinevox convert"):
        write(Animation(motion, toy_head), tmp_path / f"clip{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".json", ".glb", ".usdc"])
def test_no_frames_are_refused(tmp_path: Path, suffix: str):
    with pytest.raises(MotionError, match="no frames"):
        write(Animation(toy_motion(frames=0), toy_head), tmp_path / f"clip{suffix}")
