"""Where clips of corpus `performers` come about: a voice, a performer, a microphone."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox import __version__
from kinevox.audio.read import read_audio
from kinevox.data.augment import degrade, vary_voice
from kinevox.data.corpora._cast import Performer, draw_cast
from kinevox.data.corpora._passages import compose, stretched
from kinevox.data.corpora._voices import RecordedVoice, Voice, recorded_voices, synthetic_voices
from kinevox.data.record import SPLITS, Record
from kinevox.errors import AssetError, KinevoxError
from kinevox.methods.articulate import METHOD
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
    transcribed: bool = False
    """Leave out people whose phones would have to be guessed."""

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
                if voice.split == split
                and voice.seconds >= FEWEST_SECONDS
                and not (plan.transcribed and voice.group == "other")
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
