"""Lets contestants perform and measures every take; each result is kept under what decides it.

A result is a small JSON file in the cache, named by the hash of code, head, contestant, clip and
seed. So a stopped evaluation goes on where it was, more seeds cost only themselves, and nothing
is ever reused after something that matters has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import kinevox
from kinevox.audio.prosody import analyze_prosody
from kinevox.cache import cache_dir
from kinevox.data import Corpus
from kinevox.errors import ConfigError, KinevoxError
from kinevox.evaluation.contestants import Contestant, fitted, load_contestant
from kinevox.evaluation.plan import Plan, choose_clips
from kinevox.files import written_whole
from kinevox.heads import Head, load_head
from kinevox.metrics import continuity, distribution, head_pose, lips, upper_face
from kinevox.metrics._style_features import MIN_SECONDS
from kinevox.metrics.style import motion_style_features
from kinevox.motion import ARKIT, Motion
from kinevox.seeds import seed_for

INDIFFERENT = (
    "api/", "doctor.py", "cli/", "render/", "export/", "bench/", "training/", "evaluation/",
    "capture/", "data/corpora/", "data/augment.py", "data/check.py", "data/sheet.py",
)  # fmt: skip
"""Parts of the package that change no number."""
_SCORING = ("evaluation/judge.py", "evaluation/contestants.py")
_METHOD_FILE = re.compile(r"methods/([a-z]\w*)")
_LIBRARIES = ("numpy", "scipy", "pocketsphinx", "praat-parselmouth", "torch")


class Judge:
    """One process's view of an evaluation.

    Args:
        codes: Digest of the code behind each method, where another process has read it.
    """

    def __init__(self, plan: Plan, codes: Mapping[str, str] | None = None):
        corpus = Corpus.open(plan.corpus)
        self.plan, self.corpus, self.clips = plan, corpus, corpus.split(plan.split)
        self.chosen = choose_clips(self.clips, plan.limit)
        self.contestants = {name: load_contestant(name, corpus) for name in plan.contestants}
        self.head = load_head(plan.head)
        if self.head.layout != corpus.layout:
            raise ConfigError(
                f"Corpus '{corpus.name}' has motion of layout '{corpus.layout.name}', head "
                f"'{self.head.name}' takes '{self.head.layout.name}'. Give another --head."
            )
        self.record = lru_cache(maxsize=4)(self.clips.__getitem__)
        self._beats = lru_cache(maxsize=4)(self._beats_of)
        self._clip_key = cache(self._clip_digest)
        self._head_key = _head_digest(self.head)
        methods = {contestant.method for contestant in self.contestants.values()}
        self.codes = codes or {method: code_digest(method) for method in methods}

    def seeds(self, contestant: Contestant) -> range:
        """One is enough for those without randomness."""
        return range(self.plan.seeds if contestant.random else 1)

    def take(self, contestant: Contestant, clip: int, seed: int) -> Motion:
        """What a contestant makes of a clip.

        Raises:
            KinevoxError: the contestant failed; the message says on which clip.
        """
        record = self.record(clip)
        if contestant.other_voice:
            record = replace(record, speech=self.record(self.partner(clip)).speech)
        try:
            motion = contestant.perform(record, seed_for(record.id, seed))
            frames = record.motion.num_frames
            return fitted(motion, frames, contestant.name, any_length=contestant.other_voice)
        except KinevoxError as error:
            told = f"'{contestant.name}' failed on clip {record.id} with seed {seed}: {error}"
            raise KinevoxError(told) from error

    def partner(self, clip: int) -> int:
        """The clip of another speaker that is nearest in length."""
        frames, speakers = self.clips.index["frames"], self.clips.index["speaker"]
        others = np.flatnonzero(speakers != speakers[clip])
        if not len(others):
            raise ConfigError(
                f"Split '{self.plan.split}' has one speaker only, so nobody else can be heard. "
                "Leave 'shuffled-audio' out."
            )
        return int(others[np.abs(frames[others] - frames[clip]).argmin()])

    def missing(self, clip: int) -> int:
        """How many results of a clip are not there yet."""
        return sum(not path.is_file() for path, _ in self._results_of(clip))

    def complete(self, clip: int) -> Iterator[None]:
        """Makes what is missing of a clip, one result after the other."""
        for path, make in self._results_of(clip):
            if not path.is_file():
                _write(path, make())
                yield

    def result(self, contestant: Contestant, clip: int, seed: int) -> dict[str, Any]:
        """A finished result: `scores`, window features `face` and `head`, and `style`."""
        return json.loads(self._path(contestant, clip, f"seed {seed}").read_text(encoding="utf-8"))

    def diversity(self, contestant: Contestant, clip: int) -> dict[str, float]:
        """How much the takes of one clip differ; finished results of all seeds."""
        path = self._path(contestant, clip, f"diversity of {len(self.seeds(contestant))}")
        return json.loads(path.read_text(encoding="utf-8"))

    def _results_of(self, clip: int) -> Iterator[tuple[Path, Any]]:
        """Every result of a clip: where it is kept, and how it is made."""
        for contestant in self.contestants.values():
            seeds = self.seeds(contestant)
            take = cache(lambda seed, who=contestant: self.take(who, clip, seed))
            for seed in seeds:
                yield (
                    self._path(contestant, clip, f"seed {seed}"),
                    lambda seed=seed, take=take: self._measured(clip, take(seed)),
                )
            if len(seeds) > 1:
                yield (
                    self._path(contestant, clip, f"diversity of {len(seeds)}"),
                    lambda seeds=seeds, take=take: distribution.evaluate_takes(
                        self.head, [take(seed) for seed in seeds]
                    ),
                )

    def _measured(self, clip: int, motion: Motion) -> dict[str, Any]:
        head, record = self.head, self.record(clip)
        reference = record.motion
        return {
            "scores": {
                **lips.evaluate(head, reference, motion, record.speech.phones),
                **upper_face.evaluate(head, reference, motion),
                **head_pose.evaluate(reference, motion, self._beats(clip)),
                **continuity.evaluate(head, motion, continuity.window_borders(motion)),
            },
            "face": distribution.face_features(head, motion).tolist(),
            "head": distribution.head_features(motion).tolist(),
            "style": style_row(motion),
        }

    def _beats_of(self, clip: int) -> tuple[float, ...]:
        """Accents of the voice [s], inside the motion."""
        record = self.record(clip)
        accents = analyze_prosody(record.speech.samples).accents
        return tuple(a.time for a in accents if a.time <= record.motion.seconds)

    def _path(self, contestant: Contestant, clip: int, what: str) -> Path:
        facts = [self._clip_key(clip), self._head_key, self.codes[contestant.method]]
        facts += [contestant.identity, contestant.method or contestant.name, what]
        if contestant.other_voice:
            facts.append(self._clip_key(self.partner(clip)))
        name = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:40]
        return cache_dir("evaluate", "results") / name[:2] / f"{name}.json"

    def _clip_digest(self, clip: int) -> str:
        columns = ("id", "speaker", "style", "transcript", "phones", "factors")
        row = [str(self.clips.index[column][clip]) for column in columns]
        digest = hashlib.sha256("\n".join([*row, str(self.clips.fps)]).encode())
        digest.update(self.clips.motion(clip).values.tobytes())
        digest.update(self.clips.audio_path(clip).read_bytes())
        return digest.hexdigest()


def style_row(motion: Motion) -> list[float] | None:
    """Style features, where they are defined."""
    if motion.layout != ARKIT or motion.seconds < MIN_SECONDS:
        return None
    return motion_style_features(motion).tolist()


@cache
def code_digest(method: str) -> str:
    """Digest of all code that decides a number, with one method or none."""
    package = Path(kinevox.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        owner = _METHOD_FILE.match(place)
        foreign = owner is not None and owner[1].replace("_", "-") != method
        if place in _SCORING or not (foreign or place.startswith(INDIFFERENT)):
            digest.update(place.encode() + path.read_bytes())
    for library in _LIBRARIES:
        try:
            digest.update(f"{library} {version(library)}".encode())
        except PackageNotFoundError:
            continue
    return digest.hexdigest()


def _head_digest(head: Head) -> str:
    """Digest of a head's arrays."""
    digest = hashlib.sha256(head.name.encode())
    parts: list[Any] = [head, head.regions]
    for part in parts:
        for item in fields(part) if is_dataclass(part) else ():
            value = getattr(part, item.name)
            if isinstance(value, np.ndarray):
                digest.update(item.name.encode() + np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _write(path: Path, result: dict[str, Any]) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(_plain(result)), encoding="utf-8")


def _plain(value: Any) -> Any:
    """Numbers to seven digits, so that a result is small; NaN as None, so that it is JSON."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.7g}") if np.isfinite(value) else None
    return value
