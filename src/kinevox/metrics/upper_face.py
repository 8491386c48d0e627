"""Upper face: does it move as much as the reference's, vertex by vertex?

FDD compares how much each vertex moves over time, not where it is: brows and lids follow speech
too loosely for a distance. Vertices are those of the head's own region `upper_face`, with head
rotation removed; a vertex's movement is its offset from the head's template.

Two conventions circulate, the standard deviation of the offset's length [m] and of its square
[m^2], and the sign is sometimes kept. The signed value is positive when the prediction moves too
little. It tells too still from too lively, but errors of opposite sign cancel, over vertices and
over clips; the absolute value is the one to rank by.

Source: Xing et al. 2023 (CodeTalker), whose script squares; Sun et al. 2024 (DiffPoseTalk), whose
values fit the length.

Metrics: `fdd`, `fdd_absolute`, `fdd_squared`, `fdd_squared_absolute`, and `upper_face_motion`, of
which `fdd` is the difference.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.heads import Head
from kinevox.metrics._base import Metric, validate_pair
from kinevox.metrics._vertices import region_chunks, require_region
from kinevox.motion import Motion

_UNIT = 1e-5
"""What one unit of the reported numbers is [m or m^2]."""

METRICS = (
    Metric(
        "fdd",
        "Upper-face dynamics deviation",
        "1e-5 m",
        "closer",
        "Standard deviation over time of the length of each upper-face vertex's offset from the "
        "template; reference minus prediction, averaged over vertices. Positive: too still.",
        "mean_v (std_t |r_tv - rest_v| - std_t |p_tv - rest_v|)",
        "Sun et al. 2024 (DiffPoseTalk)",
        target=0.0,
    ),
    Metric(
        "fdd_absolute",
        "Upper-face dynamics deviation, absolute",
        "1e-5 m",
        "lower",
        "As `fdd`, with the absolute difference of each vertex.",
        "mean_v |std_t |r_tv - rest_v| - std_t |p_tv - rest_v||",
    ),
    Metric(
        "fdd_squared",
        "Upper-face dynamics deviation, squared norm",
        "1e-5 m^2",
        "closer",
        "As `fdd`, with the squared length of the offset.",
        "mean_v (std_t |r_tv - rest_v|^2 - std_t |p_tv - rest_v|^2)",
        "Xing et al. 2023 (CodeTalker), the released script",
        target=0.0,
    ),
    Metric(
        "fdd_squared_absolute",
        "Upper-face dynamics deviation, squared norm, absolute",
        "1e-5 m^2",
        "lower",
        "As `fdd_squared`, with the absolute difference of each vertex.",
        "mean_v |std_t |r_tv - rest_v|^2 - std_t |p_tv - rest_v|^2|",
    ),
    Metric(
        "upper_face_motion",
        "Upper-face motion",
        "1e-5 m",
        "closer",
        "Standard deviation over time of the length of each upper-face vertex's offset from the "
        "template, averaged over vertices: what `fdd` is a part of.",
        "mean_v std_t |p_tv - rest_v|",
    ),
)


def validate(head: Head, reference: Motion, predicted: Motion) -> None:
    """The motions can be compared, and the head knows its upper face.

    Raises:
        MotionError: layouts, frame rates or lengths differ.
        AssetError: the head has no such region.
    """
    validate_pair(reference, predicted)
    require_region(head, "upper_face")


def dynamics(offsets: Float[np.ndarray, "frames upper 3"]) -> Float[np.ndarray, " upper"]:
    """How much each vertex moves: standard deviation of the length of its offset [m]."""
    return np.linalg.norm(offsets, axis=-1).std(axis=0, dtype=np.float64)


def squared_dynamics(offsets: Float[np.ndarray, "frames upper 3"]) -> Float[np.ndarray, " upper"]:
    """As `dynamics`, of the squared length [m^2]."""
    return (offsets**2).sum(axis=-1).std(axis=0, dtype=np.float64)


def fdd(reference: Float[np.ndarray, " upper"], predicted: Float[np.ndarray, " upper"]) -> float:
    """Signed deviation of two `dynamics`, or of two `squared_dynamics` [1e-5]."""
    return float((reference - predicted).mean()) / _UNIT


def fdd_absolute(
    reference: Float[np.ndarray, " upper"], predicted: Float[np.ndarray, " upper"]
) -> float:
    """Absolute deviation of two `dynamics`, or of two `squared_dynamics` [1e-5]."""
    return float(np.abs(reference - predicted).mean()) / _UNIT


def evaluate(head: Head, reference: Motion, predicted: Motion) -> dict[str, float]:
    """All upper-face metrics of one clip, in bounded memory."""
    validate(head, reference, predicted)
    plain, squared = zip(
        *(_dynamics_of(head, motion) for motion in (reference, predicted)), strict=True
    )
    return {
        "fdd": fdd(*plain),
        "fdd_absolute": fdd_absolute(*plain),
        "fdd_squared": fdd(*squared),
        "fdd_squared_absolute": fdd_absolute(*squared),
        "upper_face_motion": float(plain[1].mean()) / _UNIT,
    }


def _dynamics_of(
    head: Head, motion: Motion
) -> tuple[Float[np.ndarray, " upper"], Float[np.ndarray, " upper"]]:
    """`dynamics` and `squared_dynamics` of a motion of any length, from running moments."""
    upper = head.regions.upper_face
    # Moments around the first frame: a vertex that stays put has exactly none.
    first: np.ndarray | None = None
    total = of_squares = np.zeros((2, len(upper)))
    for vertices in region_chunks(head, motion, upper):
        lengths = np.linalg.norm((vertices - head.template[upper]).astype(np.float64), axis=-1)
        both = np.stack([lengths, lengths**2], axis=1)
        first = both[0] if first is None else first
        total = total + (both - first).sum(axis=0)
        of_squares = of_squares + ((both - first) ** 2).sum(axis=0)
    mean = total / motion.num_frames
    plain, squared = np.sqrt(np.maximum(of_squares / motion.num_frames - mean**2, 0))
    return plain, squared
