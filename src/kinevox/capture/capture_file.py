"""Captures on disk: a kinevox clip that also says how the motion was seen.

One npz holds what `kinevox.export.motion_npz` writes, so that every command reads it as a motion,
and beside it the arrays `translation`, `confidence`, `error_pixels`, `face_pixels`, `shots` and
`neutral`, and `capture` as JSON: a version, the camera and the phenotype.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from kinevox.capture._base import Camera, Capture, Shot
from kinevox.errors import MotionError
from kinevox.export import motion_npz
from kinevox.export._archive import array_names, read_arrays
from kinevox.files import written_whole

VERSION = 1


def write_capture(capture: Capture, path: Path) -> None:
    """Writes a capture, whole or not at all."""
    facts = {
        "version": VERSION,
        "focal": capture.camera.focal,
        "size": capture.camera.size,
        "phenotype": dict(capture.phenotype),
    }
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            **motion_npz.clip_arrays(capture.motion),
            translation=capture.translation,
            confidence=capture.confidence,
            error_pixels=capture.error_pixels,
            face_pixels=capture.face_pixels,
            shots=np.array([(s.start, s.stop) for s in capture.shots], int).reshape(-1, 2),
            capture=np.str_(json.dumps(facts)),
            **({} if capture.neutral is None else {"neutral": capture.neutral}),
        )


def is_capture(path: str | Path) -> bool:
    """Whether a motion file knows how it was captured."""
    return {"capture", "confidence"} <= array_names(Path(path))


def read_capture(path: str | Path) -> Capture:
    """Reads a capture.

    Raises:
        MotionError: not a capture, damaged, or of a newer version.
    """
    path = Path(path)
    motion = motion_npz.read(path)
    arrays = read_arrays(path)
    try:
        facts = json.loads(str(arrays["capture"]))
        if facts["version"] > VERSION:
            raise MotionError(
                f"{path.name} is a capture of version {facts['version']}, this kinevox reads up "
                f"to {VERSION}. Update kinevox."
            )
        width, height = (int(side) for side in facts["size"])
        return Capture(
            motion=motion,
            translation=arrays["translation"],
            camera=Camera(float(facts["focal"]), (width, height)),
            confidence=arrays["confidence"],
            error_pixels=arrays["error_pixels"],
            face_pixels=arrays["face_pixels"],
            shots=tuple(Shot(int(a), int(b)) for a, b in arrays["shots"]),
            phenotype={str(k): float(v) for k, v in facts["phenotype"].items()},
            neutral=arrays.get("neutral"),
        )
    except KeyError as error:
        raise MotionError(
            f"{path.name} is a motion, but no capture: it lacks {error}. "
            "Make one with: kinevox capture VIDEO -o motion.npz"
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise MotionError(f"{path.name} is not a capture: {error}.") from error
