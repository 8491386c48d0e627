"""The one door: everything the command line, notebooks and a studio do goes through here.

Plain values in, plain values out. `progress`, where offered, is called as
`progress(stage, done, total)` with a short text and counts of that stage; a total of 0 means that
the end is not known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinevox import __version__
from kinevox.errors import ConfigError, KinevoxError, UnknownNameError
from kinevox.motion import Motion
from kinevox.speech import Speech
from kinevox.timebase import FPS, exact_fps
from kinevox.timing import stage

if TYPE_CHECKING:
    from kinevox.audio.encoders.speech.config import SpeechConfig
    from kinevox.bench.result import Report
    from kinevox.capture import Capture
    from kinevox.capture.folder import Entry
    from kinevox.data.check import Report as CorpusReport
    from kinevox.doctor import Check
    from kinevox.evaluation import Results
    from kinevox.heads import Head
    from kinevox.methods import ExtractedStyle, Method
    from kinevox.training import Trainable, TrainingOptions

_log = logging.getLogger(__name__)

DEFAULT_METHOD = "articulate"
DEFAULT_HEAD = "anny"


_TOOL = {"generator": f"kinevox {__version__}", "synthetic": "true"}
"""Provenance that every result carries."""

Progress = Callable[[str, int, int], None]
PathLike = str | Path


@dataclass(frozen=True, eq=False)
class Take:
    """One performance of one recording, and the files it was written to."""

    source: Path
    number: int
    """From 1."""
    seed: int
    motion: Motion
    outputs: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class Failure:
    """What went wrong with one recording, or with one of its files."""

    source: Path
    error: Exception
    output: Path | None = None
    """The file that could not be written; None when the recording itself failed."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of many recordings."""

    takes: tuple[Take, ...]
    failures: tuple[Failure, ...]


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
    sources = [_source(recording) for recording in recordings]
    for pattern, what in ((transcript, "transcript"), (phones, "phones file")):
        if pattern is not None and len(sources) > 1 and "{name}" not in str(pattern):
            raise ConfigError(
                f"{len(sources)} recordings cannot share one {what}. Give a pattern such as "
                "'lines/{name}.txt'."
            )
    plan = plan_outputs(sources, _listed(out), takes)
    performer = load_method(method)
    chosen_style = _style(performer, style, progress)
    load_head, load_default = _loader(head), _loader(DEFAULT_HEAD)
    if head != DEFAULT_HEAD:
        load_head()

    done: list[Take] = []
    failures: list[Failure] = []
    for position, (recording, source) in enumerate(zip(recordings, sources, strict=True)):
        tell = _telling(progress, position, len(sources))
        provenance = {
            **_TOOL,
            "method": performer.name,
            "style": "neutral" if style is None else Path(style).name,
            "source": source.name,
        }
        try:
            tell(f"Reading {source.name}", 0, 0)
            speech = _speech(recording, _filled(transcript, source), _filled(phones, source))
            for number, outputs in enumerate(plan[position], start=1):
                tell(f"Animating {source.name}" + f", take {number}" * (takes > 1), 0, 0)
                take_seed = seed + number - 1
                motion = performer.generate(speech, chosen_style, seed=take_seed, fps=fps)
                if head != DEFAULT_HEAD:
                    motion = _fitted(motion, load_default, load_head)
                notes = {**motion.metadata, **provenance, "seed": str(take_seed)}
                motion = motion.replace(metadata=notes)
                written, failed = _written(motion, outputs, load_head, speech, tell)
                done.append(Take(source, number, take_seed, motion, written))
                failures += [Failure(source, error, output) for output, error in failed]
        except (KinevoxError, OSError) as error:
            failures.append(Failure(source, error))
    return Batch(tuple(done), tuple(failures))


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

    tell = _telling(progress)
    clip, source = _read(motion)
    ((outputs,),) = plan_outputs([source], _listed(out))
    load_head = _loader(head)
    if head != DEFAULT_HEAD:
        load_head()
    if source_fps is not None:
        clip = clip.replace(fps=source_fps)
    if source_head is not None:
        from kinevox.retarget import retarget

        tell(f"Retargeting {source.name}", 0, 0)
        clip = retarget(clip, _loader(source_head, clip)(), load_head()).motion
    if fps is not None:
        clip = clip.resample(fps)
    clip = clip.replace(metadata={**clip.metadata, **_TOOL})
    speech = None if audio is None else _speech(audio, None, None)
    _, failed = _written(clip, outputs, load_head, speech, tell)
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
    from kinevox.render.video import render_comparison, render_video

    path = Path(out)
    if path.suffix.lower() != ".mp4":
        raise ConfigError(f"{path.name} is not an MP4. Other formats: kinevox convert.")
    tell = _telling(progress)
    motions = [motion] if isinstance(motion, str | Path | Motion) else motion
    clips = [_read(one) for one in motions]
    speech = None if audio is None else _speech(audio, None, None)
    load_head = _loader(head, clips[0][0])
    animations = [
        Animation(clip, load_head, speech, source.stem, {**clip.metadata, **_TOOL})
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


def styles(method: str = DEFAULT_METHOD) -> Mapping[str, Any]:
    """The named styles of a method.

    Raises:
        UnknownNameError: no such method.
    """
    from kinevox.methods import load_method

    return load_method(method).styles()


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
        out: Style file to write, such as `my.style.json`.
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
    given = [clips] if isinstance(clips, str | Path | Motion) else list(clips)
    if isinstance(audio, Sequence) and not isinstance(audio, str):
        sounds: list[PathLike | Speech | None] = list(audio)
    else:
        sounds = [audio] * len(given)
    shared = len(given) > 1 and isinstance(audio, str | Path) and "{name}" not in str(audio)
    if not given or shared or len(sounds) != len(given):
        raise ConfigError(
            f"{len(given)} clips and {len(sounds)} recordings; give one recording per clip, a "
            "pattern such as 'sound/{name}.wav', or none."
        )
    motions: list[Motion] = []
    speeches: list[Speech | None] = []
    for position, (clip, sound) in enumerate(zip(given, sounds, strict=True)):
        tell = _telling(progress, position, len(given))
        motion, speech = _performance(clip, sound, transcript, tell)
        if source_head is not None:
            from kinevox.retarget import retarget

            tell("Retargeting", 0, 0)
            load_source, load_default = _loader(source_head, motion), _loader(DEFAULT_HEAD)
            motion = retarget(motion, load_source(), load_default()).motion
        motions.append(motion)
        speeches.append(speech)
    heard = [speech for speech in speeches if speech is not None]
    if 0 < len(heard) < len(given):
        _log.warning(
            "%d of %d clips have no sound; none is used.", len(given) - len(heard), len(given)
        )
    extracted = performer.extract_style(
        motions,
        heard if len(heard) == len(given) else None,
        partial(_telling(progress), "Reading the style"),
    )
    if out is not None:
        performer.save_style(extracted.style, Path(out))
    return extracted


def cite(method: str = DEFAULT_METHOD) -> Sequence[str]:
    """BibTeX entries of what a run with this method uses.

    Raises:
        UnknownNameError: no such method.
    """
    from kinevox.methods import METHODS

    return METHODS.get(method).references


def train(
    network: str | Trainable,
    corpus: PathLike,
    *,
    out: PathLike | None = None,
    options: TrainingOptions | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Trains a network on a corpus, or goes on where the same training stopped.

    Args:
        network: A name from `methods.trainables()`, or a configuration such as
            `RegressorConfig(layers=6)`.
        corpus: A folder, or the name of a corpus in the cache, with the splits `train` and
            `valid`.
        out: Folder of the run; by default `runs/NAME` in the cache.
        options: How to train; by default as the network recommends.
        dry_run: Only return the full configuration.

    Returns:
        What `best/checkpoint.json` holds, or the configuration; and `out`.

    Raises:
        KinevoxError: the corpus or the options do not fit, or the folder holds another training.
    """
    from kinevox.data import Corpus
    from kinevox.methods import trainables
    from kinevox.training.run import configuration, run_folder

    if isinstance(network, str):
        known = trainables()
        if network not in known:
            raise UnknownNameError("network", network, known)
        network = known[network]
    folder = run_folder(network.name) if out is None else Path(out)
    clips = Corpus.open(corpus)
    options = options or network.training
    if dry_run:
        return {**configuration(network, clips, options), "out": str(folder)}
    from kinevox.training import loop

    header = loop.train(network, clips, folder, options, progress or _telling(None))
    return {**header, "out": str(folder)}


def train_speech(
    recordings: PathLike,
    *,
    out: PathLike | None = None,
    config: SpeechConfig | None = None,
    options: TrainingOptions | None = None,
    progress: Progress | None = None,
) -> Path:
    """Trains the speech encoder, or goes on where the same training stopped.

    Args:
        recordings: Folder with a manifest of people's recordings. What is made from them, and from
            speaking programs on this machine, is kept under `phonetic` in the cache.
        out: Folder of the run; by default `runs/speech` in the cache.

    Returns:
        The best weights.

    Raises:
        KinevoxError: there are no recordings, or the folder holds another training.
    """
    from kinevox.audio.encoders.speech.config import SpeechConfig
    from kinevox.cache import cache_dir
    from kinevox.data.phonetic.material import make_material
    from kinevox.training import hearing
    from kinevox.training.options import HEARING
    from kinevox.training.run import run_folder

    folder = run_folder("speech") if out is None else Path(out)
    config, options = config or SpeechConfig(), options or HEARING
    progress = progress or _telling(None)
    parts = make_material(Path(recordings), cache_dir("phonetic"), progress)
    return hearing.train_speech(config, parts, folder, options, progress)


def write_card(run: PathLike, results: PathLike | None = None) -> Path:
    """Writes the model card of a checkpoint and returns its place.

    Args:
        run: Folder of a training or of a checkpoint, or the name of a run in the cache.
        results: JSON that `evaluate` wrote; without it the card shows the scores of the
            validation during training.

    Raises:
        AssetError: there is no checkpoint.
        ConfigError: the results cannot be read.
    """
    from kinevox.training.card import write_card as write
    from kinevox.training.run import run_folder

    return write(run_folder(str(run)), None if results is None else Path(results))


def evaluate(
    corpus: PathLike,
    *,
    split: str = "test",
    methods: Sequence[str] | None = None,
    seeds: int = 10,
    limit: int | None = None,
    workers: int = 1,
    head: str = DEFAULT_HEAD,
    out: PathLike | Sequence[PathLike] = (),
    progress: Progress | None = None,
) -> Results:
    """Compares methods on a corpus; results that were measured before are taken over.

    Args:
        corpus: A folder, the name of a corpus in the cache, or `video:FOLDER`: a folder of videos
            that is captured first, into the cache, all of it in the split that is measured.
        methods: Contestants (`kinevox.evaluation.contestants`); None is the baselines and
            controls. The ground truth always takes part.
        seeds: Takes of each clip.
        limit: At most this many clips, spread over performers.
        workers: Processes that work side by side.
        head: The head that vertices are measured on; it must have the layout of the corpus.
        out: Files to write: `.md`, `.json` or `.html`.

    Raises:
        KinevoxError: the call does not fit the corpus, or a contestant failed; what was measured
            until then stays.
    """
    from kinevox.evaluation import Plan, measure
    from kinevox.evaluation.plan import DEFAULT_METHODS
    from kinevox.evaluation.write import check_outputs, write_results

    outputs = [str(path) for path in _listed(out)]
    check_outputs(outputs)
    tell = _telling(progress)
    chosen = DEFAULT_METHODS if methods is None else tuple(methods)
    _capture_if_videos(corpus, split, workers, tell)
    plan = Plan(str(corpus), split, chosen, seeds, limit, head, tuple(outputs))
    results = measure(plan, workers, tell)
    for path in outputs:
        write_results(results, Path(path), tell)
    return results


def _capture_if_videos(corpus: PathLike, split: str, workers: int, tell: Progress) -> None:
    """Makes the corpus behind `video:FOLDER`, or what is missing of it."""
    from kinevox.data.corpora import CORPORA, MakeOptions
    from kinevox.data.store import corpus_folder, videos_of

    videos = videos_of(corpus)
    if videos is not None:
        options = MakeOptions(workers=workers, split=split)
        CORPORA.get("video").make(videos, corpus_folder(corpus), options, tell)


def bench(
    *,
    lengths: Sequence[float] = (4.0, 60.0),
    methods: Sequence[str] = (DEFAULT_METHOD,),
    threads: Sequence[int] = (0,),
    batch_sizes: Sequence[int] = (1,),
    transcript: bool = False,
    repeats: int = 5,
    frames: int = 100,
    speech: Sequence[PathLike] = (),
    compare: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Measures time, first-frame latency and memory, each case in a fresh process.

    Args:
        lengths: Lengths of the clips [s].
        threads: Processor cores to allow; 0 is all of them.
        batch_sizes: Lines given in one call.
        transcript: Give the words too, so that phones are aligned and not recognised.
        frames: Frames to pose and draw at most; 0 measures audio to motion only.
        speech: Recordings to build clips from (`bench.material.gather`).
        compare: Two configurations such as `method=articulate,threads=1` that run in turn, in
            one process; nothing else is measured then.

    Returns:
        Everything measured; cases that failed say why.

    Raises:
        ConfigError, UnknownNameError: the call itself is wrong; nothing was started.
    """
    from kinevox.bench.material import gather
    from kinevox.bench.plan import Plan, parse_setup
    from kinevox.bench.run import run

    pair = None
    if compare is not None:
        first, second = map(parse_setup, compare)
        pair = (first, second)
    plan = Plan(
        lengths=tuple(map(float, lengths)),
        methods=tuple(methods),
        threads=tuple(threads),
        batch_sizes=tuple(batch_sizes),
        transcript=transcript,
        repeats=repeats,
        frames=frames,
        compare=pair,
    )
    return run(plan, gather(list(map(Path, speech))), _telling(progress))


def make_corpus(
    name: str,
    source: PathLike,
    out: PathLike,
    *,
    hours: float = 10.0,
    seed: int = 0,
    workers: int = 1,
    head: str | None = None,
    speakers: PathLike | None = None,
    progress: Progress | None = None,
) -> None:
    """Makes or converts a corpus; after an interruption the same call goes on where it stopped.

    Args:
        name: `performers`, `video`, or one of the field's corpora
            (`kinevox.data.corpora.CORPORA`).
        source: Folder of recordings with a manifest.csv, of videos, or of the corpus to convert.
        out: Folder that `kinevox.data.Corpus.open` then reads.
        hours: How much of `performers` to make.
        seed: For `performers`; the same seed makes the same corpus.
        workers: Processes for `performers` and `video`. A script that asks for several needs the
            usual `if __name__ == "__main__":`.
        head: The head that meshes are fitted with.
        speakers: For `video`: a table with columns file, speaker and perhaps split; by default
            speakers.csv in the source folder, where there is one.

    Raises:
        KinevoxError: no such corpus, or the source is not what it should be.
    """
    from kinevox.data.corpora import CORPORA, MakeOptions

    table = None if speakers is None else Path(speakers)
    options = MakeOptions(hours=hours, seed=seed, workers=workers, head=head, speakers=table)
    CORPORA.get(name).make(Path(source), Path(out), options, _telling(progress))


def check_corpus(corpus: PathLike, *, progress: Progress | None = None) -> CorpusReport:
    """Reads every clip of a corpus and says what is wrong with it.

    Raises:
        AssetError: not a finished corpus.
    """
    from kinevox.data import Corpus
    from kinevox.data.check import check_corpus as check

    return check(Corpus.open(corpus), _telling(progress))


def show_corpus(
    corpus: PathLike,
    out: PathLike,
    *,
    head: str = DEFAULT_HEAD,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Saves a contact sheet of a corpus as PNG.

    Args:
        seed: Another one shows other clips.

    Raises:
        KinevoxError: not a finished corpus, or it cannot be drawn on this head.
    """
    from kinevox.data import Corpus
    from kinevox.data.sheet import show_corpus as show

    show(Corpus.open(corpus), _loader(head)(), Path(out), seed, _telling(progress))


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

    tell = _telling(progress)
    facts = video_facts(video)
    ((outputs,),) = plan_outputs([Path(video)], _listed(out))
    if preview is not None and Path(preview).suffix.lower() != ".mp4":
        raise ConfigError(f"The preview {Path(preview).name} is not an MP4.")
    load_head, load_default = _loader(head), _loader(DEFAULT_HEAD)
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
        found = replace(found, motion=_fitted(found.motion, load_default, load_head))
    whole = [path for path in outputs if _is_clip_file(path)]
    for path in whole:
        write_capture(found, path)
    rest = [path for path in outputs if path not in whole]
    speech = _speech(video, None, None) if rest and facts.sound else None
    _, failed = _written(found.motion, rest, load_head, speech, tell)
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
    tell = _telling(progress)
    return capture_all(folder, out, options, workers=workers, ray=ray, progress=tell)


def capture_facts(capture: Capture) -> dict[str, float]:
    """How good a capture is: length, part of the frames with a face, confidence, error."""
    from kinevox.capture.folder import capture_facts as facts

    return facts(capture)


def doctor() -> list[Check]:
    """What works on this machine, what does not, and what to do about it."""
    from kinevox.doctor import examine

    return examine()


def _listed(out: PathLike | Sequence[PathLike]) -> Sequence[PathLike]:
    return [out] if isinstance(out, str | Path) else out


def _is_clip_file(path: Path) -> bool:
    from kinevox.export import exporter_for

    return exporter_for(path)[0] == "motion-npz"


def _source(recording: PathLike | Speech) -> Path:
    if isinstance(recording, Speech):
        return recording.path or Path("speech")
    return Path(recording)


def _filled(pattern: PathLike | None, source: Path) -> str | None:
    return None if pattern is None else str(pattern).replace("{name}", source.stem)


def _speech(recording: PathLike | Speech, transcript: str | None, phones: str | None) -> Speech:
    from kinevox.audio.read import read_speech

    text = None if transcript is None else _text(transcript)
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


def _text(transcript: str) -> str:
    """The text itself, or what the file of that name holds."""
    path = Path(transcript)
    try:
        return path.read_text(encoding="utf-8") if path.suffix == ".txt" else transcript
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The transcript {path} cannot be read as UTF-8 text ({error}). "
            "Give a .txt file or the words themselves."
        ) from error


def _read(motion: PathLike | Motion) -> tuple[Motion, Path]:
    from kinevox.export import read_motion

    if isinstance(motion, Motion):
        return motion, Path("motion")
    return read_motion(motion), Path(motion)


def _style(performer: Method, style: PathLike | None, progress: Progress | None) -> Any:
    """A style by name or file, or that of a clip."""
    from kinevox.export import holds_motion
    from kinevox.methods import StyleReader

    if style is None or not isinstance(performer, StyleReader) or str(style) in performer.styles():
        return performer.load_style(style)
    path = Path(style)
    if not path.exists() or not (_is_video(path) or holds_motion(path)):
        return performer.load_style(style)
    return extract_style(path, method=performer.name, progress=progress).style


def _is_video(path: Path) -> bool:
    from kinevox.capture.video import SUFFIXES

    return path.suffix.lower() in SUFFIXES


def _performance(
    clip: PathLike | Motion,
    sound: PathLike | Speech | None,
    transcript: PathLike | None,
    tell: Progress,
) -> tuple[Motion, Speech | None]:
    """Motion of a clip or video, and the sound that belongs to it."""
    from kinevox.export import exporter_for
    from kinevox.export._sound import sound_beside

    if isinstance(clip, Motion):
        source, motion = Path("motion"), clip
    elif _is_video(Path(clip)):
        source, motion = Path(clip), capture(clip, progress=tell).motion
        from kinevox.capture.video import video_facts

        sound = sound or (source if video_facts(source).sound else None)
    else:
        tell(f"Reading {Path(clip).name}", 0, 0)
        motion, source = _read(clip)
        if sound is None and source.is_file():
            sound = sound_beside(source, exporter_for(source)[1].suffixes)
            if sound is not None:
                _log.info("With the sound of %s.", sound.name)
    if sound is None:
        return motion, None
    if not isinstance(sound, Speech):
        sound = str(_filled(sound, source))
    return motion, _speech(sound, _filled(transcript, source), None)


def _loader(head: str, motion: Motion | None = None) -> Callable[[], Head]:
    """Loads the head, as far as is known that of the motion, when first needed, and once."""
    from kinevox.heads import load_head

    return cache(lambda: load_head(head, motion))


def _fitted(
    motion: Motion, load_source: Callable[[], Head], load_target: Callable[[], Head]
) -> Motion:
    """The motion in the layout of the target head; ARKit weights fit any ARKit head by name."""
    if motion.layout == load_target().layout:
        return motion
    from kinevox.retarget import retarget

    return retarget(motion, load_source(), load_target()).motion


def _written(
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


def _telling(progress: Progress | None, position: int = 0, count: int = 1) -> Progress:
    """`progress` with the place in the list in front of the stage; nothing when there is none."""
    if progress is None:
        return lambda stage, done, total: None
    place = f"[{position + 1}/{count}] " if count > 1 else ""
    return lambda stage, done, total: progress(place + stage, done, total)
