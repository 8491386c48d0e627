"""Corpus `performers`: the rule-based performer acts out real and synthetic speech.

Each performer has style factors of its own, drawn once, so what a learned method recovers of a
style can be measured. Each clip has a seed of its own, so the same speech is never acted twice
alike. Motion is performed to the clean sound; the sound that is stored may be a worse recording
of it. Splits share neither voices nor performers.

Shard k depends on the seed, k, the length asked for and the recordings alone: shards can be made
in any order, by any number of processes, and again after a crash.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinevox import __version__
from kinevox.audio.read import read_audio
from kinevox.data.augment import degrade, vary_voice
from kinevox.data.corpora._base import MakeOptions, Progress
from kinevox.data.corpora._cast import Performer, draw_cast
from kinevox.data.corpora._passages import compose, stretched
from kinevox.data.corpora._voices import (
    RecordedVoice,
    Voice,
    recorded_voices,
    synthetic_voices,
    versions,
)
from kinevox.data.record import SPLITS, Record
from kinevox.data.store import finish, finished_index, shard_is_finished, write_shard
from kinevox.errors import AssetError, ConfigError, KinevoxError
from kinevox.files import written_whole
from kinevox.methods.articulate import METHOD
from kinevox.motion import ARKIT
from kinevox.phones import SILENCE
from kinevox.speech import Speech
from kinevox.timebase import FPS, SAMPLE_RATE

SPLIT_SHARES = {"train": 0.84, "valid": 0.08, "test": 0.08}
SHARD_SECONDS = 240.0
GROUP_SHARES = {"transcribed": 0.4, "other": 0.4, "synthetic": 0.2}
"""How often a voice of each group is heard, where a split has all of them."""
LARGEST_SHARE = 0.04
"""No voice is heard more often than this, as long as there are enough others."""
FEWEST_SECONDS = 2.4
"""People of whom there is less are left out: their clips would be half silence [s]."""
FEWEST_PHONES = 6
"""A clip with fewer is no speech, or was not understood."""
TRIES = 8
"""Voices tried for one clip before the maker gives up."""

CREDITS = {
    "librispeech": "LibriSpeech, Panayotov et al. 2015, from LibriVox readings",
    "vctk": "CSTR VCTK Corpus, Veaux, Yamagishi and MacDonald, University of Edinburgh",
    "kathleen": "Kathleen, M. Hansen, Rhasspy",
    "kerstin": "Kerstin, M. Hansen, Rhasspy",
    "commonvoice": "Mozilla Common Voice",
    "picovoice": "Picovoice speech-to-intent benchmark",
    "flite": "Festival lite, Carnegie Mellon University",
    "espeak-ng": "eSpeak NG",
}
"""Attribution of sources by the manifest's name of the corpus."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """Everything that a shard depends on; saved beside the shards."""

    speech: str
    manifest: str
    """Hash of the manifest."""
    hours: float
    seed: int
    kinevox: str = __version__
    synthetic: tuple[str, ...] = ()
    """Speaking programs that take part."""

    @property
    def seconds(self) -> dict[str, float]:
        """Length of each split [s]."""
        return {split: 3600 * self.hours * share for split, share in SPLIT_SHARES.items()}

    @property
    def shards(self) -> tuple[tuple[str, float], ...]:
        """Split and length [s] of each shard."""
        counts = {split: max(round(s / SHARD_SECONDS), 1) for split, s in self.seconds.items()}
        return tuple(
            (split, self.seconds[split] / counts[split])
            for split in SPLITS
            for _ in range(counts[split])
        )


@dataclass(frozen=True)
class Performers:
    """The maker."""

    summary: str = "rule-based performers act out real and synthetic speech"
    source: str = "recordings and a manifest.csv with speakers, transcripts and splits"

    def make(self, source: Path, out: Path, options: MakeOptions, progress: Progress) -> None:
        """Makes what is missing; a folder begun with other options is refused.

        Raises:
            AssetError: no usable recordings.
            ConfigError: the options make no corpus, or are not those the folder was begun with.
        """
        if not 0 < options.hours < 1e4 or options.workers < 1:
            raise ConfigError(
                f"{options.hours} hours with {options.workers} workers; both must be positive."
            )
        plan = _begin(source, out, options)
        studio = _studio(plan)
        for note in studio.notes:
            _log.warning("%s.", note)
        todo = [k for k in range(len(plan.shards)) if not shard_is_finished(out, k)]
        done = len(plan.shards) - len(todo)
        stage = f"Performing {options.hours:g} h" + f", {done} shards were there" * (done > 0)
        progress(stage, done, len(plan.shards))
        for _ in _made(plan, out, todo, options.workers):
            done += 1
            progress(stage, done, len(plan.shards))
        finish(out, "performers", ARKIT, FPS, _made_how(plan, studio, finished_index(out)))


CORPUS = Performers()


class Studio:
    """Voices and cast of a plan, and how clips come about."""

    def __init__(self, plan: Plan):
        self.plan = plan
        people = recorded_voices(Path(plan.speech))
        texts = _texts(people)
        programs, self.notes = synthetic_voices(texts)
        everyone: list[Voice] = [*people, *programs]
        self.voices = {
            split: [
                voice
                for voice in everyone
                if voice.split == split and voice.seconds >= FEWEST_SECONDS
            ]
            for split in SPLITS
        }
        empty = [split for split, voices in self.voices.items() if not voices]
        if empty:
            raise AssetError(f"{plan.speech} has no speaker for split {' and '.join(empty)}.")
        self.cast = draw_cast(plan.seed, plan.seconds)

    @cached_property
    def shares(self) -> dict[str, Float[np.ndarray, " voices"]]:
        """How often each voice of each split is heard."""
        return {split: voice_shares(voices) for split, voices in self.voices.items()}

    def records(self, shard: int) -> Iterator[Record]:
        """The clips of one shard."""
        split, wanted = self.plan.shards[shard]
        rng = np.random.default_rng((self.plan.seed, 2, shard))
        crowd = self._crowd(split, rng)
        cast = self.cast[split]
        order = np.random.default_rng((self.plan.seed, 3)).permutation(len(cast))
        # Neighbouring shards go on in the cast about where the one before stopped.
        first = shard * round(SHARD_SECONDS / 7.5)
        seconds, number = 0.0, 0
        while seconds < wanted:
            performer = cast[order[(first + number) % len(cast)]]
            record = self._clip(f"{split}-{shard:05d}-{number:03d}", performer, crowd, rng)
            seconds, number = seconds + record.speech.seconds, number + 1
            yield record

    def _clip(
        self,
        id: str,
        performer: Performer,
        crowd: Sequence[Float[np.ndarray, " _"]],
        shard_rng: np.random.Generator,
    ) -> Record:
        for _ in range(TRIES):
            seed = int(shard_rng.integers(2**32))
            rng = np.random.default_rng(seed)
            split = performer.split
            voice = self.voices[split][rng.choice(len(self.shares[split]), p=self.shares[split])]
            try:
                return self._performed(id, performer, voice, crowd, seed, rng)
            except KinevoxError as error:
                _log.warning("%s by %s: %s", id, voice.speaker, error)
        raise AssetError(f"{TRIES} voices in a row could not be used for {id}; see the log.")

    def _performed(
        self,
        id: str,
        performer: Performer,
        voice: Voice,
        crowd: Sequence[Float[np.ndarray, " _"]],
        seed: int,
        rng: np.random.Generator,
    ) -> Record:
        speech = compose(voice.passages(rng), rng)
        samples, stretch, voiced = vary_voice(speech.samples, rng)
        # Whole frames, so that sound and motion end together.
        samples = samples[: len(samples) // _FRAME * _FRAME]
        assert speech.phones is not None
        clean = replace(speech, samples=samples, phones=stretched(speech.phones, stretch))
        _require_speech(clean)
        motion = METHOD.generate(clean, performer.style, seed=seed, fps=FPS)
        others = [crowd[i] for i in rng.choice(len(crowd), min(4, len(crowd)), replace=False)]
        heard, heard_steps = degrade(samples, rng, others)
        return Record(
            id=id,
            split=performer.split,
            speaker=voice.speaker,
            style=performer.id,
            speech=replace(clean, samples=heard),
            motion=motion,
            factors=asdict(performer.style),
            metadata={
                "language": voice.language,
                "licence": voice.licence,
                "source": voice.source,
                "phones": clean.phones.origin if clean.phones else "",
                "augmentation": json.dumps(voiced | heard_steps),
                "seed": str(seed),
            },
        )

    def _crowd(self, split: str, rng: np.random.Generator) -> list[Float[np.ndarray, " _"]]:
        """A few people of the split, for babble."""
        people = [voice for voice in self.voices[split] if isinstance(voice, RecordedVoice)]
        chosen = rng.choice(len(people), min(12, len(people)), replace=False)
        return [read_audio(people[i].utterances[0].path) for i in chosen]


_FRAME = round(SAMPLE_RATE / FPS)


def voice_shares(voices: Sequence[Voice]) -> Float[np.ndarray, " voices"]:
    """How often each voice is heard: by group, within a group by the root of what there is.

    The root lets people with much to say be heard more often, but far less than in proportion.
    """
    groups = np.array([voice.group for voice in voices])
    shares = np.sqrt([voice.seconds for voice in voices])
    for group in set(groups):
        shares[groups == group] *= GROUP_SHARES[group] / shares[groups == group].sum()
    shares /= shares.sum()
    most = max(LARGEST_SHARE, 1 / len(voices))
    for _ in range(len(voices)):
        over = shares > most + 1e-12
        if not over.any():
            break
        free = shares < most - 1e-12
        excess = (shares[over] - most).sum()
        shares[over] = most
        shares[free] *= 1 + excess / shares[free].sum()
    return shares / shares.sum()


def _require_speech(speech: Speech) -> None:
    assert speech.phones is not None
    count = sum(label != SILENCE for label in speech.phones.labels)
    if count < FEWEST_PHONES or np.abs(speech.samples).max() < 1e-3:
        raise AssetError(f"only {count} phones were heard in {speech.seconds:.1f} s")


def _texts(people: Sequence[RecordedVoice]) -> dict[str, tuple[str, ...]]:
    """English transcripts by split."""
    texts = defaultdict(set)
    for voice in people:
        if voice.group == "transcribed":
            texts[voice.split] |= {u.transcript.lower() for u in voice.utterances}
    return {
        split: tuple(sorted(t for t in found if len(t) < 160)) for split, found in texts.items()
    }


def _begin(source: Path, out: Path, options: MakeOptions) -> Plan:
    """The plan of the folder, which must be the one that these options make."""
    people = source / "manifest.csv"
    if not people.is_file():
        recorded_voices(source)  # says what is expected
    plan = Plan(
        speech=str(source.resolve()),
        manifest=hashlib.sha256(people.read_bytes()).hexdigest()[:16],
        hours=options.hours,
        seed=options.seed,
        synthetic=tuple(versions()),
    )
    path = out / "plan.json"
    if path.is_file():
        begun = json.loads(path.read_text(encoding="utf-8"))
        now = json.loads(json.dumps(asdict(plan)))
        told = [
            f"{name} {begun.get(name)} then, {now[name]} now"
            for name in now
            if name != "speech" and begun.get(name) != now[name]
        ]
        if told:
            raise ConfigError(
                f"{out} was begun otherwise: {'; '.join(told)}. Give the same options, or another "
                "folder."
            )
    else:
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")
    return plan


@lru_cache(maxsize=2)
def _studio(plan: Plan) -> Studio:
    """Once per process."""
    return Studio(plan)


def _make_shard(plan: Plan, out: Path, shard: int) -> int:
    write_shard(out, shard, _studio(plan).records(shard))
    return shard


def _made(plan: Plan, out: Path, shards: Sequence[int], workers: int) -> Iterator[int]:
    """Makes shards and says which one is ready."""
    if workers == 1 or len(shards) < 2:
        for shard in shards:
            yield _make_shard(plan, out, shard)
        return
    threads = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        with ProcessPoolExecutor(min(workers, len(shards)), get_context("spawn")) as pool:
            jobs = [pool.submit(_make_shard, plan, out, shard) for shard in shards]
            for job in as_completed(jobs):
                yield job.result()
    finally:
        for name, value in threads.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Children read these when they start; side by side, one thread each is fastest."""


def _made_how(plan: Plan, studio: Studio, index: dict[str, Any]) -> dict[str, Any]:
    """The command, the sources with licence and attribution, and what was left out."""
    sources: dict[tuple[str, str], dict[str, Any]] = {}
    for text, frames in zip(index["metadata"], index["frames"], strict=True):
        metadata = json.loads(text)
        key = metadata["source"], metadata["licence"]
        entry = sources.setdefault(
            key,
            {
                "name": key[0],
                "licence": key[1],
                "attribution": CREDITS.get(key[0], key[0]),
                "clips": 0,
                "hours": 0.0,
            },
        )
        entry["clips"] += 1
        entry["hours"] += float(frames) / FPS / 3600
    for entry in sources.values():
        entry["hours"] = round(entry["hours"], 3)
    return {
        "command": f"kinevox corpus make performers --hours {plan.hours:g} --seed {plan.seed}",
        "kinevox": plan.kinevox,
        "manifest_sha256": plan.manifest,
        "performer": "articulate (rules, no training)",
        "programs": versions(),
        "sources": [sources[key] for key in sorted(sources)],
        "notes": studio.notes,
    }
