"""How fast is `kinevox capture`? The whole command, from start to file.

    python benchmarks/capture_speed.py              (twelve joined clips of a GRID talker, 36 s)
    python benchmarks/capture_speed.py VIDEO...

Nothing is kept from earlier runs but the head. The second time is that of the same command again,
when only the fit is left to do.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
from _shared import machine, shared_folder

from kinevox.cache import cache_dir
from kinevox.heads import HEADS

JOINED, FPS = 12, 25


def joined(clips: list[Path], path: Path) -> Path:
    """The pictures of clips of one size, one after the other."""
    with av.open(str(path), "w") as file:
        stream, count = None, 0
        for clip in clips:
            with av.open(str(clip)) as source:
                for frame in source.decode(video=0):
                    if stream is None:
                        stream = file.add_stream("libx264", rate=FPS, options={"crf": "12"})
                        stream.width, stream.height = frame.width, frame.height
                        stream.pix_fmt = "yuv420p"
                    frame.pts, frame.time_base = count, Fraction(1, FPS)
                    count += 1
                    file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def seconds_of(video: Path) -> float:
    with av.open(str(video)) as source:
        return source.duration / av.time_base


def timed(video: Path, folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of all cores together."""
    command = [sys.executable, "-m", "kinevox.cli.main", "capture", str(video)]
    environment = {**os.environ, "KINEVOX_CACHE": str(folder / "cache")}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [*command, "-o", str(folder / "out.npz")], env=environment, check=True, capture_output=True
    )
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ended - begun, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("videos", nargs="*", type=Path)
    videos = parser.parse_args().videos
    HEADS.get("anny")()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cache").mkdir()
        (folder / "cache" / "heads").symlink_to(cache_dir("heads").resolve())
        if not videos:
            clips = sorted((shared_folder("video") / "grid_s31").glob("*.mpg"))
            videos = [joined((2 * clips)[:JOINED], folder / "joined.mp4")]
        for video in videos:
            length = seconds_of(video)
            for what in ("first", "again"):
                clock, used = timed(video, folder)
                print(
                    f"{video.name}  {length:.1f} s  {what}: {clock:.1f} s, {length / clock:.1f} "
                    f"times real time; {used:.1f} s of processor time"
                )


if __name__ == "__main__":
    main()
