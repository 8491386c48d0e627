"""Training data: make, check, look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kinevox.api._material import head_loader
from kinevox.api._values import DEFAULT_HEAD, PathLike, Progress, telling

if TYPE_CHECKING:
    from kinevox.data.check import Report as CorpusReport


def make_corpus(
    name: str,
    source: PathLike,
    out: PathLike,
    *,
    hours: float = 10.0,
    seed: int = 0,
    transcribed: bool = False,
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
        transcribed: For `performers`: only English recordings with a transcript and speaking
            programs, whose phones are known rather than recognized.
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
    options = MakeOptions(
        hours=hours,
        seed=seed,
        transcribed=transcribed,
        workers=workers,
        head=head,
        speakers=table,
    )
    CORPORA.get(name).make(Path(source), Path(out), options, telling(progress))


def check_corpus(corpus: PathLike, *, progress: Progress | None = None) -> CorpusReport:
    """Reads every clip of a corpus and says what is wrong with it.

    Raises:
        AssetError: not a finished corpus.
    """
    from kinevox.data import Corpus
    from kinevox.data.check import check_corpus as check

    return check(Corpus.open(corpus), telling(progress))


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

    show(Corpus.open(corpus), head_loader(head)(), Path(out), seed, telling(progress))
