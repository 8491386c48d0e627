"""From what callers give to recordings, motions and heads; and results into files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from kinevox.api._values import PathLike, Progress
from kinevox.errors import ConfigError, KinevoxError
from kinevox.motion import Motion
from kinevox.speech import Speech
from kinevox.timing import stage

if TYPE_CHECKING:
    from kinevox.heads import Head


def listed(out: PathLike | Sequence[PathLike]) -> Sequence[PathLike]:
    return [out] if isinstance(out, str | Path) else out


def source_of(recording: PathLike | Speech) -> Path:
    if isinstance(recording, Speech):
        return recording.path or Path("speech")
    return Path(recording)


def filled(pattern: PathLike | None, source: Path) -> str | None:
    return None if pattern is None else str(pattern).replace("{name}", source.stem)


def speech_of(recording: PathLike | Speech, transcript: str | None, phones: str | None) -> Speech:
    from kinevox.audio.read import read_speech

    text = None if transcript is None else text_of(transcript)
    times = None
    if phones is not None:
        from kinevox.phones import read_phones

        times = read_phones(phones)
    if isinstance(recording, Speech):
        return replace(
            recording,
            transcript=text or recording.transcript,
            phones=times or recording.phones,
        )
    with stage("decode"):
        return read_speech(recording, text, times)


def text_of(transcript: str) -> str:
    """The text itself, or what the file of that name holds."""
    path = Path(transcript)
    if path.suffix != ".txt":
        return transcript
    if not path.is_file():
        raise ConfigError(f"There is no transcript {path}. Give a .txt file or the words.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The transcript {path} cannot be read as UTF-8 text ({error}). "
            "Give a .txt file or the words themselves."
        ) from error


def motion_of(motion: PathLike | Motion) -> tuple[Motion, Path]:
    from kinevox.export import read_motion

    if isinstance(motion, Motion):
        return motion, Path("motion")
    return read_motion(motion), Path(motion)


def head_loader(head: str, motion: Motion | None = None) -> Callable[[], Head]:
    """Loads the head, as far as is known that of the motion, when first needed, and once."""
    from kinevox.heads import load_head

    return cache(lambda: load_head(head, motion))


def fitted(
    motion: Motion, load_source: Callable[[], Head], load_target: Callable[[], Head]
) -> Motion:
    """The motion in the layout of the target head; ARKit weights fit any ARKit head by name."""
    if motion.layout == load_target().layout:
        return motion
    from kinevox.retarget import retarget

    return retarget(motion, load_source(), load_target()).motion


def write_all(
    motion: Motion,
    outputs: Sequence[Path],
    load_head: Callable[[], Head],
    speech: Speech | None,
    tell: Progress,
) -> tuple[tuple[Path, ...], list[tuple[Path, Exception]]]:
    """Writes every output it can; the others come back with their errors."""
    from kinevox.export import Animation, write

    written, failed = [], []
    for path in outputs:
        task = f"Writing {path.name}"
        tell(task, 0, 0)
        animation = Animation(
            motion,
            load_head,
            speech,
            path.name.split(".")[0],
            motion.metadata,
            partial(tell, task),
        )
        try:
            with stage(f"export {path.suffix}"):
                write(animation, path)
            written.append(path)
        except (KinevoxError, OSError) as error:
            failed.append((path, error))
    return tuple(written), failed
