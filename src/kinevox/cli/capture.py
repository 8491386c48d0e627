"""`kinevox capture`: a video of a face to motion."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from rich.table import Table
from rich.text import Text
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
from kinevox.cli.main import FAILED
from kinevox.errors import ConfigError


@dataclass(frozen=True)
class Capture:
    """Turn a video of a face into motion, or a folder of videos into a folder of motions.

    The .npz holds the motion for every other command, and beside it the head's place, the camera,
    and for each frame the confidence and the distance to the landmarks. When several people are
    visible, the command lists them, numbered from the left, then in the order in which they
    appear; choose with --person. Whoever is seen in less than a tenth of the main person's
    pictures is left aside.

    A folder gets one .npz per video and manifest.jsonl, which says what failed and why. After an
    interruption the same command goes on where it stopped.
    """

    video: Annotated[Positional[FILE], arg(metavar="VIDEO|FOLDER")] = None
    """Any video with a face in it, or a folder of them."""
    out: Annotated[OUTPUTS, arg(help_behavior_hint="(default: {name}.npz)")] = ()
    """File to write; the suffix is the format, repeat it for more. For a folder, a folder."""
    preview: FILE = None
    """MP4 to write as well: landmarks and head drawn over the video, beside the head alone."""
    person: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Whom to capture when several people are visible, from 1."""
    head: HEAD = api.DEFAULT_HEAD
    """The head that the motion is for, such as flame:model.pkl."""
    fps: float = 25.0
    """Frames per second of the motion, whatever the video has."""
    field_of_view: Annotated[NUMBER, arg(metavar="DEGREES")] = None
    """Angle that the longer side of the picture spans; without it, a likely one."""
    task: FILE = None
    """A face_landmarker.task for MediaPipe's newer tracker; by default Face Mesh, built in."""
    workers: int = 1
    """Processes that capture a folder side by side."""
    ray: Annotated[TEXT, arg(metavar="ADDRESS")] = None
    """Capture a folder on this Ray cluster, 'auto' for the one of this machine."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        if self.video is None:
            raise ConfigError("No video given. Try: kinevox capture me.mp4 -o me.npz")
        return self._folder(self.video) if self.video.is_dir() else self._file(self.video)

    def _file(self, video: Path) -> int:
        if self.workers != 1 or self.ray is not None:
            raise ConfigError("--workers and --ray are for a folder of videos.")
        outputs = self.out or (f"{video.stem}.npz",)
        with progress_bar() as progress:
            capture = api.capture(
                video,
                outputs,
                person=self.person,
                head=self.head,
                fps=self.fps,
                preview=self.preview,
                field_of_view=self._radians,
                task=self.task,
                progress=progress,
            )
        written = [Path(path.replace("{name}", video.stem)) for path in outputs]
        written += [] if self.preview is None else [self.preview]
        facts = api.capture_facts(capture)
        if self.json:
            print_json({"source": video, "outputs": written, **facts})
        else:
            print(*written, sep="\n")
            messages.print(_told(facts), markup=False)
        return 0

    def _folder(self, folder: Path) -> int:
        if self.preview is not None or self.head != api.DEFAULT_HEAD:
            raise ConfigError("--preview and --head are for one video, not for a folder.")
        if len(self.out) != 1:
            raise ConfigError(f"Give one folder for the captures: kinevox capture {folder} -o DIR")
        with progress_bar() as progress:
            entries = api.capture_folder(
                folder,
                self.out[0],
                person=self.person,
                fps=self.fps,
                field_of_view=self._radians,
                task=self.task,
                workers=self.workers,
                ray=self.ray,
                progress=progress,
            )
        failed = [entry for entry in entries if not entry.capture]
        if self.json:
            print_json([asdict(entry) for entry in entries])
        else:
            for entry in entries:
                if entry.capture:
                    print(Path(self.out[0]) / entry.capture)
        if failed:
            table = Table("video", "error", box=None)
            for entry in failed:
                table.add_row(Text(entry.video), Text(entry.reason))
            messages.print(f"{len(failed)} of {len(entries)} videos failed:")
            messages.print(table)
        return FAILED if failed else 0

    @property
    def _radians(self) -> float | None:
        return None if self.field_of_view is None else math.radians(self.field_of_view)


COMMAND = Capture


def _told(facts: dict[str, float]) -> str:
    return (
        f"{facts['seconds']:.1f} s, face seen in {facts['seen']:.0%}, confidence "
        f"{facts['confidence']:.2f}, landmarks met within {facts['error_pixels']:.1f} pixels "
        f"({facts['error']:.1%} of the face)"
    )
