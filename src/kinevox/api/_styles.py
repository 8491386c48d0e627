"""Styles: by name, from files, read from how somebody moves."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinevox.api._capture import capture
from kinevox.api._material import filled, head_loader, motion_of, speech_of
from kinevox.api._values import DEFAULT_HEAD, DEFAULT_METHOD, PathLike, Progress, telling
from kinevox.errors import ConfigError
from kinevox.motion import Motion
from kinevox.speech import Speech

if TYPE_CHECKING:
    from kinevox.methods import ExtractedStyle, Method, StyleReader

_log = logging.getLogger(__name__)


def styles(method: str = DEFAULT_METHOD) -> Mapping[str, Any]:
    """The named styles of a method.

    Raises:
        UnknownNameError: no such method.
    """
    from kinevox.methods import load_method

    return load_method(method).styles()


def describe_style(style: PathLike, *, method: str = DEFAULT_METHOD) -> Mapping[str, str]:
    """What a style is, in numbers that people understand: of a name, a style file or a clip.

    Raises:
        UnknownNameError: no such method, name or file.
    """
    from kinevox.methods import StyleReader, load_method

    performer = load_method(method)
    found = style_of(performer, style, None)
    if isinstance(performer, StyleReader):
        return performer.describe_style(found)
    return {name: str(value) for name, value in vars(found).items()}


def extract_style(
    clips: PathLike | Motion | Sequence[PathLike | Motion],
    out: PathLike | None = None,
    *,
    method: str = DEFAULT_METHOD,
    audio: PathLike | Speech | Sequence[PathLike | Speech] | None = None,
    transcript: PathLike | None = None,
    source_head: str | None = None,
    progress: Progress | None = None,
) -> ExtractedStyle:
    """Reads one person's style from how the face moves; the same clips give the same style.

    Args:
        clips: Motion of any readable format, or videos (extra `capture`). Several clips of one
            person tell more than one; half a minute tells most.
        out: Style file to write: `my.style.json` for articulate, `my.style` for diffposetalk.
        audio: The sound of each clip, or a pattern such as `sound/{name}.wav`. By default the
            sound of the video, or a recording of the same name beside the clip. No sound is
            needed, but much is more certain with it.
        transcript: What is said, a text file, or a pattern such as `{name}.txt`.
        source_head: The head that the motion was made for, when it is not ARKit's.

    Raises:
        ConfigError: the method has no way to read styles, or the call is wrong.
        KinevoxError: a clip cannot be read, or tells too little.
    """
    from kinevox.methods import StyleReader, load_method

    performer = load_method(method)
    if not isinstance(performer, StyleReader):
        raise ConfigError(f"Method '{method}' cannot read a style from motion.")
    extracted = _read_style(performer, clips, audio, transcript, source_head, progress)
    if out is not None:
        performer.save_style(extracted.style, Path(out))
    return extracted


def make_styles(
    corpus: PathLike,
    out: PathLike,
    *,
    method: str = "diffposetalk",
    progress: Progress | None = None,
) -> list[Path]:
    """Makes the named styles of a method that reads styles from motion.

    The rules of `articulate` act each of their named styles to recordings of the corpus's training
    split, and the method reads the motion.

    Args:
        corpus: A folder, or the name of a corpus in the cache.
        out: Folder of the style files. In `styles` beside a method's weights they can be named.

    Raises:
        ConfigError: the method has no way to read styles.
        KinevoxError: the corpus cannot be read.
    """
    from kinevox.data import Corpus
    from kinevox.methods import StyleReader, load_method
    from kinevox.methods._acted import act_styles
    from kinevox.training.run import data_facts

    performer = load_method(method)
    if not isinstance(performer, StyleReader):
        raise ConfigError(f"Method '{method}' cannot read a style from motion.")
    clips = Corpus.open(corpus)
    facts = data_facts(clips)
    made = {"method": performer.name, "corpus": {name: facts[name] for name in ("name", "digest")}}
    return act_styles(performer, clips, Path(out), made, telling(progress))


def style_of(performer: Method, style: PathLike | None, progress: Progress | None) -> Any:
    """A style by name or file, or that of a clip."""
    from kinevox.export import holds_motion
    from kinevox.methods import StyleReader

    if style is None or not isinstance(performer, StyleReader) or str(style) in performer.styles():
        return performer.load_style(style)
    path = Path(style)
    if not path.exists() or not (is_video(path) or holds_motion(path)):
        return performer.load_style(style)
    return _read_style(performer, path, None, None, None, progress).style


def _read_style(
    performer: StyleReader,
    clips: PathLike | Motion | Sequence[PathLike | Motion],
    audio: PathLike | Speech | Sequence[PathLike | Speech] | None,
    transcript: PathLike | None,
    source_head: str | None,
    progress: Progress | None,
) -> ExtractedStyle:
    given = [clips] if isinstance(clips, str | Path | Motion) else list(clips)
    if not given:
        raise ConfigError("No clip given; a style is read from one or more of one person.")
    if isinstance(audio, Sequence) and not isinstance(audio, str):
        sounds: list[PathLike | Speech | None] = list(audio)
    else:
        sounds = [audio] * len(given)
    shared = len(given) > 1 and isinstance(audio, str | Path) and "{name}" not in str(audio)
    if shared or len(sounds) != len(given):
        raise ConfigError(
            f"{len(given)} clips and {len(sounds)} recordings; give one recording per clip, a "
            "pattern such as 'sound/{name}.wav', or none."
        )
    motions: list[Motion] = []
    speeches: list[Speech | None] = []
    for position, (clip, sound) in enumerate(zip(given, sounds, strict=True)):
        tell = telling(progress, position, len(given))
        motion, speech = _performance(clip, sound, transcript, tell, performer.style_hears)
        if source_head is not None:
            from kinevox.retarget import retarget

            tell("Retargeting", 0, 0)
            load_source, load_default = head_loader(source_head, motion), head_loader(DEFAULT_HEAD)
            motion = retarget(motion, load_source(), load_default()).motion
        motions.append(motion)
        speeches.append(speech)
    heard = [speech for speech in speeches if speech is not None]
    if 0 < len(heard) < len(given):
        _log.warning(
            "%d of %d clips have no sound; none is used.", len(given) - len(heard), len(given)
        )
    return performer.extract_style(
        motions,
        heard if len(heard) == len(given) else None,
        partial(telling(progress), "Reading the style"),
    )


def is_video(path: Path) -> bool:
    from kinevox.capture.video import SUFFIXES

    return path.suffix.lower() in SUFFIXES


def _performance(
    clip: PathLike | Motion,
    sound: PathLike | Speech | None,
    transcript: PathLike | None,
    tell: Progress,
    hears: bool,
) -> tuple[Motion, Speech | None]:
    """Motion of a clip or video, and the sound that belongs to it, if that makes a difference."""
    from kinevox.export import exporter_for
    from kinevox.export._sound import sound_beside

    if isinstance(clip, Motion):
        source, motion = Path("motion"), clip
    elif is_video(Path(clip)):
        source, motion = Path(clip), capture(clip, progress=tell).motion
        from kinevox.capture.video import video_facts

        sound = sound or (source if hears and video_facts(source).sound else None)
    else:
        tell(f"Reading {Path(clip).name}", 0, 0)
        motion, source = motion_of(clip)
        if sound is None and hears and source.is_file():
            sound = sound_beside(source, exporter_for(source)[1].suffixes)
            if sound is not None:
                _log.info("With the sound of %s.", sound.name)
    if sound is None or not hears:
        return motion, None
    if not isinstance(sound, Speech):
        sound = str(filled(sound, source))
    return motion, speech_of(sound, filled(transcript, source), None)
