"""The one clip type: frames of named channels at a stated frame rate.

A `Motion` is owned by a `MotionLayout`, which knows the name, group, range and unit of every
channel and which channels together form a rotation, so nobody slices by number and resampling
turns rotations on the sphere rather than component by component.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float

from kinevox import arkit, rotation
from kinevox.errors import MotionError, UnknownNameError
from kinevox.timebase import FPS, exact_fps, frame_times


@dataclass(frozen=True)
class Channel:
    """One number per frame."""

    name: str
    group: str
    """What it moves: expression, jaw, head, gaze, root or joints."""
    unit: str
    """`weight`, `rad`, `m` or `1` (a component of a 6-D rotation)."""
    low: float = -np.inf
    high: float = np.inf
    """Nominal range; values outside are kept, exporters clamp where their target demands it."""
    neutral: float = 0.0


@dataclass(frozen=True)
class Rotation:
    """Neighbouring channels that form one rotation."""

    start: int
    kind: str
    """`axis_angle` (3 channels) or `six_d` (6 channels)."""

    @property
    def stop(self) -> int:
        return self.start + (3 if self.kind == "axis_angle" else 6)


@dataclass(frozen=True)
class MotionLayout:
    """Names and meaning of the channels of a motion."""

    name: str
    channels: tuple[Channel, ...]
    rotations: tuple[Rotation, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(channel.name for channel in self.channels)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    @property
    def num_channels(self) -> int:
        return len(self.channels)

    def index(self, name: str) -> int:
        """Column of a channel.

        Raises:
            UnknownNameError: no such channel; the nearest name is suggested.
        """
        try:
            return self._index[name]
        except KeyError:
            raise UnknownNameError(f"channel of layout '{self.name}'", name, self.names) from None

    def group(self, group: str) -> slice:
        """Columns of one group; groups are contiguous.

        Raises:
            UnknownNameError: the layout has no such group.
        """
        columns = [i for i, channel in enumerate(self.channels) if channel.group == group]
        if not columns:
            groups = {channel.group for channel in self.channels}
            raise UnknownNameError(f"group of layout '{self.name}'", group, groups)
        return slice(columns[0], columns[-1] + 1)

    @cached_property
    def neutral(self) -> Float[np.ndarray, " channels"]:
        return np.array([channel.neutral for channel in self.channels], dtype=np.float32)


def _head_channels(prefix: str = "head") -> tuple[Channel, ...]:
    return tuple(Channel(f"{prefix}_{axis}", "head", "rad", -np.pi, np.pi) for axis in "xyz")


ARKIT = MotionLayout(
    "arkit",
    tuple(Channel(name, "expression", "weight", 0.0, 1.0) for name in arkit.NAMES)
    + _head_channels(),
    (Rotation(len(arkit.NAMES), "axis_angle"),),
)
"""52 ARKit weights by name, then the head's rotation as axis-angle [rad]. The default."""


IDENTITY = "shape"
"""Metadata key under which a motion of FLAME keeps the person's shape: a JSON list of numbers."""


@lru_cache
def flame_layout(num_expressions: int = 50) -> MotionLayout:
    """FLAME's space: expression coefficients, head rotation, jaw rotation (axis-angle [rad]).

    Args:
        num_expressions: 50 (DiffPoseTalk) or 100 (ARTalk).
    """
    expression = tuple(
        Channel(f"exp_{i:03d}", "expression", "weight") for i in range(num_expressions)
    )
    jaw = tuple(Channel(f"jaw_{axis}", "jaw", "rad", -np.pi, np.pi) for axis in "xyz")
    return MotionLayout(
        "flame" if num_expressions == 50 else f"flame{num_expressions}",
        expression + _head_channels() + jaw,
        (Rotation(num_expressions, "axis_angle"), Rotation(num_expressions + 3, "axis_angle")),
    )


@lru_cache
def body_layout(joints: tuple[str, ...]) -> MotionLayout:
    """A body: root translation [m], then one 6-D rotation per joint, the root joint first."""
    root = tuple(Channel(f"root_{axis}", "root", "m") for axis in "xyz")
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    turns = tuple(
        Channel(f"{joint}_{k}", "joints", "1", -1.0, 1.0, identity[k])
        for joint in joints
        for k in range(6)
    )
    rotations = tuple(Rotation(3 + 6 * i, "six_d") for i in range(len(joints)))
    return MotionLayout("body", root + turns, rotations)


@dataclass(frozen=True, eq=False)
class Motion:
    """Frames of named channels; frame t holds the pose at t / fps seconds.

    Raises:
        MotionError: the values do not fit the layout or are not finite.
    """

    values: Float[np.ndarray, "frames channels"]
    fps: float = FPS
    layout: MotionLayout = ARKIT
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Where it came from: method, style, seed, source file. Free text, saved with the motion."""

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float32)
        if values.ndim != 2 or values.shape[1] != self.layout.num_channels:
            raise MotionError(
                f"Values have shape {tuple(np.shape(self.values))}; layout '{self.layout.name}' "
                f"needs (frames, {self.layout.num_channels})."
            )
        bad = ~np.isfinite(values)
        if bad.any():
            frame, column = np.argwhere(bad)[0]
            raise MotionError(
                f"{int(bad.sum())} values are not finite, the first in frame {frame}, "
                f"channel '{self.layout.names[column]}'. Repair or interpolate them first."
            )
        exact_fps(self.fps)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def num_frames(self) -> int:
        return len(self.values)

    @property
    def seconds(self) -> float:
        """Length [s]."""
        return float(self.num_frames / exact_fps(self.fps))

    @property
    def times(self) -> Float[np.ndarray, " frames"]:
        """Start of each frame [s]."""
        return frame_times(self.num_frames, self.fps)

    def __getitem__(self, name: str) -> Float[np.ndarray, " frames"]:
        return self.values[:, self.layout.index(name)]

    def group(self, group: str) -> Float[np.ndarray, "frames columns"]:
        """The channels of one group, e.g. `motion.group("head")`."""
        return self.values[:, self.layout.group(group)]

    def replace(self, **changes: object) -> Motion:
        """A copy with other values, fps or metadata."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def with_channels(self, **channels: Float[np.ndarray, " frames"] | float) -> Motion:
        """A copy in which some channels are replaced by name."""
        values = self.values.copy()
        for name, channel in channels.items():
            values[:, self.layout.index(name)] = channel
        return self.replace(values=values)

    def cut(self, start: float, end: float) -> Motion:
        """The frames whose start lies in [start, end), times in seconds.

        Raises:
            MotionError: no frame starts there.
        """
        # A tolerance far below a frame keeps cut(0, t) + cut(t, end) complete for any float t.
        first, last = (int(np.ceil(t * exact_fps(self.fps) - 1e-6)) for t in (start, end))
        first, last = max(first, 0), min(last, self.num_frames)
        if first >= last:
            raise MotionError(
                f"No frame starts between {start} s and {end} s; "
                f"the motion is {self.seconds:.2f} s long."
            )
        return self.replace(values=self.values[first:last])

    def resample(self, fps: float) -> Motion:
        """The same movement at another frame rate.

        Rotations are interpolated along great arcs (slerp). Everything else goes through a
        monotone cubic (Fritsch and Carlson 1980), which keeps closed lips closed: it never
        leaves the range of its neighbours.
        """
        if exact_fps(fps) == exact_fps(self.fps):
            return self
        count = max(round(self.num_frames * exact_fps(fps) / exact_fps(self.fps)), 1)
        return self.replace(values=self.sample(frame_times(count, fps)), fps=fps)

    def sample(self, times: Float[np.ndarray, " samples"]) -> Float[np.ndarray, "samples channels"]:
        """The pose at any times [s]; before the first and after the last frame it is held."""
        if self.num_frames == 0:
            raise MotionError("The motion has no frames, so it cannot be sampled.")
        if self.num_frames == 1:
            return np.repeat(self.values, len(times), axis=0)
        from scipy.interpolate import PchipInterpolator

        at = np.clip(np.asarray(times) * float(exact_fps(self.fps)), 0, self.num_frames - 1)
        values = PchipInterpolator(np.arange(self.num_frames), self.values)(at)
        before = np.minimum(at.astype(int), self.num_frames - 2)
        for turn in self.layout.rotations:
            keys = _quaternions(self.values[:, turn.start : turn.stop], turn.kind)
            arc = rotation.slerp(keys[before], keys[before + 1], at - before)
            values[:, turn.start : turn.stop] = _from_quaternions(arc, turn.kind)
        return values.astype(np.float32)


def join(motions: Sequence[Motion]) -> Motion:
    """One motion after the other.

    Raises:
        MotionError: nothing to join, or layouts or frame rates differ.
    """
    if not motions:
        raise MotionError("There is no motion to join; give at least one.")
    first = motions[0]
    for other in motions[1:]:
        _check_alike(first, other)
    return first.replace(values=np.concatenate([m.values for m in motions]))


def blend(start: Motion, end: Motion, fraction: float | Float[np.ndarray, " frames"]) -> Motion:
    """Between two motions of equal length: 0 is `start`, 1 is `end`; rotations by slerp.

    Raises:
        MotionError: layouts, frame rates or lengths differ.
    """
    _check_alike(start, end)
    if start.num_frames != end.num_frames:
        raise MotionError(
            f"Cannot blend {start.num_frames} frames with {end.num_frames}; cut both to one length."
        )
    amount = np.broadcast_to(np.asarray(fraction, dtype=np.float64), (start.num_frames,))
    values = start.values + amount[:, None] * (end.values - start.values)
    for turn in start.layout.rotations:
        columns = slice(turn.start, turn.stop)
        first, last = (_quaternions(m.values[:, columns], turn.kind) for m in (start, end))
        values[:, columns] = _from_quaternions(rotation.slerp(first, last, amount), turn.kind)
    return start.replace(values=values)


def _check_alike(a: Motion, b: Motion) -> None:
    if a.layout != b.layout or exact_fps(a.fps) != exact_fps(b.fps):
        raise MotionError(
            f"Motions differ: '{a.layout.name}' at {a.fps} fps and '{b.layout.name}' at "
            f"{b.fps} fps. "
            "Convert or resample one of them first."
        )


def _quaternions(values: np.ndarray, kind: str) -> np.ndarray:
    values = values.astype(np.float64)
    if kind == "axis_angle":
        return rotation.quaternion_from_axis_angle(values)
    return rotation.quaternion_from_matrix(rotation.matrix_from_six_d(values))


def _from_quaternions(quaternions: np.ndarray, kind: str) -> np.ndarray:
    if kind == "axis_angle":
        return rotation.axis_angle_from_quaternion(quaternions)
    return rotation.six_d_from_matrix(rotation.matrix_from_quaternion(quaternions))
