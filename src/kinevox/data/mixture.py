"""Windows of two corpora: most are of the one, now and then one is of the other."""

from __future__ import annotations

from dataclasses import dataclass

from kinevox.data.store import Corpus
from kinevox.data.windows import Window, Windows
from kinevox.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Mixed:
    """A corpus that is mixed into the one of a training, such as captured people into performers.

    Raises:
        ConfigError: `every` is below 2.
    """

    corpus: Corpus
    every: int
    """Of so many windows, the last is of this corpus."""

    def __post_init__(self) -> None:
        if self.every < 2:
            raise ConfigError(
                f"One window in {self.every} cannot be of the corpus that is mixed in; give 2 or "
                "more, or train on it alone."
            )

    def check(self, corpus: Corpus) -> None:
        """That it can be mixed into another one.

        Raises:
            AssetError: it has no split `train`.
            ConfigError: layout or frame rate differ.
        """
        self.corpus.split("train")
        ours, theirs = ((c.layout.name, c.fps) for c in (self.corpus, corpus))
        if ours != theirs:
            raise ConfigError(
                f"Corpus '{self.corpus.name}' has layout '{ours[0]}' at {ours[1]:g} fps and cannot "
                f"be mixed into '{corpus.name}' with layout '{theirs[0]}' at {theirs[1]:g} fps."
            )


@dataclass(frozen=True, eq=False)
class Mixture:
    """The endless list of windows of both; the number alone decides, as in `Windows`."""

    most: Windows
    few: Windows
    every: int
    """Of so many windows, the last is of `few`."""

    def __getitem__(self, number: int) -> Window:
        turn, place = divmod(number, self.every)
        return self.few[turn] if place == self.every - 1 else self.most[number - turn]
