"""Recordings to motion, the main job."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np

from kinevox.api._edits import edits_of, seeds_of
from kinevox.api._material import (
    filled,
    fitted,
    head_loader,
    listed,
    source_of,
    speech_of,
    write_all,
)
from kinevox.api._mixing import mixed_style, style_name
from kinevox.api._options import AnimateOptions, sampled, with_options
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
from kinevox.methods import Method, Performance, SampledMethod
from kinevox.motion import Motion
from kinevox.seeds import seed_for
from kinevox.speech import Speech
from kinevox.strengths import strengthened

_log = logging.getLogger(__name__)

SILENT = 1e-3
"""No sound is louder than this where nobody speaks; full scale is 1."""


@with_options(AnimateOptions)
def animate(audio: PathLike | Speech, options: AnimateOptions) -> list[Motion]:
    """Performs one recording.

    Args:
        audio: Anything with sound in it, or a `Speech`.
        options: The fields of `AnimateOptions` as keywords, such as `style="calm", takes=3`.

    Returns:
        One motion per take.

    Raises:
        KinevoxError: the first thing that went wrong, after every other file was written.
    """
    batch = _performed([audio], options)
    for failure in batch.failures:
        raise failure.error
    return [take.motion for take in batch.takes]


@with_options(AnimateOptions)
def animate_all(recordings: Sequence[PathLike | Speech], options: AnimateOptions) -> Batch:
    """Performs many recordings; what fails is reported, the others are finished.

    Args:
        options: The fields of `AnimateOptions` as keywords.

    Raises:
        ConfigError, UnknownNameError: the call itself is wrong; nothing was started.
    """
    return _performed(recordings, options)


def _performed(recordings: Sequence[PathLike | Speech], options: AnimateOptions) -> Batch:
    from kinevox.methods import load_method
    from kinevox.naming import plan_outputs

    sources = [source_of(recording) for recording in recordings]
    shared = (
        (options.transcript, "transcript"),
        (options.phones, "phones file"),
        (options.take, "take"),
    )
    for pattern, what in shared:
        if pattern is not None and len(sources) > 1 and "{name}" not in str(pattern):
            raise ConfigError(
                f"{len(sources)} recordings cannot share one {what}. Give a pattern such as "
                "'lines/{name}.txt'."
            )
    plan = plan_outputs(sources, listed(options.out), options.takes)
    performer = sampled(load_method(options.method), options)
    style = mixed_style(performer, options.style, options.progress)
    _tell_unused_words(performer, options)
    load_head, load_default = head_loader(options.head), head_loader(DEFAULT_HEAD)
    if options.head != DEFAULT_HEAD:
        load_head()

    done: list[Take] = []
    failures: list[Failure] = []
    for position, (recording, source) in enumerate(zip(recordings, sources, strict=True)):
        tell = telling(options.progress, position, len(sources))
        provenance = {
            **TOOL,
            "method": performer.name,
            "style": style_name(performer, options.style),
            "source": source.name,
            **options.told,
        }
        try:
            tell(f"Reading {source.name}", 0, 0)
            speech = speech_of(
                recording, filled(options.transcript, source), filled(options.phones, source)
            )
            if speech.transcript or speech.phones:
                provenance["words"] = "phones" if speech.phones else "transcript"
            if np.abs(speech.samples).max() < SILENT:
                _log.warning("%s is silent; nobody speaks in it.", source.name)
            edits = edits_of(options, source, speech, performer.output_layout)
            seeds = seeds_of(options, edits)
            wanted = [
                Performance(speech, style, seed_for(source.stem, seed), edits.known)
                for seed in seeds
            ]
            motions = _motions(performer, wanted, options.fps, f"Animating {source.name}", tell)
            for number, (motion, outputs) in enumerate(
                zip(motions, plan[position], strict=True), start=1
            ):
                motion = strengthened(motion, options.strengths)
                if edits.known is not None:
                    motion = edits.known.steady_eyes(edits.known.hold(motion), motion)
                if options.head != DEFAULT_HEAD:
                    motion = fitted(motion, load_default, load_head)
                take_seed = seeds[number - 1]
                notes = {**motion.metadata, **provenance, **edits.notes, "seed": str(take_seed)}
                motion = motion.replace(metadata=notes)
                written, failed = write_all(motion, outputs, load_head, speech, tell)
                done.append(Take(source, number, take_seed, motion, written))
                failures += [Failure(source, error, output) for output, error in failed]
        except (KinevoxError, OSError) as error:
            failures.append(Failure(source, error))
    return Batch(tuple(done), tuple(failures))


def _motions(
    performer: Method, wanted: Sequence[Performance], fps: float, task: str, tell: Progress
) -> Iterator[Motion]:
    """The takes of a recording: together where the method can, else one when it is asked for."""
    if isinstance(performer, SampledMethod):
        tell(task + f", {len(wanted)} takes" * (len(wanted) > 1), 0, 0)
        yield from performer.generate_all(wanted, fps=fps)
        return
    for number, one in enumerate(wanted, start=1):
        tell(task + f", take {number}" * (len(wanted) > 1), 0, 0)
        yield performer.generate(one.speech, one.style, seed=one.seed, fps=fps)


def _tell_unused_words(performer: Method, options: AnimateOptions) -> None:
    given = [name for name in ("transcript", "phones") if getattr(options, name) is not None]
    if given and not getattr(performer, "takes_words", False):
        _log.warning(
            "Method '%s' goes by the sound alone and makes no use of --%s; --method articulate "
            "does.",
            performer.name,
            " and --".join(given),
        )


def cite(method: str = DEFAULT_METHOD) -> Sequence[str]:
    """BibTeX entries of what a run with this method uses.

    Raises:
        UnknownNameError: no such method.
    """
    from kinevox.methods import METHODS

    return METHODS.get(method).references
