"""`kinevox render`: motion to video."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from kinevox import api
from kinevox.cli._console import FILE, NUMBER, progress_bar
from kinevox.errors import ConfigError


def render(
    motion: Annotated[
        Positional[tuple[Path, ...]], arg(metavar="MOTION...", help_behavior_hint="")
    ],
    /,
    out: Annotated[Path | None, arg(aliases=("-o",), metavar="FILE", help_behavior_hint="")] = None,
    audio: FILE = None,
    head: str = api.DEFAULT_HEAD,
    label: Annotated[
        UseAppendAction[tuple[str, ...]], arg(metavar="TEXT", help_behavior_hint="")
    ] = (),
    fps: NUMBER = None,
    size: Annotated[str, arg(metavar="PIXELS")] = "512",
    turntable: bool = False,
    curves: bool = False,
) -> int:
    """Draw a motion as MP4; several motions are drawn side by side.

    Args:
        motion: Motion files of any readable format.
        out: MP4 to write; the first motion's name with .mp4 by default.
        audio: The recording it belongs to; without it the video is silent.
        head: anny, anny:age=0.9,gender=0, or a model file such as avatar.glb.
        label: Written under a face of a comparison; give it once per motion. File names by default.
        fps: Frames per second; the motion's own by default.
        size: One face in pixels, 512 or 640x720.
        turntable: Turn the head round as it speaks.
        curves: Add a strip with the main curves and the sound.
    """
    if not motion:
        raise ConfigError("No motion given. Try: kinevox render face.csv --audio speech.wav")
    target = out or Path(f"{motion[0].stem}.mp4")
    with progress_bar() as progress:
        api.render(
            motion,
            target,
            audio=audio,
            head=head,
            labels=label or None,
            fps=fps,
            size=_pixels(size),
            turntable=turntable,
            curves=curves,
            progress=progress,
        )
    print(target)
    return 0


def _pixels(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        return int(width), int(height or width)
    except ValueError:
        raise ConfigError(
            f"Size '{text}' is not understood; write 512 or 640x720 [pixels]."
        ) from None


COMMAND = render
