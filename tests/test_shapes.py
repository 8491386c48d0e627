"""A canary: shape annotations are really checked while tests run."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from synthetic import toy_head

from kinevox import rotation
from kinevox.heads import Regions


def test_a_wrong_shape_raises() -> None:
    with pytest.raises(TypeCheckError):
        rotation.matrix_from_six_d(np.zeros((4, 5)))


def test_sizes_that_must_agree_are_compared() -> None:
    with pytest.raises(TypeCheckError):
        rotation.slerp(np.zeros((3, 4)), np.zeros((3, 4)), np.zeros(2))


def test_dataclasses_are_checked_too() -> None:
    lips = toy_head().regions.lips
    with pytest.raises(TypeCheckError):
        Regions(lips=lips, inner_lip_pairs=lips, upper_face=lips)
