"""What passes between the steps of a capture: landmarks of one face, and the motion fitted to them.

Pictures have x to the right and y down, in pixels, the first pixel's corner at (0, 0). The camera
is a pinhole at the origin that looks along -z, in our axes: x to the right of the picture (the
left of somebody who faces it), y up, meters. A head with no rotation faces the camera plane.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from kinevox.motion import Motion


@dataclass(frozen=True)
class Shot:
    """A stretch of a video without a cut: frames [start, stop)."""

    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Landmarks:
    """One person's face through a video, as a tracker saw it."""

    times: Float[np.ndarray, " frames"]
    """When each picture is shown [s]; increasing, steps may differ."""
    points: Float[np.ndarray, "frames points 3"]
    """x and y [pixels], z the tracker's guess of depth in the same unit, larger is farther.
    NaN throughout a frame in which the face was not found."""
    ids: Int[np.ndarray, " points"]
    """Which of MediaPipe's 478 landmarks each point is."""
    size: tuple[int, int]
    """Width and height of the upright picture [pixels]."""
    shots: tuple[Shot, ...] = ()
    """Stretches between cuts; together all frames."""
    turn: int = 0
    """Quarter turns to the left that made the picture upright, beside the file's own flag."""

    @property
    def seen(self) -> Bool[np.ndarray, " frames"]:
        """Frames in which the face was found."""
        return np.isfinite(self.points).all(axis=(1, 2))


@dataclass(frozen=True)
class Camera:
    """A pinhole with its principal point in the middle of the picture."""

    focal: float
    """Focal length [pixels]."""
    size: tuple[int, int]
    """Width and height [pixels]."""

    def project(self, points: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 2"]:
        """Where points in front of the camera (z < 0) [m] appear in the picture [pixels]."""
        depth = -points[..., 2]
        return np.stack(
            [
                self.size[0] / 2 + self.focal * points[..., 0] / depth,
                self.size[1] / 2 - self.focal * points[..., 1] / depth,
            ],
            axis=-1,
        )


@dataclass(frozen=True, eq=False)
class Capture:
    """Motion captured from a video, and how well it explains the video.

    Frames are those of `motion`, from the start of the video at an even rate.
    """

    motion: Motion
    translation: Float[np.ndarray, "frames 3"]
    """Head origin in front of the camera [m]. Its scale follows from an average head."""
    camera: Camera
    confidence: Float[np.ndarray, " frames"]
    """1 where the landmarks are explained well and face the camera, 0 where there was no face."""
    error_pixels: Float[np.ndarray, " frames"]
    """Root mean square distance between landmarks and fit; NaN where there was no face."""
    face_pixels: Float[np.ndarray, " frames"]
    """Size of the face: distance between the outer corners of the eyes, as if seen from the
    front [pixels]; NaN where there was no face."""
    shots: tuple[Shot, ...]
    phenotype: Mapping[str, float] = field(default_factory=dict)
    """Options of head `anny` that come nearest to the person."""
    neutral: Float[np.ndarray, "points 3"] | None = None
    """The person's own neutral face: the landmarks from the head's origin [m]."""

    @property
    def error(self) -> Float[np.ndarray, " frames"]:
        """Reprojection error in units of the face's size."""
        return self.error_pixels / self.face_pixels
