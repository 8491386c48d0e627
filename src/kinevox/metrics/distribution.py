"""Distribution: are takes as varied as, and distributed like, those of real performers?

Speech does not determine motion, so distances to one reference cannot tell a method that learned
the spread from one that learned the mean. Two views: the spread of takes of one clip under
different seeds, and two sets of windows, reference and predicted, compared as point clouds.

A window is 2 s long, one begins every second. Its features are fixed and need no network. Face:
displacements [mm] of 8 points of the lips and 8 of the upper face, chosen by farthest point
sampling on the head at rest, head rotation removed. Head: yaw, pitch, roll [deg]. Of each signal
the mean, the standard deviation and the mean absolute change within 0.1 s, all in the signal's
unit. Heads with other meshes have other points: compare numbers of one head only.

Source: Heusel et al. 2017 for the Frechet distance; Kynkäänniemi et al. 2019 for precision and
recall; Naeem et al. 2020 for coverage. Features are our own.

Metrics: `diversity_face_mm`, `diversity_head_deg`, and for `face` and `head` each `frechet_*`,
`coverage_*`, `recall_*`, `precision_*`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float

from kinevox.errors import ConfigError, MotionError
from kinevox.heads import Head
from kinevox.metrics._base import Metric, validate_pair
from kinevox.metrics._vertices import face_points, require_region
from kinevox.metrics.head_pose import head_error_deg, yaw_pitch_roll_deg
from kinevox.motion import Motion
from kinevox.timebase import exact_fps

WINDOW_SECONDS, HOP_SECONDS, CHANGE_SECONDS = 2.0, 1.0, 0.1
NEIGHBORS = 5
"""A window's neighborhood reaches to its 5th nearest window of the same set, itself left out."""
KINDS = {"face": "mm", "head": "deg"}
"""What windows are described by, and the unit of the features."""

METRICS = (
    Metric(
        "diversity_face_mm",
        "Diversity of the face",
        "mm",
        "higher",
        "Distance between the face points of two takes of the same clip under different seeds, "
        "averaged over pairs of takes, points and frames. Noise is diverse too: read it next to "
        "`precision_face`.",
        "mean_{i<j, t, v} |p^i_tv - p^j_tv|",
    ),
    Metric(
        "diversity_head_deg",
        "Diversity of the head",
        "deg",
        "higher",
        "Angle between the head rotations of two takes of the same clip under different seeds, "
        "averaged over pairs of takes and frames.",
        "mean_{i<j, t} angle(p^i_t, p^j_t)",
    ),
    *(
        metric
        for kind, unit in KINDS.items()
        for metric in (
            Metric(
                f"frechet_{kind}",
                f"Frechet distance, {kind}",
                f"{unit}^2",
                "lower",
                f"Squared Frechet distance of two Gaussians with the means and covariances "
                f"(divisor n - 1) of reference and predicted {kind} windows. Falls with the "
                "number of windows: compare equal numbers.",
                "|m_r - m_p|^2 + tr(C_r + C_p - 2 (C_r C_p)^(1/2))",
                "Heusel et al. 2017",
            ),
            Metric(
                f"coverage_{kind}",
                f"Coverage, {kind}",
                "1",
                "higher",
                f"Share of reference {kind} windows with a predicted one in their neighborhood, "
                "which reaches to the 5th nearest other reference window.",
                "mean_r [min_p |r - p| <= radius_5(r)]",
                "Naeem et al. 2020",
            ),
            Metric(
                f"recall_{kind}",
                f"Recall, {kind}",
                "1",
                "higher",
                f"Share of reference {kind} windows that lie in the neighborhood of some "
                "predicted window.",
                "mean_r [min_p (|r - p| - radius_5(p)) <= 0]",
                "Kynkäänniemi et al. 2019",
            ),
            Metric(
                f"precision_{kind}",
                f"Precision, {kind}",
                "1",
                "higher",
                f"Share of predicted {kind} windows that lie in the neighborhood of some "
                "reference window.",
                "mean_p [min_r (|r - p| - radius_5(r)) <= 0]",
                "Kynkäänniemi et al. 2019",
            ),
        )
    ),
)


def validate(head: Head, reference: Sequence[Motion], predicted: Sequence[Motion]) -> None:
    """Both sets hold motions the head can be posed by, at one frame rate.

    Raises:
        ConfigError: a set is empty.
        MotionError: layouts or frame rates differ.
        AssetError: the head has no lips or upper face.
    """
    for name, motions in (("reference", reference), ("predicted", predicted)):
        if not len(motions):
            raise ConfigError(f"There are no {name} motions; give at least one.")
    rates = sorted({float(exact_fps(motion.fps)) for motion in (*reference, *predicted)})
    if len(rates) > 1:
        raise MotionError(
            f"Motions have {', '.join(f'{rate:g}' for rate in rates)} fps; resample to one rate."
        )
    others = {motion.layout.name for motion in (*reference, *predicted)} - {head.layout.name}
    if others:
        raise MotionError(
            f"Head '{head.name}' takes motion of layout '{head.layout.name}', some have "
            f"{', '.join(sorted(others))}. Convert them first."
        )
    require_region(head, "lips", "upper_face")


def diversity_face_mm(takes: Float[np.ndarray, "takes frames points 3"]) -> float:
    """Mean distance between takes, points in meters; NaN for a single take."""
    pairs = list(combinations(range(len(takes)), 2))
    distances = [np.linalg.norm(takes[i] - takes[j], axis=-1).mean() for i, j in pairs]
    return 1e3 * float(np.mean(distances)) if pairs else np.nan


def diversity_head_deg(takes: Float[np.ndarray, "takes frames 3"]) -> float:
    """Mean angle between takes; NaN for a single take."""
    pairs = list(combinations(range(len(takes)), 2))
    return float(np.mean([head_error_deg(takes[i], takes[j]) for i, j in pairs] or [np.nan]))


def window_features(
    signals: Float[np.ndarray, "frames signals"], fps: float
) -> Float[np.ndarray, "windows features"]:
    """Mean, standard deviation and mean absolute change in 0.1 s of every signal and window.

    A clip shorter than a window gives none.
    """
    rate = float(exact_fps(fps))
    length, hop = round(WINDOW_SECONDS * rate), round(HOP_SECONDS * rate)
    signals = signals.astype(np.float64)
    rows = []
    for start in range(0, len(signals) - length + 1, hop):
        window = signals[start : start + length]
        change = np.abs(np.diff(window, axis=0)).mean(axis=0) * rate * CHANGE_SECONDS
        rows.append(np.concatenate([window.mean(axis=0), window.std(axis=0), change]))
    return np.array(rows).reshape(-1, 3 * signals.shape[1])


def face_features(head: Head, motion: Motion) -> Float[np.ndarray, "windows features"]:
    """Windows of the face points [mm]."""
    points = 1e3 * face_points(head, motion)
    return window_features(points.reshape(motion.num_frames, -1), motion.fps)


def head_features(motion: Motion) -> Float[np.ndarray, "windows features"]:
    """Windows of yaw, pitch and roll [deg]."""
    return window_features(yaw_pitch_roll_deg(motion.group("head")), motion.fps)


def frechet_distance(
    reference: Float[np.ndarray, "n features"], predicted: Float[np.ndarray, "m features"]
) -> float:
    """Squared Frechet distance of the Gaussians of two sets; NaN below two rows in either.

    With C = A^T A, tr (C_r C_p)^(1/2) is the sum of the singular values of A_r A_p^T. This needs
    no matrix root, so fewer rows than features, a singular covariance, costs no accuracy.
    """
    if min(len(reference), len(predicted)) < 2:
        return np.nan
    means = [rows.mean(axis=0) for rows in (reference, predicted)]
    r, p = (
        np.linalg.qr((rows - mean) / np.sqrt(len(rows) - 1))[1]
        for rows, mean in zip((reference, predicted), means, strict=True)
    )
    shared = np.linalg.svd(r @ p.T, compute_uv=False).sum()
    spread = (r**2).sum() + (p**2).sum() - 2 * shared
    return float(((means[0] - means[1]) ** 2).sum() + max(spread, 0.0))


def coverage(
    reference: Float[np.ndarray, "n features"], predicted: Float[np.ndarray, "m features"]
) -> float:
    """Share of reference rows with a predicted one in their neighborhood."""
    if len(reference) < 2 or not len(predicted):
        return np.nan
    radii = _radii(reference)
    nearest = np.concatenate([block.min(axis=1) for block in _distances(reference, predicted)])
    return float((nearest <= radii).mean())


def recall(
    reference: Float[np.ndarray, "n features"], predicted: Float[np.ndarray, "m features"]
) -> float:
    """Share of reference rows in the neighborhood of a predicted one."""
    if len(predicted) < 2 or not len(reference):
        return np.nan
    radii = _radii(predicted)
    inside: list[Bool[np.ndarray, " block"]] = [
        (block <= radii).any(axis=1) for block in _distances(reference, predicted)
    ]
    return float(np.concatenate(inside).mean())


def precision(
    reference: Float[np.ndarray, "n features"], predicted: Float[np.ndarray, "m features"]
) -> float:
    """Share of predicted rows in the neighborhood of a reference one."""
    return recall(predicted, reference)


def evaluate(
    head: Head, reference: Sequence[Motion], predicted: Sequence[Motion]
) -> dict[str, float]:
    """The window metrics of two sets of clips; they need not be the same clips."""
    validate(head, reference, predicted)
    scores = {}
    for kind in KINDS:
        r, p = (
            np.concatenate(
                [face_features(head, m) if kind == "face" else head_features(m) for m in motions]
            )
            for motions in (reference, predicted)
        )
        scores[f"frechet_{kind}"] = frechet_distance(r, p)
        scores[f"coverage_{kind}"] = coverage(r, p)
        scores[f"recall_{kind}"] = recall(r, p)
        scores[f"precision_{kind}"] = precision(r, p)
    return scores


def evaluate_takes(head: Head, takes: Sequence[Motion]) -> dict[str, float]:
    """The diversity metrics of one clip: what one method made of it under different seeds.

    Raises:
        ConfigError: there are no takes.
        MotionError: takes differ in layout, frame rate or length.
    """
    validate(head, takes, takes)
    for take in takes[1:]:
        validate_pair(takes[0], take)
    return {
        "diversity_face_mm": diversity_face_mm(np.stack([face_points(head, t) for t in takes])),
        "diversity_head_deg": diversity_head_deg(np.stack([t.group("head") for t in takes])),
    }


def _distances(
    rows: Float[np.ndarray, "n features"], others: Float[np.ndarray, "m features"]
) -> Iterator[Float[np.ndarray, "block m"]]:
    """All distances, some rows at a time."""
    from scipy.spatial.distance import cdist

    for start in range(0, len(rows), 512):
        yield cdist(rows[start : start + 512], others)


def _radii(rows: Float[np.ndarray, "n features"]) -> Float[np.ndarray, " n"]:
    """Distance from each row to its 5th nearest other row, or to the last if there are fewer."""
    nth = min(NEIGHBORS, len(rows) - 1)
    return np.concatenate(
        [np.partition(block, nth, axis=1)[:, nth] for block in _distances(rows, rows)]
    )
