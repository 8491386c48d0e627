"""Lips: how far they are from the reference, how wide the mouth opens, whether it closes.

Vertices are compared with head rotation removed and on the head's own `regions`: `lips` (342
vertices on Anny; 254 on FLAME with its masks file) and `inner_lip_pairs`, the columns of the mouth
whose two ends touch when it is closed. The opening of the mouth is the largest vertical gap over
those columns, 0 where lips overlap. Functions take meters and answer in the unit of their name.

Two conventions of LVE and several readings of MOD circulate; each has a name of its own here.

Source: LVE of Richard et al. 2021 (MeshTalk); MOD of Sun et al. 2024 (DiffPoseTalk), defined
there in prose only.

Metrics: `lve_mm`, `lve_squared_m2`, `mean_lip_distance_mm`, `mod_mm`, `mod_extent_mm`,
`closure_recall`, `closure_precision`, `mouth_opening_correlation`, `mouth_opening_lag_ms`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from kinevox.heads import Head
from kinevox.metrics._base import Metric, validate_pair
from kinevox.metrics._vertices import (
    mouth_opening,
    region_chunks,
    region_vertices,
    require_region,
)
from kinevox.motion import Motion
from kinevox.phones import BILABIALS, SILENCE, Phones
from kinevox.timebase import exact_fps

CLOSED = 0.001
"""The mouth counts as closed below this opening [m]."""
CLOSURE_TOLERANCE = 0.06
"""A bilabial's closure is looked for this far around its center [s]."""
MAX_LAG = 0.4
"""Delays are looked for up to this one, in both directions [s]."""

METRICS = (
    Metric(
        "lve_mm",
        "Lip vertex error",
        "mm",
        "lower",
        "The largest distance over the lip vertices of a frame, averaged over frames.",
        "mean_t max_v |r_tv - p_tv|",
        "Richard et al. 2021; as a distance in DiffPoseTalk's table",
    ),
    Metric(
        "lve_squared_m2",
        "Lip vertex error, squared",
        "m^2",
        "lower",
        "The largest squared distance over the lip vertices of a frame, averaged over frames. "
        "The convention of the widely copied CodeTalker script; not the square of `lve_mm`.",
        "mean_t max_v |r_tv - p_tv|^2",
        "Xing et al. 2023 (CodeTalker)",
    ),
    Metric(
        "mean_lip_distance_mm",
        "Mean lip distance",
        "mm",
        "lower",
        "The distance averaged over lip vertices and frames. Also the third reading of MOD, the "
        "one ARTalk's author names.",
        "mean_tv |r_tv - p_tv|",
    ),
    Metric(
        "mod_mm",
        "Mouth opening difference",
        "mm",
        "lower",
        "First reading, the default: vertical gap of the inner-lip column nearest the middle of "
        "the face, 0 where lips overlap; mean absolute difference. Vertical, since the fold "
        "between closed lips has a depth that is no opening.",
        "mean_t |gap(r_t) - gap(p_t)|",
        "Sun et al. 2024 (DiffPoseTalk); inner pair 62/66 of 68 landmarks",
    ),
    Metric(
        "mod_extent_mm",
        "Mouth opening difference, by lip extent",
        "mm",
        "lower",
        "Second reading: height of the whole lip region, highest minus lowest vertex; mean "
        "absolute difference.",
        "mean_t |extent(r_t) - extent(p_t)|",
    ),
    Metric(
        "closure_recall",
        "Lip-closure recall",
        "1",
        "higher",
        "Share of p, b and m during which the mouth opens less than 1 mm in some frame that "
        "starts within 60 ms of the phone's center (in the nearest frame, should none start "
        "there). Needs phone times, not a reference.",
        "mean_b [min_{|t - center_b| <= 60 ms} opening(p_t) < 1 mm]",
    ),
    Metric(
        "closure_precision",
        "Lip-closure precision",
        "1",
        "higher",
        "Share of closures that speech explains. A closure is a maximal run of frames open less "
        "than 1 mm, at least one of which starts in speech. It is explained when the time it "
        "covers touches a pause, a p, b or m, or the 60 ms around the center of one.",
        "explained closures / closures",
    ),
    Metric(
        "mouth_opening_correlation",
        "Mouth-opening correlation",
        "1",
        "higher",
        "Pearson correlation over frames of the opening of the mouth.",
        "corr_t(opening(r_t), opening(p_t))",
    ),
    Metric(
        "mouth_opening_lag_ms",
        "Mouth-opening lag",
        "ms",
        "closer",
        "Delay of at most 400 ms at which the two openings correlate best over the frames they "
        "share, refined below a frame by a parabola through the best delay and its neighbors. "
        "Positive: the prediction comes late.",
        "argmax_d corr_t(opening(r_t), opening(p_{t+d}))",
        target=0.0,
    ),
)


def validate(head: Head, reference: Motion, predicted: Motion) -> None:
    """The motions can be compared, and the head knows its lips.

    Raises:
        MotionError: layouts, frame rates or lengths differ.
        AssetError: the head has no lip region.
    """
    validate_pair(reference, predicted)
    require_region(head, "lips", "inner_lip_pairs")


def lve_mm(
    reference: Float[np.ndarray, "frames lips 3"], predicted: Float[np.ndarray, "frames lips 3"]
) -> float:
    """Lip vertex error as a distance."""
    return 1e3 * float(np.linalg.norm(reference - predicted, axis=-1).max(axis=1).mean())


def lve_squared_m2(
    reference: Float[np.ndarray, "frames lips 3"], predicted: Float[np.ndarray, "frames lips 3"]
) -> float:
    """Lip vertex error as a squared distance."""
    return float(((reference - predicted) ** 2).sum(axis=-1).max(axis=1).mean())


def mean_lip_distance_mm(
    reference: Float[np.ndarray, "frames lips 3"], predicted: Float[np.ndarray, "frames lips 3"]
) -> float:
    """Mean in place of the maximum of `lve_mm`."""
    return 1e3 * float(np.linalg.norm(reference - predicted, axis=-1).mean())


def mod_extent_mm(
    reference: Float[np.ndarray, "frames lips 3"], predicted: Float[np.ndarray, "frames lips 3"]
) -> float:
    """Mouth opening difference by the height of the lip region."""
    extents = [np.ptp(lips[..., 1], axis=1) for lips in (reference, predicted)]
    return 1e3 * float(np.abs(extents[0] - extents[1]).mean())


def mod_mm(
    reference: Float[np.ndarray, "frames 2 3"], predicted: Float[np.ndarray, "frames 2 3"]
) -> float:
    """Mouth opening difference by the middle pair of the inner lips: upper, lower vertex."""
    gaps = [np.maximum(pair[:, 0, 1] - pair[:, 1, 1], 0) for pair in (reference, predicted)]
    return 1e3 * float(np.abs(gaps[0] - gaps[1]).mean())


def bilabial_closures(
    opening: Float[np.ndarray, " frames"], fps: float, phones: Phones
) -> Bool[np.ndarray, " bilabials"]:
    """For every p, b and m of the clip in order: does the mouth close?

    The share of a corpus is the mean over all of its bilabials. Those whose center lies beyond
    the motion are left out.
    """
    rate = float(exact_fps(fps))
    closed = opening < CLOSED
    found = []
    for center in _bilabial_centers(phones):
        if center >= len(opening) / rate:
            break
        # The small number, far below a frame, is for times such as 0.1 that have no exact float.
        first = int(np.ceil((center - CLOSURE_TOLERANCE) * rate - 1e-6))
        stop = int(np.floor((center + CLOSURE_TOLERANCE) * rate + 1e-6)) + 1
        if first >= stop:
            first = min(round(center * rate), len(opening) - 1)
            stop = first + 1
        found.append(bool(closed[max(first, 0) : stop].any()))
    return np.array(found, dtype=bool)


def explained_closures(
    opening: Float[np.ndarray, " frames"], fps: float, phones: Phones
) -> Bool[np.ndarray, " closures"]:
    """For every closure of the mouth during speech, in order: do the phones explain it?"""
    rate = float(exact_fps(fps))
    speech = np.zeros(len(opening), dtype=bool)
    # Before the first phone and after the last there is a pause.
    reasons = [(-np.inf, float(phones.starts[0]) if len(phones) else np.inf)]
    reasons += [(phones.seconds, np.inf)]
    for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
        if label != SILENCE:
            first, stop = (int(np.ceil(time * rate - 1e-6)) for time in (start, end))
            speech[max(first, 0) : max(stop, 0)] = True
        if label == SILENCE or label in BILABIALS:
            reasons.append((start, end))
    reasons += [(c - CLOSURE_TOLERANCE, c + CLOSURE_TOLERANCE) for c in _bilabial_centers(phones)]
    starts, ends = np.array(reasons).T
    return np.array(
        [
            bool(((starts <= stop / rate) & (first / rate <= ends)).any())
            for first, stop in _runs(opening < CLOSED)
            if speech[first:stop].any()
        ],
        dtype=bool,
    )


def closure_recall(opening: Float[np.ndarray, " frames"], fps: float, phones: Phones) -> float:
    """Share of bilabials that close; NaN when there are none."""
    return _share(bilabial_closures(opening, fps, phones))


def closure_precision(opening: Float[np.ndarray, " frames"], fps: float, phones: Phones) -> float:
    """Share of closures that speech explains; NaN when the mouth never closes in speech."""
    return _share(explained_closures(opening, fps, phones))


def mouth_opening_correlation(
    reference: Float[np.ndarray, " frames"], predicted: Float[np.ndarray, " frames"]
) -> float:
    """Pearson correlation; NaN when one of them does not move."""
    return _correlation(reference, predicted)


def mouth_opening_lag_ms(
    reference: Float[np.ndarray, " frames"], predicted: Float[np.ndarray, " frames"], fps: float
) -> float:
    """Delay of the prediction; NaN when one of them does not move or is shorter than a second."""
    rate = float(exact_fps(fps))
    reach = int(MAX_LAG * rate)
    count = len(reference)
    if count < rate:
        return np.nan
    scores = np.array(
        [
            _correlation(
                reference[max(-lag, 0) : count - max(lag, 0)],
                predicted[max(lag, 0) : count - max(-lag, 0)],
            )
            for lag in range(-reach, reach + 1)
        ]
    )
    if not np.isfinite(scores).any():
        return np.nan
    best = int(np.nanargmax(scores))
    lag = float(best - reach)
    if 0 < best < len(scores) - 1 and np.isfinite(scores[best - 1 : best + 2]).all():
        before, top, after = scores[best - 1 : best + 2]
        bend = before - 2 * top + after
        lag += 0.5 * (before - after) / bend if bend < 0 else 0.0
    return 1e3 * lag / rate


def evaluate(
    head: Head, reference: Motion, predicted: Motion, phones: Phones | None = None
) -> dict[str, float]:
    """All lip metrics of one clip, in bounded memory; NaN where a clip has nothing to measure.

    Args:
        phones: What is said when; without it closures are NaN.
    """
    validate(head, reference, predicted)
    scores = dict.fromkeys((metric.name for metric in METRICS), np.nan)
    per_frame = (lve_mm, lve_squared_m2, mean_lip_distance_mm, mod_extent_mm)
    scores |= {metric.__name__: 0.0 for metric in per_frame}
    lips = head.regions.lips
    for r, p in zip(
        region_chunks(head, reference, lips), region_chunks(head, predicted, lips), strict=True
    ):
        for metric in per_frame:
            scores[metric.__name__] += metric(r, p) * len(r) / reference.num_frames

    pairs = head.regions.inner_lip_pairs
    middle = pairs[np.abs(head.template[pairs].mean(axis=1)[:, 0]).argmin()]
    scores["mod_mm"] = mod_mm(
        region_vertices(head, reference, middle), region_vertices(head, predicted, middle)
    )
    openings = mouth_opening(head, reference), mouth_opening(head, predicted)
    scores["mouth_opening_correlation"] = mouth_opening_correlation(*openings)
    scores["mouth_opening_lag_ms"] = mouth_opening_lag_ms(*openings, reference.fps)
    if phones is not None:
        scores["closure_recall"] = closure_recall(openings[1], predicted.fps, phones)
        scores["closure_precision"] = closure_precision(openings[1], predicted.fps, phones)
    return scores


def _bilabial_centers(phones: Phones) -> list[float]:
    return [
        float(start + end) / 2
        for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True)
        if label in BILABIALS
    ]


def _runs(flags: Bool[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """First and one past the last frame of each stretch of True."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def _share(flags: Bool[np.ndarray, " items"]) -> float:
    return float(flags.mean()) if len(flags) else np.nan


def _correlation(a: Float[np.ndarray, " frames"], b: Float[np.ndarray, " frames"]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    a, b = (x - x.mean() for x in (a.astype(np.float64), b.astype(np.float64)))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
