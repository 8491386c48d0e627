"""`kinevox render`: motion to video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from kinevox import api
from kinevox.cli._console import FILE, FILES, HEAD, NUMBER, progress_bar
from kinevox.errors import ConfigError


@dataclass(frozen=True)
class Render:
    """Draw a motion as MP4; several motions are drawn side by side."""

    motion: Annotated[Positional[FILES], arg(metavar="MOTION...")]
    """Motion files of any readable format."""
    out: Annotated[FILE, arg(aliases=("-o",))] = None
    """MP4 to write; the first motion's name with .mp4 by default."""
    audio: FILE = None
    """The recording it belongs to; without it the video is silent."""
    head: HEAD = api.DEFAULT_HEAD
    """Examples are anny, anny:age=0.9,gender=0 and avatar.glb."""
    label: Annotated[
        UseAppendAction[tuple[str, ...]], arg(metavar="TEXT", help_behavior_hint="")
    ] = ()
    """Written under a face of a comparison; give it once per motion. File names by default."""
    fps: NUMBER = None
    """Frames per second; the motion's own by default."""
    size: Annotated[str, arg(metavar="PIXELS")] = "512"
    """One face, such as 512 or 640x720."""
    turntable: bool = False
    """Turn the head round as it speaks."""
    curves: bool = False
    """Add a strip with the main curves and the sound."""

    def run(self) -> int:
        if not self.motion:
            raise ConfigError("No motion given. Try: kinevox render face.csv --audio speech.wav")
        target = self.out or Path(f"{self.motion[0].stem}.mp4")
        with progress_bar() as progress:
            api.render(
                self.motion,
                target,
                audio=self.audio,
                head=self.head,
                labels=self.label or None,
                fps=self.fps,
                size=_pixels(self.size),
                turntable=self.turntable,
                curves=self.curves,
                progress=progress,
            )
        print(target)
        return 0


COMMAND = Render


def _pixels(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        return int(width), int(height or width)
    except ValueError:
        raise ConfigError(
            f"Size '{text}' is not understood; write 512 or 640x720 [pixels]."
        ) from None
