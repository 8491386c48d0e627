"""Faces of all contestants at the same instants, as strips of pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kinevox.heads import Head
from kinevox.motion import Motion
from kinevox.phones import Phones

SIZE = (150, 190)
"""Width and height of one face [pixels]; twice as many are drawn."""
_DRAWN = (488, 488)
"""Size of the picture that a face is cut out of [pixels]; heads leave room to turn."""
MOMENTS = (
    ("lips closed", ("P", "B", "M")),
    ("open", ("AA", "AE", "AY", "AO", "AH")),
    ("round", ("UW", "OW", "W", "UH", "OY")),
    ("spread", ("IY", "IH", "EY", "EH")),
    ("lip to teeth", ("F", "V")),
    ("narrow", ("S", "SH", "CH", "Z", "JH")),
)
"""Sounds that look different, and how they look."""


@dataclass(frozen=True)
class Moment:
    """A frame worth looking at."""

    frame: int
    label: str


def choose_moments(motion: Motion, phones: Phones | None) -> list[Moment]:
    """One frame of each kind of sound that occurs: the middle of its longest phone."""
    found = []
    for look, labels in MOMENTS if phones is not None and len(phones) else ():
        assert phones is not None
        lengths = np.where(np.isin(phones.labels, labels), phones.ends - phones.starts, 0.0)
        longest = int(lengths.argmax())
        if lengths[longest] > 0:
            middle = (phones.starts[longest] + phones.ends[longest]) / 2
            frame = min(round(middle * motion.fps), motion.num_frames - 1)
            found.append(Moment(frame, f"{middle:.2f} s, {phones.labels[longest]}: {look}"))
    if len(found) < 3:
        frames = np.linspace(0, motion.num_frames - 1, 8)[1:-1].astype(int).tolist()
        found = [Moment(frame, f"{frame / motion.fps:.2f} s") for frame in frames]
    return sorted(found, key=lambda moment: moment.frame)


class Camera:
    """Draws a head; scenes are set up once.

    Raises:
        RenderError: the machine has no usable OpenGL.
        MissingExtraError: VTK is not installed.
    """

    def __init__(self, head: Head):
        from kinevox.rendering.scene import Scene

        self._head, self._scene = head, Scene(head, _DRAWN)

    def strips(self, motions: Mapping[str, Motion], moments: list[Moment]) -> dict[str, str]:
        """A data address of a JPEG for each motion, its moments side by side."""
        return {name: self._strip(motion, moments) for name, motion in motions.items()}

    def close(self) -> None:
        """Gives the graphics memory back."""
        self._scene.close()

    def _strip(self, motion: Motion, moments: list[Moment]) -> str:
        from PIL import Image

        frames = [moment.frame for moment in moments]
        shown = motion.replace(values=motion.values[frames])
        poses = self._head.vertices(shown, head_pose=False)
        turns = shown.group("head")
        left, top = ((drawn - 2 * size) // 2 for drawn, size in zip(_DRAWN, SIZE, strict=True))
        cut = slice(top, top + 2 * SIZE[1]), slice(left, left + 2 * SIZE[0])
        drawn = [self._scene.draw(p, t)[cut] for p, t in zip(poses, turns, strict=True)]
        buffer = io.BytesIO()
        picture = Image.fromarray(np.concatenate(drawn, axis=1)).reduce(2)
        picture.save(buffer, "JPEG", quality=88)
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
