"""Upper-face metrics against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import toy_motion
from synthetic_faces import arkit_face

from kinevox.metrics import _vertices as vertices_module
from kinevox.metrics import upper_face
from kinevox.metrics._vertices import region_vertices

MM = 1e-3


def _offsets(*lengths_by_frame: list[float]) -> np.ndarray:
    """Vertices that move along (0, 3, 4) / 5, by lengths in mm."""
    return MM * np.array(lengths_by_frame)[..., None] * np.array([0, 0.6, 0.8])


# Two vertices over two frames: the standard deviation is half of the way.
REFERENCE = _offsets([0.0, 0.0], [2.0, 1.0])  # 1 mm, 0.5 mm; squared 2 and 0.5 mm^2
PREDICTED = _offsets([0.0, 0.0], [1.0, 4.0])  # 0.5 mm, 2 mm; squared 0.5 and 8 mm^2


def test_both_norms_and_both_signs_by_hand() -> None:
    r, p = (upper_face.dynamics(offsets) for offsets in (REFERENCE, PREDICTED))
    np.testing.assert_allclose(r, [1 * MM, 0.5 * MM])
    np.testing.assert_allclose(p, [0.5 * MM, 2 * MM])
    assert upper_face.fdd(r, p) == pytest.approx(-50)  # (0.5 - 1.5) / 2 mm in 1e-5 m
    assert upper_face.fdd_absolute(r, p) == pytest.approx(100)  # (0.5 + 1.5) / 2 mm
    r, p = (upper_face.squared_dynamics(offsets) for offsets in (REFERENCE, PREDICTED))
    assert upper_face.fdd(r, p) == pytest.approx(-0.3)  # (1.5 - 7.5) / 2 mm^2 in 1e-5 m^2
    assert upper_face.fdd_absolute(r, p) == pytest.approx(0.45)  # (1.5 + 7.5) / 2 mm^2


def test_a_still_face_is_too_still_and_an_exaggerated_one_too_lively() -> None:
    head, motion = arkit_face(), toy_motion(60)
    weights = motion.values.copy()
    weights[:, :52] *= 0.5
    calm = motion.replace(values=weights)
    too_still = upper_face.evaluate(head, motion, calm)
    too_lively = upper_face.evaluate(head, calm, motion)
    assert too_still["fdd"] > 0 > too_lively["fdd"]
    assert too_still["fdd"] == pytest.approx(-too_lively["fdd"])
    assert too_still["fdd_absolute"] == pytest.approx(too_lively["fdd_absolute"])


def test_running_moments_equal_the_plain_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    head, motions = arkit_face(), (toy_motion(50), toy_motion(50, seed=1))
    upper = head.regions.upper_face
    offsets = [region_vertices(head, m, upper) - head.template[upper] for m in motions]
    plain = [upper_face.dynamics(o) for o in offsets]
    squared = [upper_face.squared_dynamics(o) for o in offsets]
    monkeypatch.setattr(vertices_module, "_CHUNK_POINTS", 7 * len(upper))
    scores = upper_face.evaluate(head, *motions)
    assert scores["fdd"] == pytest.approx(upper_face.fdd(*plain), rel=1e-4)
    assert scores["fdd_absolute"] == pytest.approx(upper_face.fdd_absolute(*plain), rel=1e-4)
    assert scores["fdd_squared"] == pytest.approx(upper_face.fdd(*squared), rel=1e-4)
    assert scores["fdd_squared_absolute"] == pytest.approx(
        upper_face.fdd_absolute(*squared), rel=1e-4
    )


def test_a_held_pose_has_no_dynamics_at_all() -> None:
    held = toy_motion(1).values.repeat(40, axis=0)
    motion = toy_motion(40).replace(values=held)
    still = motion.replace(values=np.zeros_like(held))
    scores = upper_face.evaluate(arkit_face(), motion, still)
    assert list(scores.values()) == pytest.approx([0, 0, 0, 0, 0], abs=1e-5)


def test_the_deviation_is_a_difference_of_motions() -> None:
    head, a, b = arkit_face(), toy_motion(50), toy_motion(50, seed=1)
    scores, itself = upper_face.evaluate(head, a, b), upper_face.evaluate(head, a, a)
    moved = itself["upper_face_motion"] - scores["upper_face_motion"]
    assert moved == pytest.approx(scores["fdd"], rel=1e-6)
    assert itself["upper_face_motion"] > abs(moved) > 0
