"""Finds where the tracker's landmarks lie on the Anny head: `python docs/make_landmark_table.py`.

No table of MediaPipe's landmarks on a face of ours exists, so the tracker itself is asked. It looks
at pictures of our head (other people, poses, expressions, through a known camera); every landmark
is a ray, and the ray meets the skin somewhere. The median over all looks and both sides of the
face, carried to one head, is where the landmark lies. Inner lips and lids are edges, which rays
miss: their landmarks are looked for along the edges instead, inner lips with the mouth open.

People differ: the places of all landmarks on heads of drawn phenotypes are reduced to a few modes,
which the fit uses as its idea of a person.

Writes src/kinevox/capture/anny_landmarks.npz and docs/images/landmarks_anny.png. Takes about five
minutes; needs the extras render and capture.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, fields
from pathlib import Path

import mediapipe
import numpy as np
from PIL import Image, ImageDraw
from rich.progress import track
from scipy.optimize import linear_sum_assignment

from kinevox import rotation
from kinevox._correspondence import _closest_shares
from kinevox.heads import BlendshapeHead
from kinevox.heads._anny_bake import assemble
from kinevox.heads._anny_regions import (
    LOWER_LID_EDGE,
    LOWER_LIP_CONTACT,
    SKIN,
    UPPER_LID_EDGE,
    UPPER_LIP_CONTACT,
    Anatomy,
    find_anatomy,
)
from kinevox.heads._anny_source import read_source
from kinevox.heads.anny import Phenotype, load_anny
from kinevox.motion import ARKIT, Motion
from kinevox.rendering.scene import Scene

_log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "src/kinevox/capture/anny_landmarks.npz"
PICTURE = ROOT / "docs/images/landmarks_anny.png"

SIZE = 720
PEOPLE = ({}, {"gender": 0.0, "age": 0.8}, {"gender": 1.0, "age": 0.55, "weight": 0.7})
DEGREES = ((0, 0), (20, 0), (-20, 0), (0, 15), (0, -15), (10, 8), (-10, 8))
"""Yaw and pitch of the looks."""
FACES = ({}, {"jawOpen": 0.35}, {"jawOpen": 0.7}, {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5})
CHART = {"jawOpen": 0.5}
"""Expression on which the places of all looks are gathered: here lips that touch are apart."""

UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
UPPER_LID_LEFT = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LOWER_LID_LEFT = (249, 390, 373, 374, 380, 381, 382)
UPPER_LID_RIGHT = (33, 246, 161, 160, 159, 158, 157, 173, 133)
LOWER_LID_RIGHT = (7, 163, 144, 145, 153, 154, 155)
IRISES = tuple(range(468, 478))

PEOPLE_DRAWN, MODES = 160, 10


def main() -> None:
    tracker = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True)
    heads = [load_anny(**person) for person in PEOPLE]
    anatomy = find_anatomy(*_skin_of(heads[0]))
    chart = _posed(heads[0], CHART)
    places, partners = [], None
    for head in heads:
        with Scene(head, (SIZE, SIZE)) as scene:
            for face in track(FACES, "Looks", transient=True):
                for yaw, pitch in DEGREES:
                    seen = _look(scene, head, tracker, face, yaw, pitch)
                    if seen is None:
                        continue
                    pixels, projected, depth = seen
                    if partners is None:
                        partners = _partners(pixels)
                    open_mouth = "jawOpen" in face
                    places.append(
                        _places(head, anatomy, chart, pixels, projected, depth, open_mouth)
                    )
    if partners is None:
        raise SystemExit("The tracker found no face in any picture.")
    middle = _symmetric_median(np.array(places), partners)
    corners, shares = _onto(heads[0], anatomy, chart, middle)
    _draw(heads[0], corners, shares)
    mean, modes, to_phenotype = _people(corners, shares)
    np.savez_compressed(
        TABLE,
        allow_pickle=False,
        corners=corners.astype(np.int16),
        shares=shares.astype(np.float32),
        partners=partners.astype(np.int16),
        mean=mean.astype(np.float32),
        modes=modes.astype(np.float32),
        to_phenotype=to_phenotype.astype(np.float32),
        phenotype_names=np.array([field.name for field in fields(Phenotype)]),
        made_by=np.array(
            f"docs/make_landmark_table.py from {len(places)} looks of MediaPipe "
            f"{mediapipe.__version__} at {len(PEOPLE)} Anny heads, and {PEOPLE_DRAWN} phenotypes"
        ),
    )
    _log.info(f"{TABLE.name}: {TABLE.stat().st_size / 1000:.0f} kB; {PICTURE}")


def _posed(head: BlendshapeHead, face: dict[str, float]) -> np.ndarray:
    motion = Motion(np.zeros((1, ARKIT.num_channels))).with_channels(**face)
    return head.vertices(motion, head_pose=False)[0]


def _skin_of(head: BlendshapeHead) -> tuple[np.ndarray, np.ndarray]:
    triangles = head.triangles[(head.triangles < SKIN.stop).all(axis=1)]
    return head.template[SKIN].astype(float), triangles


def _look(scene, head, tracker, face, yaw, pitch):
    """Landmarks in a picture of the head, and all its vertices in the same picture [pixels]."""
    angles = np.radians([yaw, pitch, 0.0])
    turn = rotation.matrix_from_axis_angle(rotation.axis_angle_from_yaw_pitch_roll(angles))
    vertices = _posed(head, face) @ turn.T
    found = tracker.process(scene.draw(vertices)).multi_face_landmarks
    if not found:
        return None
    pixels = np.array([(p.x, p.y) for p in found[0].landmark]) * SIZE
    away = vertices - scene.eye
    projected = SIZE / 2 + scene.focal * away[:, :2] * [1, -1] / -away[:, 2:]
    return pixels, projected, -away[:, 2]


def _partners(pixels: np.ndarray) -> np.ndarray:
    """Each landmark's counterpart on the other side, from a frontal picture."""
    mirrored = pixels * [-1, 1] + [SIZE, 0]
    cost = np.square(pixels[:, None] - mirrored[None]).sum(axis=-1)
    return linear_sum_assignment(cost)[1]


def _places(head, anatomy: Anatomy, chart, pixels, projected, depth, open_mouth) -> np.ndarray:
    """Where the landmarks of one look lie on the chart [m]; NaN where a ray met nothing."""
    skin = anatomy.visible[head.triangles.clip(max=SKIN.stop - 1)].all(axis=1)
    skin &= (head.triangles < SKIN.stop).all(axis=1)
    result = _meet(pixels, projected, depth, head.triangles[skin], chart)
    eyes = [p for p in head.parts if p.name.startswith("eye_")]
    for part in eyes:
        mine = ((head.triangles >= part.start) & (head.triangles < part.stop)).all(axis=1)
        hits = _meet(pixels[list(IRISES)], projected, depth, head.triangles[mine], chart)
        met = np.isfinite(hits).all(axis=1)
        result[np.array(IRISES)[met]] = hits[met]
    for ids, edge in _edges(anatomy):
        if not set(ids) & {*UPPER_LIP, *LOWER_LIP}:
            result[list(ids)] = _along(pixels[list(ids)], projected[edge], chart[edge])
        elif open_mouth:
            result[list(ids)] = _along(pixels[list(ids)], projected[edge], chart[edge])
        else:
            result[list(ids)] = np.nan
    return result


def _edges(anatomy: Anatomy):
    """Landmarks that lie on an edge, and the vertices along it."""
    other = anatomy.mirror

    def whole(half: tuple[int, ...]) -> np.ndarray:
        return np.concatenate([other[list(half)][:0:-1], half])

    return (
        (UPPER_LIP, whole((*UPPER_LIP_CONTACT,))),
        (LOWER_LIP, whole((*LOWER_LIP_CONTACT,))),
        (UPPER_LID_LEFT, np.array(UPPER_LID_EDGE)),
        (LOWER_LID_LEFT, np.array(LOWER_LID_EDGE)),
        (UPPER_LID_RIGHT, other[list(UPPER_LID_EDGE)]),
        (LOWER_LID_RIGHT, other[list(LOWER_LID_EDGE)]),
    )


def _meet(pixels, projected, depth, triangles, chart) -> np.ndarray:
    """The nearest triangle under each pixel, as a place on the chart."""
    result = np.full((len(pixels), 3), np.nan)
    a, b, c = (projected[triangles[:, k]] for k in range(3))
    area = _cross(b - a, c - a)
    for row, pixel in enumerate(pixels):
        with np.errstate(divide="ignore", invalid="ignore"):
            u = _cross(c - b, pixel - b) / area
            v = _cross(a - c, pixel - c) / area
        shares = np.stack([u, v, 1 - u - v], axis=1)
        hit = np.flatnonzero((shares >= 0).all(axis=1))
        if len(hit):
            near = hit[np.argmin((shares[hit] * depth[triangles[hit]]).sum(axis=1))]
            # Shares of the picture are not those of the surface; over a triangle they nearly are.
            result[row] = shares[near] @ chart[triangles[near]]
    return result


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _along(points: np.ndarray, line: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """The nearest places on a line, carried to the chart."""
    start, step = line[:-1], np.diff(line, axis=0)
    share = ((points[:, None] - start) * step).sum(-1) / np.maximum((step**2).sum(-1), 1e-12)
    share = share.clip(0, 1)
    away = np.linalg.norm(start + share[..., None] * step - points[:, None], axis=-1)
    best, each = away.argmin(axis=1), np.arange(len(points))
    share = share[each, best][:, None]
    return (1 - share) * chart[best] + share * chart[best + 1]


def _symmetric_median(places: np.ndarray, partners: np.ndarray) -> np.ndarray:
    both = np.concatenate([places, places[:, partners] * [-1, 1, 1]])
    middle = np.nanmedian(both, axis=0)
    spread = np.nanmedian(np.linalg.norm(both - middle, axis=-1), axis=0)
    _log.info(f"looks {len(places)}; median spread {1000 * np.nanmedian(spread):.2f} mm")
    middle = (middle + middle[partners] * [-1, 1, 1]) / 2
    if not np.isfinite(middle).all():
        raise SystemExit(f"Never met: {np.flatnonzero(~np.isfinite(middle).all(axis=1))}")
    return middle


def _onto(head, anatomy: Anatomy, chart, middle) -> tuple[np.ndarray, np.ndarray]:
    """Corners and shares of the places on the mesh that are nearest to the medians."""
    skin = (head.triangles < SKIN.stop).all(axis=1)
    skin &= anatomy.visible[head.triangles.clip(max=SKIN.stop - 1)].all(axis=1)
    corners, shares = np.zeros((len(middle), 3), int), np.zeros((len(middle), 3))
    on_edge = {k: edge for ids, edge in _edges(anatomy) for k in ids}
    for k, place in enumerate(middle):
        if k in on_edge:
            edge = on_edge[k]
            candidates = np.stack([edge[:-1], edge[1:], edge[1:]], axis=1)
        elif k in IRISES:
            eye = next(
                p for p in head.parts if p.name == f"eye_{'left' if place[0] > 0 else 'right'}"
            )
            inside = (head.triangles >= eye.start) & (head.triangles < eye.stop)
            candidates = head.triangles[inside.all(axis=1)]
        else:
            candidates = head.triangles[skin]
        corner = chart[candidates]
        share = _closest_shares(corner, place[None])
        away = np.linalg.norm(np.einsum("ck,ckd->cd", share, corner) - place, axis=-1)
        corners[k], shares[k] = candidates[away.argmin()], share[away.argmin()]
    return corners, shares


def _people(corners, shares) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and modes of the landmarks [m] over drawn phenotypes, and the way back to a phenotype.

    A mode's coefficient is 1 for a person one standard deviation from the mean.
    """
    rng = np.random.default_rng(4)
    low = np.array([0.0, 0.4, 0.2, 0.15, 0.2, 0.3])
    high = np.array([1.0, 1.0, 0.8, 0.9, 0.8, 1.0])
    drawn = rng.uniform(low, high, (PEOPLE_DRAWN, len(low)))
    names = list(asdict(Phenotype()))
    rows = []
    for values in track(drawn, "People", transient=True):
        phenotype = Phenotype(**dict(zip(names, values, strict=True)))
        template = assemble(read_source(phenotype))["template"]
        rows.append(np.einsum("lk,lkd->ld", shares, template[corners]))
    rows = np.array(rows)
    mean = rows.mean(axis=0)
    flat = (rows - mean).reshape(len(rows), -1)
    left, strength, right = np.linalg.svd(flat, full_matrices=False)
    kept = np.square(strength)
    _log.info(f"{MODES} modes hold {kept[:MODES].sum() / kept.sum():.4f} of the variance")
    scale = np.sqrt(len(rows))
    modes = (strength[:MODES, None] * right[:MODES] / scale).reshape(MODES, *mean.shape)
    features = np.column_stack([np.ones(len(rows)), left[:, :MODES] * scale])
    ridge = np.diag([0.0] + [0.02 * len(rows)] * MODES)
    back = np.linalg.solve(features.T @ features + ridge, features.T @ drawn)
    error = np.std(features @ back - drawn, axis=0)
    _log.info(f"phenotype error {dict(zip(names, error.round(3), strict=True))}")
    return mean, modes, back


def _draw(head, corners, shares) -> None:
    cells = []
    for face in ({}, {"jawOpen": 0.5}):
        with Scene(head, (SIZE, SIZE)) as scene:
            vertices = _posed(head, face)
            picture = Image.fromarray(scene.draw(vertices)).resize((2 * SIZE, 2 * SIZE))
            away = np.einsum("lk,lkd->ld", shares, vertices[corners]) - scene.eye
            spots = 2 * (SIZE / 2 + scene.focal * away[:, :2] * [1, -1] / -away[:, 2:])
            pen = ImageDraw.Draw(picture)
            edges = {*UPPER_LIP, *LOWER_LIP, *UPPER_LID_LEFT, *LOWER_LID_LEFT}
            edges |= {*UPPER_LID_RIGHT, *LOWER_LID_RIGHT}
            for k, (x, y) in enumerate(spots):
                color = (
                    (255, 210, 0) if k in edges else (0, 220, 255) if k in IRISES else (0, 160, 60)
                )
                pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=color)
            cells.append(np.asarray(picture)[200:1340, 340:1100])
    Image.fromarray(np.hstack(cells)).save(PICTURE)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
