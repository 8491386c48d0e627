"""Who takes part: methods by name, and controls that make their numbers mean something.

    articulate             a method, in the style of the clip's performer where it can be had:
                           known to the corpus or to the method, or read from other clips
    articulate:lively      ... in a style by name or file
    regressor:RUN          ... with the weights of a run
    diffposetalk:RUN@steps=4,style=clip.npz    ... sampled in another way, in one style
    ground-truth           the motion of the clip itself
    teacher                another take of the rules that made the corpus: same style, same phones
    mean-pose              the average pose of the training split, held still
    shuffled-audio:NAME    NAME hears a clip of somebody else; articulate when none is named

A contestant is given the recording and nothing else. `NAME+transcript` is told the words too,
`NAME+phones` what the corpus knows of phone times.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from kinevox.data import Corpus, Record
from kinevox.data.normalize import motion_statistics
from kinevox.errors import ConfigError, MotionError, UnknownNameError
from kinevox.evaluation.plan import GROUND_TRUTH
from kinevox.evaluation.references import nearest_performer, read_style
from kinevox.methods import METHODS, LearnedMethod, Method, StyleReader, load_method
from kinevox.methods._options import sampling_options, split_options, with_options
from kinevox.motion import Motion
from kinevox.speech import Speech
from kinevox.training.run import data_facts, run_folder

KINDS = {"reference": "References", "method": "Methods", "control": "Controls"}
EXTRAS = {
    "": "hears the recording only",
    "transcript": "hears the recording and is told the words",
    "phones": "hears the recording and is told the phone times",
}
"""What a contestant may be given."""
NEAREST = "nearest"
"""As a style: that of the performer known to the method who is most like the clip's."""


@dataclass(frozen=True, eq=False)
class Contestant:
    """Someone who performs clips."""

    name: str
    kind: Literal["reference", "method", "control"]
    told: str
    """What it is and what it is given, in one line."""
    perform: Callable[[Record, int], Motion]
    """A take of a clip under a seed. What it looks at is up to it, so it is told above."""
    method: str = ""
    """The method behind it; none where no method is involved."""
    identity: str = ""
    """Text that changes with whatever decides the takes beside code, clip and seed."""
    random: bool = True
    """Whether seeds differ."""
    other_voice: bool = False
    """Hears the recording of another clip."""
    true_style: bool = False
    """Performs with the style factors of the clip's performer, which nobody could know."""


def load_contestant(text: str, corpus: Corpus) -> Contestant:
    """A contestant by name.

    Args:
        corpus: All splits.

    Raises:
        UnknownNameError: no such method or control.
        KinevoxError: it cannot take part: missing weights, unknown style, unknown factors.
    """
    name, extra = _split_extra(text)
    kind = re.split("[:@]", name, maxsplit=1)[0]
    rest = name.removeprefix(kind).removeprefix(":")
    build = _BUILDERS.get(kind, _method)
    return replace(build(kind, rest, extra, corpus), name=text)


def _split_extra(text: str) -> tuple[str, str]:
    name, plus, extra = text.rpartition("+")
    return (name, extra) if plus and extra in EXTRAS else (text, "")


def _method(kind: str, rest: str, extra: str, corpus: Corpus) -> Contestant:
    if kind not in METHODS.names():
        raise UnknownNameError("contestant", kind, [*_BUILDERS, *METHODS.names()])
    method, style, identity = METHODS.get(kind), None, ""
    true_style = kind == "articulate" and not rest and _knows_factors(corpus)
    sampled, nearest = "", False
    if isinstance(method, LearnedMethod):
        run, options = split_options(rest)
        if run:
            method, identity = load_method(f"{kind}:{run}"), _weights(run_folder(run))
        elif method.bundled is not None:
            identity = _weights(method.bundled)
        styled = "style of the performer where it was trained on, else neutral"
        if isinstance(method, StyleReader):
            styled = "style read from other clips of the performer, neutral where there are none"
            identity += styled + data_facts(corpus)["digest"]
        chosen_style = options.pop("style", None)
        nearest = chosen_style == NEAREST
        if nearest:
            true_style, styled = True, "style of the known performer with the nearest true factors"
            identity += styled + data_facts(corpus)["digest"]
        elif chosen_style is not None:
            style = method.load_style(chosen_style)
            styled = f"style {Path(chosen_style).name}"
        method = with_options(method, options)
        sampled = "; " * bool(options) + ", ".join(f"{k} {v}" for k, v in options.items())
        identity += repr((style, sampling_options(options)))
    elif rest:
        style = method.load_style(rest)
        styled, identity = f"style {Path(rest).name}", repr(style)
    else:
        styled = "true style of the performer" if true_style else "neutral style"

    read: dict[str, object] = {}

    def own_style(clip: Record) -> object:
        if clip.id not in read:
            chosen = nearest_performer(corpus, clip, method.styles()) if nearest else None
            read[clip.id] = (
                method.load_style(chosen) if chosen else _own_style(method, clip, corpus)
            )
        return read[clip.id]

    def perform(clip: Record, seed: int) -> Motion:
        speech = Speech(
            clip.speech.samples,
            transcript=clip.speech.transcript if extra == "transcript" else None,
            phones=clip.speech.phones if extra == "phones" else None,
        )
        chosen = own_style(clip) if style is None else style
        return method.generate(speech, chosen, seed=seed, fps=clip.motion.fps)

    return Contestant(
        name=kind,
        kind="method",
        told=f"{method.summary}; {styled}; {EXTRAS[extra]}{sampled}",
        perform=perform,
        method=kind,
        identity=f"{identity}+{extra}",
        random=not getattr(method, "deterministic", False),
        true_style=true_style,
    )


def _own_style(method: Method, clip: Record, corpus: Corpus) -> object:
    """The style of the clip's performer, where the method can be told; else its neutral one.

    Learned methods read it from other clips of the performer. The rules could, but take long.
    """
    if method.name == "articulate" and clip.factors:
        from kinevox.methods.articulate.style import StyleFactors

        return StyleFactors(**clip.factors)
    if isinstance(method, LearnedMethod) and isinstance(method, StyleReader):
        found = read_style(method, corpus, clip)
        return method.load_style(None) if found is None else found
    return method.load_style(clip.style if clip.style in method.styles() else None)


def _teacher(kind: str, rest: str, extra: str, corpus: Corpus) -> Contestant:
    _nothing_more(kind, rest, extra)
    if not _knows_factors(corpus):
        raise ConfigError(
            f"Corpus '{corpus.name}' does not know its style factors, so its teacher cannot act "
            "again. Leave 'teacher' out."
        )
    told = (
        "Another take of the rules that made the corpus, with the true style and the phones of the "
        "corpus: what speech and style leave open. The floor for a learned method's distances"
    )
    return replace(_method("articulate", "", "phones", corpus), kind="reference", told=told)


def _ground_truth(kind: str, rest: str, extra: str, corpus: Corpus) -> Contestant:
    _nothing_more(kind, rest, extra)
    told = "The motion of the clip itself: perfect where it is compared with itself, else the goal"
    return Contestant(kind, "reference", told, lambda clip, seed: clip.motion, random=False)


def _mean_pose(kind: str, rest: str, extra: str, corpus: Corpus) -> Contestant:
    _nothing_more(kind, rest, extra)
    train = corpus.split("train")

    @cache
    def pose() -> np.ndarray:
        return motion_statistics(train).mean

    def perform(clip: Record, seed: int) -> Motion:
        return clip.motion.replace(values=np.tile(pose(), (clip.motion.num_frames, 1)))

    told = "The average pose of the training split, held still"
    table = [train.index[column].tolist() for column in ("id", "frames", "metadata")]
    identity = hashlib.sha256(repr(table).encode()).hexdigest()
    return Contestant(kind, "control", told, perform, identity=identity, random=False)


def _shuffled_audio(kind: str, rest: str, extra: str, corpus: Corpus) -> Contestant:
    inner = f"{rest or 'articulate'}{'+' * bool(extra)}{extra}"
    base = load_contestant(inner, corpus)
    if base.name == GROUND_TRUTH or base.kind == "control":
        raise ConfigError(f"'{inner}' does not listen, so other sound makes no difference to it.")
    told = f"{inner}, in the style it has, but hearing the recording of somebody else"
    return replace(base, kind="control", told=told, other_voice=True)


_BUILDERS: dict[str, Callable[[str, str, str, Corpus], Contestant]] = {
    GROUND_TRUTH: _ground_truth,
    "teacher": _teacher,
    "mean-pose": _mean_pose,
    "shuffled-audio": _shuffled_audio,
}


def fitted(motion: Motion, frames: int, name: str, *, any_length: bool) -> Motion:
    """The motion at the length of the clip it is compared with.

    A shorter one runs back and forth, so that nothing jumps.

    Raises:
        MotionError: another length than rounding explains, where that is not to be expected.
    """
    if not any_length and abs(motion.num_frames - frames) > 1:
        raise MotionError(
            f"'{name}' made {motion.num_frames} frames for a clip of {frames}. A method must "
            "cover its recording; see kinevox.methods."
        )
    missing = max(frames - motion.num_frames, 0)
    mode = "reflect" if motion.num_frames > 1 else "edge"
    return motion.replace(values=np.pad(motion.values[:frames], ((0, missing), (0, 0)), mode))


def _nothing_more(kind: str, rest: str, extra: str) -> None:
    if rest or extra:
        raise ConfigError(f"'{kind}' takes no options; write it alone.")


def _knows_factors(corpus: Corpus) -> bool:
    return all(text not in ("", "{}") for text in corpus.index["factors"].tolist())


def _weights(folder: Path) -> str:
    """Digest of a checkpoint, and of what belongs to it."""
    from kinevox.training.checkpoint import CALIBRATION, read_header

    place, header = read_header(folder)
    beside = [path for part in ("encoder", "styles") for path in (place / part).rglob("*.s*")]
    beside += place.glob(CALIBRATION)
    files = (place / "checkpoint.json", place / header["weights"], *sorted(beside))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
