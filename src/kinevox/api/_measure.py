"""Methods and machines compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kinevox.api._material import listed
from kinevox.api._values import DEFAULT_HEAD, DEFAULT_METHOD, PathLike, Progress, telling

if TYPE_CHECKING:
    from kinevox.bench.result import Report
    from kinevox.evaluation import Results


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

    outputs = [str(path) for path in listed(out)]
    check_outputs(outputs)
    tell = telling(progress)
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
    return run(plan, gather(list(map(Path, speech))), telling(progress))
