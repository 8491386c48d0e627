"""Recordings to motion, the main job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kinevox.api._material import (
    filled,
    fitted,
    head_loader,
    listed,
    source_of,
    speech_of,
    write_all,
)
from kinevox.api._styles import style_of
from kinevox.api._values import (
    DEFAULT_HEAD,
    DEFAULT_METHOD,
    TOOL,
    Batch,
    Failure,
    PathLike,
    Progress,
    Take,
    telling,
)
from kinevox.errors import ConfigError, KinevoxError
from kinevox.motion import Motion
from kinevox.speech import Speech
from kinevox.timebase import FPS, exact_fps


def animate(
    audio: PathLike | Speech,
    *,
    out: PathLike | Sequence[PathLike] = (),
    method: str = DEFAULT_METHOD,
    style: PathLike | None = None,
    head: str = DEFAULT_HEAD,
    fps: float = FPS,
    seed: int = 0,
    takes: int = 1,
    transcript: PathLike | None = None,
    phones: PathLike | None = None,
    progress: Progress | None = None,
) -> list[Motion]:
    """Performs one recording.

    Args:
        audio: Anything with sound in it, or a `Speech`.
        out: Files to write; the suffix chooses the format (`naming.plan_outputs`).
        style: A name from `styles(method)`, a style file, or a clip whose style is taken
            (`extract_style`); None is the neutral style.
        head: `anny`, `anny:age=0.9`, or a file such as `avatar.glb` (`heads.load_head`).
        seed: Take k is performed with seed + k - 1; the same seed gives the same motion.
        takes: How many different performances.
        transcript: What is said, or a text file that holds it.
        phones: TextGrid, CTM or JSON file with phone times.

    Returns:
        One motion per take.

    Raises:
        KinevoxError: the first thing that went wrong, after every other file was written.
    """
    batch = animate_all(
        [audio],
        out=out,
        method=method,
        style=style,
        head=head,
        fps=fps,
        seed=seed,
        takes=takes,
        transcript=transcript,
        phones=phones,
        progress=progress,
    )
    for failure in batch.failures:
        raise failure.error
    return [take.motion for take in batch.takes]


def animate_all(
    recordings: Sequence[PathLike | Speech],
    *,
    out: PathLike | Sequence[PathLike] = (),
    method: str = DEFAULT_METHOD,
    style: PathLike | None = None,
    head: str = DEFAULT_HEAD,
    fps: float = FPS,
    seed: int = 0,
    takes: int = 1,
    transcript: PathLike | None = None,
    phones: PathLike | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Performs many recordings; what fails is reported, the others are finished.

    Arguments as for `animate`. For several recordings, `transcript` and `phones` are patterns
    such as `lines/{name}.txt`.

    Raises:
        ConfigError, UnknownNameError: the call itself is wrong; nothing was started.
    """
    from kinevox.methods import load_method
    from kinevox.naming import plan_outputs

    exact_fps(fps)
    if takes < 1:
        raise ConfigError(f"takes is {takes}; at least one take is needed.")
    sources = [source_of(recording) for recording in recordings]
    for pattern, what in ((transcript, "transcript"), (phones, "phones file")):
        if pattern is not None and len(sources) > 1 and "{name}" not in str(pattern):
            raise ConfigError(
                f"{len(sources)} recordings cannot share one {what}. Give a pattern such as "
                "'lines/{name}.txt'."
            )
    plan = plan_outputs(sources, listed(out), takes)
    performer = load_method(method)
    chosen_style = style_of(performer, style, progress)
    load_head, load_default = head_loader(head), head_loader(DEFAULT_HEAD)
    if head != DEFAULT_HEAD:
        load_head()

    done: list[Take] = []
    failures: list[Failure] = []
    for position, (recording, source) in enumerate(zip(recordings, sources, strict=True)):
        tell = telling(progress, position, len(sources))
        provenance = {
            **TOOL,
            "method": performer.name,
            "style": "neutral" if style is None else Path(style).name,
            "source": source.name,
        }
        try:
            tell(f"Reading {source.name}", 0, 0)
            speech = speech_of(recording, filled(transcript, source), filled(phones, source))
            for number, outputs in enumerate(plan[position], start=1):
                tell(f"Animating {source.name}" + f", take {number}" * (takes > 1), 0, 0)
                take_seed = seed + number - 1
                motion = performer.generate(speech, chosen_style, seed=take_seed, fps=fps)
                if head != DEFAULT_HEAD:
                    motion = fitted(motion, load_default, load_head)
                notes = {**motion.metadata, **provenance, "seed": str(take_seed)}
                motion = motion.replace(metadata=notes)
                written, failed = write_all(motion, outputs, load_head, speech, tell)
                done.append(Take(source, number, take_seed, motion, written))
                failures += [Failure(source, error, output) for output, error in failed]
        except (KinevoxError, OSError) as error:
            failures.append(Failure(source, error))
    return Batch(tuple(done), tuple(failures))


def cite(method: str = DEFAULT_METHOD) -> Sequence[str]:
    """BibTeX entries of what a run with this method uses.

    Raises:
        UnknownNameError: no such method.
    """
    from kinevox.methods import METHODS

    return METHODS.get(method).references
