"""Video: the default head talking, H.264 and AAC. More options: kinevox.rendering.video."""

from __future__ import annotations

from pathlib import Path

from kinevox.export._base import Animation, Exporter


def write(animation: Animation, path: Path) -> None:
    from kinevox.rendering.video import render_video

    render_video(animation, path, progress=animation.progress)


EXPORTER = Exporter((".mp4",), "MP4 video of the talking head, with sound", write=write)
