"""`kinevox convert`: motion between formats, frame rates and heads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import (
    FILE,
    HEAD,
    NUMBER,
    OUTPUTS,
    TEXT,
    messages,
    print_json,
    progress_bar,
)
from kinevox.errors import ConfigError
from kinevox.retarget import RETARGETED


@dataclass(frozen=True)
class Convert:
    """Rewrite motion in another format, at another frame rate or for another head."""

    motion: Annotated[Positional[Path], arg(metavar="MOTION")]
    """A motion file of any readable format."""
    out: OUTPUTS = ()
    """File to write; its suffix is the format. Give -o again for more."""
    head: HEAD = api.DEFAULT_HEAD
    """The head that is written, where the format carries one."""
    source_head: Annotated[TEXT, arg(metavar="HEAD")] = None
    """The head the motion was made for; when given, the motion is retargeted to the other one."""
    source_fps: NUMBER = None
    """Frames per second of the motion, for files that do not state it."""
    fps: NUMBER = None
    """Frames per second; unchanged by default."""
    audio: FILE = None
    """The recording it belongs to, for formats that carry sound."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        if not self.out:
            name = self.motion.stem
            raise ConfigError(f"No output given. Try: kinevox convert {self.motion} -o {name}.usda")
        with progress_bar() as progress:
            clip = api.convert(
                self.motion,
                self.out,
                head=self.head,
                source_head=self.source_head,
                source_fps=self.source_fps,
                fps=self.fps,
                audio=self.audio,
                progress=progress,
            )
        if self.json:
            result = {"layout": clip.layout.name, "fps": clip.fps, "frames": clip.num_frames}
            if RETARGETED in clip.metadata:
                result[RETARGETED] = clip.metadata[RETARGETED]
            print_json({**result, "outputs": self.out})
        else:
            if RETARGETED in clip.metadata:
                messages.print(
                    f"Retargeted from {clip.metadata[RETARGETED]}", markup=False, soft_wrap=True
                )
            print(*self.out, sep="\n")
        return 0


COMMAND = Convert
