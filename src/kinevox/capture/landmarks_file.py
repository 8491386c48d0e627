"""What the tracker saw, kept between runs: a video is tracked once, however often it is fitted.

The key is the video's bytes, the tracker and its version. Landmarks are whole numbers of 1/64
pixel and stored as differences from sighting to sighting, which compresses to a few bits each;
they come back exactly.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from kinevox.cache import cache_dir
from kinevox.capture._base import Shot
from kinevox.capture.track import GRID, Sightings
from kinevox.files import written_whole

_VERSION = 1
"""Raised when the same video would be tracked differently."""


def kept_at(video: str | Path, tracker: str) -> Path:
    """Where the sightings of a video are kept, or will be.

    Args:
        tracker: Name and version of the tracker.
    """
    with Path(video).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(f"{_VERSION} {tracker}".encode())
    return cache_dir("landmarks") / f"{digest.hexdigest()[:32]}.npz"


def keep(sightings: Sightings, path: Path) -> None:
    """Saves sightings."""
    with written_whole(path) as temporary, temporary.open("wb") as file:
        steps = np.round(sightings.points * GRID).astype(np.int32)
        steps[1:] -= steps[:-1].copy()
        np.savez_compressed(
            file,
            times=sightings.times,
            size=np.array(sightings.size),
            shots=np.array([(shot.start, shot.stop) for shot in sightings.shots]).reshape(-1, 2),
            turn=np.int64(sightings.turn),
            frame=sightings.frame,
            track=sightings.track,
            steps=steps,
            looks=sightings.looks,
        )


def recall(path: Path) -> Sightings | None:
    """Sightings that were kept; None where there are none, or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            points = np.cumsum(kept["steps"], axis=0, dtype=np.int32) / np.float32(GRID)
            width, height = (int(side) for side in kept["size"])
            return Sightings(
                times=kept["times"],
                size=(width, height),
                shots=tuple(Shot(int(a), int(b)) for a, b in kept["shots"]),
                turn=int(kept["turn"]),
                frame=kept["frame"],
                track=kept["track"],
                points=points.astype(np.float32),
                looks=kept["looks"],
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
        return None
