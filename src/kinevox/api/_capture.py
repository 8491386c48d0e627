"""Videos to motion."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kinevox.api._material import fitted, head_loader, listed, speech_of, write_all
from kinevox.api._values import DEFAULT_HEAD, PathLike, Progress, telling
from kinevox.errors import ConfigError
from kinevox.motion import IDENTITY, Motion
from kinevox.timebase import FPS

if TYPE_CHECKING:
    from kinevox.capture import Capture
    from kinevox.capture.folder import Entry
    from kinevox.heads import Head


def capture(
    video: PathLike,
    out: PathLike | Sequence[PathLike] = (),
    *,
    person: int | None = None,
    head: str = DEFAULT_HEAD,
    fps: float = FPS,
    preview: PathLike | None = None,
    field_of_view: float | None = None,
    task: PathLike | None = None,
    progress: Progress | None = None,
) -> Capture:
    """Captures the motion of one person's face from a video.

    Args:
        out: Files to write; `.npz` holds the whole capture, other formats its motion.
        person: Whom, when several people are visible: from the left, from 1.
        head: The head that the motion is for.
        preview: MP4 to write: the video with the fit drawn over it, beside the head alone.
        field_of_view: Angle that the longer side of the picture spans [rad]; a likely one by
            default.
        task: Model file for MediaPipe's newer tracker; Face Mesh by default.

    Raises:
        VideoError: the video cannot be used, or shows no face.
        ConfigError: several people are visible and none was chosen, or the call is wrong.
        MissingExtraError: the extra `capture` is not installed.
    """
    from kinevox.capture._capture import capture_video, mediapipe_tracker
    from kinevox.capture.capture_file import write_capture
    from kinevox.capture.video import video_facts
    from kinevox.naming import plan_outputs

    tell = telling(progress)
    facts = video_facts(video)
    ((outputs,),) = plan_outputs([Path(video)], listed(out))
    if preview is not None and Path(preview).suffix.lower() != ".mp4":
        raise ConfigError(f"The preview {Path(preview).name} is not an MP4.")
    load_head, load_default = head_loader(head), head_loader(DEFAULT_HEAD)
    if head != DEFAULT_HEAD:
        load_head()
    found, landmarks = capture_video(
        video,
        person=person,
        fps=fps,
        field_of_view=field_of_view,
        tracker=mediapipe_tracker(task),
        progress=tell,
    )
    if preview is not None:
        from kinevox.capture.preview import render_preview

        render_preview(
            Path(video), landmarks, found, Path(preview), partial(tell, "Drawing the preview")
        )
    if head != DEFAULT_HEAD:
        found, load_head = _on_head(found, head, load_default, load_head)
    whole = [path for path in outputs if is_clip_file(path)]
    for path in whole:
        write_capture(found, path)
    rest = [path for path in outputs if path not in whole]
    speech = speech_of(video, None, None) if rest and facts.sound else None
    _, failed = write_all(found.motion, rest, load_head, speech, tell)
    for _, error in failed:
        raise error
    return found


def capture_folder(
    folder: PathLike,
    out: PathLike,
    *,
    person: int | None = None,
    fps: float = FPS,
    field_of_view: float | None = None,
    task: PathLike | None = None,
    workers: int = 1,
    ray: str | None = None,
    progress: Progress | None = None,
) -> list[Entry]:
    """Captures every video in a folder; after an interruption the same call goes on.

    Arguments as for `capture`.

    Args:
        workers: Processes side by side. A script that asks for several needs the usual
            `if __name__ == "__main__":`.
        ray: Address of a Ray cluster to work on instead.

    Returns:
        What became of each video; failures say why.

    Raises:
        ConfigError: there is no video in the folder, or the call is wrong.
    """
    from kinevox.capture.folder import FolderOptions
    from kinevox.capture.folder import capture_folder as capture_all

    options = FolderOptions(person, fps, field_of_view, None if task is None else str(task))
    tell = telling(progress)
    return capture_all(folder, out, options, workers=workers, ray=ray, progress=tell)


def capture_facts(capture: Capture) -> dict[str, float]:
    """How good a capture is: length, part of the frames with a face, confidence, error."""
    from kinevox.capture.folder import capture_facts as facts

    return facts(capture)


def is_clip_file(path: Path) -> bool:
    from kinevox.export import exporter_for

    return exporter_for(path)[0] == "motion-npz"


def _on_head(
    found: Capture, head: str, load_default: Callable[[], Head], load_head: Callable[[], Head]
) -> tuple[Capture, Callable[[], Head]]:
    """The capture with motion of another head; FLAME is given the person's shape first."""
    from kinevox.heads.flame import FlameHead

    target = load_head()
    if not isinstance(target, FlameHead):
        return replace(found, motion=fitted(found.motion, load_default, load_head)), load_head
    from kinevox.capture.flame_shape import flame_shape

    shape = flame_shape(found, load_default(), target)
    metadata = {**found.motion.metadata, IDENTITY: json.dumps(shape.round(5).tolist())}
    rest = Motion(target.layout.neutral[None], layout=target.layout, metadata=metadata)
    load_person = head_loader(head, rest)
    motion = fitted(found.motion, load_default, load_person)
    metadata = {**motion.metadata, **metadata}
    return replace(found, motion=motion.replace(metadata=metadata)), load_person
