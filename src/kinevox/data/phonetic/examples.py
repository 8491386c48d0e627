"""Stretches of packed speech for training, varied and degraded; as many as one likes.

An example's number decides all that is in it, so neither the number of processes that load them
nor an interruption of the training makes a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Integer

from kinevox.audio.mel_grid import HOP
from kinevox.data.augment import Degradation, change_speed, degrade
from kinevox.data.phonetic.pack import PHONES, Part, Passage
from kinevox.errors import AssetError
from kinevox.phones import SILENCE

SHARES: Mapping[str, float] = {"real": 0.75, "synthetic": 0.25}
"""How often each group is heard."""
LIVELY = 0.5
"""Speakers appear as often as this power of the time that they speak."""
SPEEDS = (0.85, 1.2)
"""Range of tempo and pitch together."""
DEGRADATION = Degradation(clean=0.25, reverb=0.4, noise=0.6, band=0.15, codec=0.04)
"""Codecs are slow; what they do to speech is mostly what band limits do."""


@dataclass(frozen=True, eq=False)
class Example:
    """Sound, its labels at 100 per second, and what it was made from."""

    samples: Float[np.ndarray, " samples"]
    clean: Float[np.ndarray, " samples"]
    """Before it was degraded."""
    phones: Integer[np.ndarray, " frames"]
    """As `Part.labels` has them."""
    pitch: Float[np.ndarray, " frames"]
    """Octaves above 100 Hz, NaN where there is no voice."""


@dataclass(frozen=True, eq=False)
class Examples:
    """`examples[n]` is the n-th, for any n."""

    parts: Sequence[Part]
    frames: int
    """Of an example, 100 per second."""
    seed: int = 0
    split: str = "train"

    def __getitem__(self, number: int) -> Example:
        rng = np.random.default_rng([self.seed, number])
        part, passage = self._drawn(rng)
        samples, phones, pitch = _stretch(part, passage, self.frames, rng)
        others = [whose.samples(other) for whose, other in map(self._drawn, [rng] * 2)]
        heard, _ = degrade(samples, rng, others, DEGRADATION)
        return Example(heard, samples, phones, pitch)

    def _drawn(self, rng: np.random.Generator) -> tuple[Part, Passage]:
        groups = sorted(self._speakers)
        shares = np.array([SHARES[group] for group in groups])
        group = groups[rng.choice(len(groups), p=shares / shares.sum())]
        speakers, chances = self._speakers[group]
        chosen = speakers[rng.choice(len(speakers), p=chances)]
        return chosen[rng.integers(len(chosen))]

    @cached_property
    def _speakers(self) -> dict[str, tuple[list[list[tuple[Part, Passage]]], np.ndarray]]:
        """Passages by group and speaker, and how likely each speaker is."""
        found: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
        for part in self.parts:
            for passage in part.passages:
                if passage.split == self.split:
                    found[passage.group][passage.speaker].append((part, passage))
        if not found:
            raise AssetError(f"The packed speech has no split '{self.split}'.")
        drawn = {}
        for group, people in found.items():
            speakers = list(people.values())
            time = np.array([sum(p.frames for _, p in theirs) for theirs in speakers])
            drawn[group] = speakers, time**LIVELY / (time**LIVELY).sum()
        return drawn


def _stretch(
    part: Part, passage: Passage, frames: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sound and labels of some of a passage at another tempo; silence follows a short one."""
    speed = float(rng.uniform(*SPEEDS)) if rng.random() < 0.6 else 1.0
    wanted = min(round(frames * speed), passage.frames)
    first = int(rng.integers(passage.frames - wanted + 1))
    sound = part.samples(passage)[first * HOP : (first + wanted) * HOP]
    phones, pitch = (label[first : first + wanted] for label in part.labels(passage))
    count = min(round(wanted / speed), frames)
    if speed != 1.0:
        sound = change_speed(sound, count * HOP)
        which = np.minimum(((np.arange(count) + 0.5) * speed).astype(int), wanted - 1)
        phones, pitch = phones[which], pitch[which] + np.float32(np.log2(speed))
    samples = np.zeros(frames * HOP, np.float32)
    labels = np.full(frames, PHONES.index(SILENCE))
    octaves = np.full(frames, np.nan, np.float32)
    samples[: count * HOP], labels[:count], octaves[:count] = sound, phones, pitch
    return samples, labels, octaves
