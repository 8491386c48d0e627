"""Motion to other formats and to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kinevox.api._material import head_loader, listed, motion_of, speech_of, write_all
from kinevox.api._values import DEFAULT_HEAD, TOOL, PathLike, Progress, telling
from kinevox.errors import ConfigError
from kinevox.motion import Motion


def convert(
    motion: PathLike | Motion,
    out: PathLike | Sequence[PathLike],
    *,
    head: str = DEFAULT_HEAD,
    source_head: str | None = None,
    source_fps: float | None = None,
    fps: float | None = None,
    audio: PathLike | None = None,
    progress: Progress | None = None,
) -> Motion:
    """Rewrites motion in other formats, at another frame rate or for another head.

    Args:
        out: Files to write; `{name}` is the motion's own name.
        head: The head that is written, where the format carries one.
        source_head: The head the motion was made for; when given, the motion is retargeted from
            it to `head`, and the error that remains is noted in its metadata (`retargeted`).
        source_fps: Frame rate of the motion, for files that state none, or a wrong one.
        fps: Frame rate to resample to; None keeps it.
        audio: The recording it belongs to, for formats that carry sound.

    Raises:
        KinevoxError: the motion cannot be read, retargeted or written.
    """
    from kinevox.naming import plan_outputs

    tell = telling(progress)
    clip, source = motion_of(motion)
    ((outputs,),) = plan_outputs([source], listed(out))
    load_head = head_loader(head)
    if head != DEFAULT_HEAD:
        load_head()
    if source_fps is not None:
        clip = clip.replace(fps=source_fps)
    if source_head is not None:
        from kinevox.retarget import retarget

        tell(f"Retargeting {source.name}", 0, 0)
        clip = retarget(clip, head_loader(source_head, clip)(), load_head()).motion
    if fps is not None:
        clip = clip.resample(fps)
    clip = clip.replace(metadata={**clip.metadata, **TOOL})
    speech = None if audio is None else speech_of(audio, None, None)
    _, failed = write_all(clip, outputs, load_head, speech, tell)
    for _, error in failed:
        raise error
    return clip


def render(
    motion: PathLike | Motion | Sequence[PathLike | Motion],
    out: PathLike,
    *,
    audio: PathLike | None = None,
    head: str = DEFAULT_HEAD,
    labels: Sequence[str] | None = None,
    fps: float | None = None,
    size: int | tuple[int, int] = 512,
    turntable: bool = False,
    curves: bool = False,
    progress: Progress | None = None,
) -> None:
    """Draws a motion as an MP4, or several side by side.

    Args:
        audio: The recording it belongs to; without it the video is silent.
        labels: Written under the faces of a comparison; the files' names by default.
        fps: Frame rate of the video; the motion's own by default.
        size: Width and height of one face [pixels], or one number for both.
        turntable: Turn the head round as it speaks.
        curves: Add a strip with the main curves and the sound below the face.

    Raises:
        KinevoxError: a motion cannot be read or drawn.
    """
    from kinevox.export import Animation
    from kinevox.rendering.video import render_comparison, render_video

    path = Path(out)
    if path.suffix.lower() != ".mp4":
        raise ConfigError(f"{path.name} is not an MP4. Other formats: kinevox convert.")
    tell = telling(progress)
    motions = [motion] if isinstance(motion, str | Path | Motion) else motion
    clips = [motion_of(one) for one in motions]
    speech = None if audio is None else speech_of(audio, None, None)
    load_head = head_loader(head, clips[0][0])
    animations = [
        Animation(clip, load_head, speech, source.stem, {**clip.metadata, **TOOL})
        for clip, source in clips
    ]
    options = {
        "fps": fps,
        "size": (size, size) if isinstance(size, int) else size,
        "turntable": turntable,
        "curves": curves,
        "progress": partial(tell, f"Rendering {path.name}"),
    }
    tell(f"Preparing head {head}", 0, 0)
    if len(animations) == 1:
        render_video(animations[0], path, **options)
    else:
        names = labels or [source.stem for _, source in clips]
        render_comparison(animations, names, path, **options)
