"""How fast does a talking head become a video, and does memory stay level?

Renders an ARKit motion that never rests on a head, silent, and prints frames per second, where
the time of a frame goes, and how much the process grew from the first tenth of the video on.
Stages are timed alone; drawing and encoding overlap in the whole.

    python benchmarks/render_speed.py [--frames 500] [--size 512] [--head anny] [--curves]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from _shared import machine

from kinevox.export import Animation
from kinevox.heads import HEADS
from kinevox.motion import ARKIT, Motion
from kinevox.rendering.encode import Mp4Writer
from kinevox.rendering.scene import Scene
from kinevox.rendering.video import render_video


def restless_motion(frames: int) -> Motion:
    times = np.arange(frames)[:, None] / 25
    speeds = np.random.default_rng(0).uniform(0.5, 4.0, ARKIT.num_channels)
    waves = np.sin(2 * np.pi * speeds * times)
    return Motion(np.where(np.arange(ARKIT.num_channels) < 52, 0.15 + 0.15 * waves, 0.1 * waves))


def milliseconds(work: Callable[[], object], repeats: int = 40) -> float:
    work()
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - start) / repeats * 1000


def megabytes() -> float:
    """What the process holds now, where the system tells; else the most it ever held."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--head", default="anny")
    parser.add_argument("--curves", action="store_true")
    options = parser.parse_args()
    size = (options.size, options.size)
    head, motion = HEADS.get(options.head)(), restless_motion(options.frames)
    print(machine())

    start = time.perf_counter()
    with Scene(head, size) as scene:
        pose = head.vertices(motion, head_pose=False)[0]
        picture = scene.draw(pose)
        print(f"set up a scene                {time.perf_counter() - start:6.2f} s")
        few = motion.replace(values=motion.values[:32])
        posing = milliseconds(lambda: head.vertices(few, head_pose=False), 10) / 32
        drawing = milliseconds(lambda: scene.draw(pose, motion.values[0, 52:]))
    with tempfile.TemporaryDirectory() as folder:
        noise = np.random.default_rng(0).integers(0, 2, picture.shape, dtype=np.uint8)
        with Mp4Writer(Path(folder) / "a.mp4", size, Fraction(25), 100) as writer:
            start = time.perf_counter()
            for k in range(100):
                writer.add(np.roll(picture, k % 3, axis=1) + noise)
        encoding = (time.perf_counter() - start) * 10
        for stage, each in (("pose", posing), ("draw", drawing), ("encode", encoding)):
            print(f"{stage:<8} one frame            {each:6.1f} ms")

        grown: list[float] = []

        def note(done: int, total: int) -> None:
            if done in (total // 10, total):
                grown.append(megabytes())

        animation = Animation(motion, lambda: head)
        start, busy = time.perf_counter(), time.process_time()
        render_video(
            animation, Path(folder) / "b.mp4", size=size, curves=options.curves, progress=note
        )
        seconds = time.perf_counter() - start
        busy = time.process_time() - busy
    rate = options.frames / seconds
    print(f"{options.frames} frames, {size[0]} x {size[1]}, whole  {rate:6.1f} frames/s")
    print(f"processor time, one frame     {busy / options.frames * 1000:6.1f} ms, all cores")
    print(
        f"memory at the end             {grown[-1]:6.0f} MB, {grown[-1] - grown[0]:+.0f} MB "
        "since a tenth of the way"
    )


if __name__ == "__main__":
    main()
