"""What is compared: corpus, clips, contestants, seeds."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

import numpy as np

from kinevox.data import Corpus
from kinevox.errors import ConfigError

GROUND_TRUTH = "ground-truth"
DEFAULT_METHODS = ("articulate", "articulate:neutral", "teacher", "mean-pose", "shuffled-audio")


def listed_contestants(text: str) -> list[str]:
    """Contestants in a row; a comma before NAME=VALUE belongs to the options of one of them."""
    return [name.strip() for name in re.split(r",(?!\s*[\w-]+=)", text)]


@dataclass(frozen=True)
class Plan:
    """Everything that decides the numbers of one evaluation.

    Raises:
        ConfigError: counts are not positive, or a contestant is named twice.
    """

    corpus: str
    """A folder, or the name of a corpus in the cache."""
    split: str = "test"
    methods: tuple[str, ...] = DEFAULT_METHODS
    """Contestants; the ground truth takes part whether named or not."""
    seeds: int = 10
    """Takes of each clip by each contestant that has randomness."""
    limit: int | None = None
    """At most this many clips, spread over performers."""
    head: str = "anny"
    """The head that vertices are measured on; it must have the layout of the corpus."""
    out: tuple[str, ...] = ()
    """Files the results go to, for the command that is shown with them."""

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is {value}"
            for name, value in (("seeds", self.seeds), ("limit", self.limit))
            if value is not None and value < 1
        ]
        twice = sorted({name for name in self.methods if self.methods.count(name) > 1})
        if twice:
            wrong.append(f"{', '.join(twice)} takes part more than once")
        if wrong:
            raise ConfigError(f"Nothing to compare: {'; '.join(wrong)}. Counts must be positive.")

    @property
    def contestants(self) -> tuple[str, ...]:
        """The ground truth, then all others in the order given."""
        return (GROUND_TRUTH, *(name for name in self.methods if name != GROUND_TRUTH))

    @property
    def command(self) -> str:
        """The command line that makes these results."""
        words = ["kinevox", "evaluate", "--corpus", self.corpus, "--split", self.split]
        words += ["--methods", ",".join(self.methods), "--seeds", str(self.seeds)]
        words += ["--limit", str(self.limit)] if self.limit else []
        words += ["--head", self.head] if self.head != "anny" else []
        return shlex.join([*words, *(word for path in self.out for word in ("--out", path))])


@dataclass(frozen=True)
class Clips:
    """Positions in a split."""

    measured: tuple[int, ...]
    probes: tuple[int, ...]
    """Measured clips from which a performer's style may be told."""
    gallery: tuple[int, ...]
    """Clips that show how each performer moves; no probe is among them."""


def choose_clips(corpus: Corpus, limit: int | None = None) -> Clips:
    """Which clips of a split are measured, and which ones stand for the style of performers.

    Every other clip of a performer goes to the gallery. Measured first are the rest, one of each
    performer after the other, so that few clips still show many performers.
    """
    styles = corpus.index["style"].tolist()
    turn: dict[str, int] = {}
    place = []
    for style in styles:
        place.append(turn.get(style, 0))
        turn[style] = place[-1] + 1
    order = np.lexsort((place, np.array(place) % 2)).tolist()
    measured = tuple(sorted(order[:limit]))
    return Clips(
        measured,
        probes=tuple(i for i in measured if place[i] % 2 == 0 and turn[styles[i]] > 1),
        gallery=tuple(i for i in range(len(corpus)) if place[i] % 2 == 1),
    )
