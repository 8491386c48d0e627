"""`kinevox convert`: motion between formats, frame rates and heads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import FILE, NUMBER, OUTPUTS, TEXT, print_json, progress_bar
from kinevox.errors import ConfigError


def convert(
    motion: Annotated[Positional[Path], arg(metavar="MOTION")],
    /,
    out: OUTPUTS = (),
    head: str = api.DEFAULT_HEAD,
    source_head: TEXT = None,
    fps: NUMBER = None,
    audio: FILE = None,
    json: bool = False,
) -> int:
    """Rewrite motion in another format, at another frame rate or for another head.

    Args:
        motion: A motion file of any readable format.
        out: File to write; its suffix is the format. Give -o again for more.
        head: The head that is written, where the format carries one.
        source_head: The head the motion was made for; when given, the motion is retargeted to
            the other one.
        fps: Frames per second; unchanged by default.
        audio: The recording it belongs to, for formats that carry sound.
        json: Print the result as JSON.
    """
    if not out:
        raise ConfigError(f"No output given. Try: kinevox convert {motion} -o {motion.stem}.glb")
    with progress_bar() as progress:
        clip = api.convert(
            motion,
            out,
            head=head,
            source_head=source_head,
            fps=fps,
            audio=audio,
            progress=progress,
        )
    if json:
        print_json(
            {"layout": clip.layout.name, "fps": clip.fps, "frames": clip.num_frames, "outputs": out}
        )
    else:
        print(*out, sep="\n")
    return 0


COMMAND = convert
