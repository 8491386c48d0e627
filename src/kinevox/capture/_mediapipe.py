"""MediaPipe's two face trackers, which find 478 landmarks per face in a picture.

Both keep state from picture to picture, so each video gets a tracker of its own. MediaPipe's
native code reports to standard error by itself; that is kept quiet while a tracker warms up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from kinevox.errors import AssetError, ConfigError, MissingExtraError

MAX_FACES = 5
"""Faces that are looked for in one picture."""
_NOT_FOUND = np.zeros((0, 478, 3), np.float32)


class FaceMesh:
    """Face Mesh with refined lips, lids and irises; its models are part of the package."""

    name = "face_mesh"

    def __init__(self) -> None:
        solutions = getattr(_mediapipe(), "solutions", None)
        if solutions is None:
            raise ConfigError(
                f"MediaPipe {version('mediapipe')} comes without models. Install the tested "
                "version, pip install 'kinevox[capture]', or name a model of your own with "
                "--task face_landmarker.task."
            )
        self._warm = False
        with _quiet():
            self._mesh = solutions.face_mesh.FaceMesh(
                static_image_mode=False, max_num_faces=MAX_FACES, refine_landmarks=True
            )
            # Its threads have started, and said so, once they have seen a picture.
            self._mesh.process(np.zeros((192, 192, 3), np.uint8))

    def faces(
        self, pixels: UInt8[np.ndarray, "height width 3"], time: float
    ) -> Float[np.ndarray, "faces points 3"]:
        """Landmarks as fractions of the picture's width and height, depth in widths."""
        if self._warm:
            found = self._mesh.process(pixels).multi_face_landmarks
        else:
            with _quiet():
                found = self._mesh.process(pixels).multi_face_landmarks
            self._warm = bool(found)
        return _stacked([face.landmark for face in found or ()])

    def close(self) -> None:
        self._mesh.close()


class FaceLandmarker:
    """The task of newer MediaPipe, with a model file of the user's.

    Raises:
        AssetError: the file is not a face landmarker.
    """

    name = "face_landmarker"

    def __init__(self, task: Path) -> None:
        if not task.is_file():
            raise AssetError(f"No such file: {task}. Give MediaPipe's face_landmarker.task.")
        self._image = _mediapipe().Image, _mediapipe().ImageFormat.SRGB
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import (
            FaceLandmarker,
            FaceLandmarkerOptions,
            RunningMode,
        )

        try:
            with _quiet():
                self._task = FaceLandmarker.create_from_options(
                    FaceLandmarkerOptions(
                        base_options=BaseOptions(model_asset_path=str(task)),
                        running_mode=RunningMode.VIDEO,
                        num_faces=MAX_FACES,
                    )
                )
        except (RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise AssetError(
                f"{task.name} is not a face landmarker that MediaPipe "
                f"{version('mediapipe')} reads ({reason})."
            ) from error

    def faces(
        self, pixels: UInt8[np.ndarray, "height width 3"], time: float
    ) -> Float[np.ndarray, "faces points 3"]:
        """Landmarks as fractions of the picture's width and height, depth in widths."""
        image, form = self._image
        with _quiet():
            found = self._task.detect_for_video(
                image(image_format=form, data=pixels), round(time * 1000)
            )
        return _stacked(found.face_landmarks)

    def close(self) -> None:
        self._task.close()


def tracker_version() -> str:
    """What the landmarks of one video depend on besides its bytes.

    Raises:
        MissingExtraError: MediaPipe is not installed.
    """
    try:
        return version("mediapipe")
    except PackageNotFoundError:
        raise MissingExtraError("Tracking faces", "capture") from None


def _stacked(faces: Any) -> Float[np.ndarray, "faces points 3"]:
    if not faces:
        return _NOT_FOUND
    return np.array([[(p.x, p.y, p.z) for p in face] for face in faces], np.float32)


def _mediapipe() -> Any:
    tracker_version()
    with _quiet():
        import mediapipe
    return mediapipe


@contextmanager
def _quiet() -> Iterator[None]:
    """Closes standard error to native code; no setting of MediaPipe's own does."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
