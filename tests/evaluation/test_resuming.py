"""Nothing is measured twice, and nobody notices in how many pieces or processes it was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinevox.cache import cache_dir
from kinevox.evaluation import Plan, measure
from kinevox.evaluation.judge import Judge, code_digest
from kinevox.motion import Motion

METHODS = ("articulate+phones", "mean-pose")


def counted(patch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[tuple[str, int, int]]:
    """The takes that are performed from now on; the process dies after some."""
    takes: list[tuple[str, int, int]] = []
    perform = Judge.take

    def take(self: Judge, contestant, clip: int, seed: int) -> Motion:
        if len(takes) == stop_after:
            raise KeyboardInterrupt
        takes.append((contestant.name, clip, seed))
        return perform(self, contestant, clip, seed)

    patch.setattr(Judge, "take", take)
    return takes


def test_a_killed_run_goes_on(corpus: Path, fresh_cache: pytest.MonkeyPatch) -> None:
    plan = Plan(str(corpus), methods=METHODS, seeds=1, limit=4)
    with fresh_cache.context() as patch:
        before = counted(patch, stop_after=5)
        with pytest.raises(KeyboardInterrupt):
            measure(plan)
    with fresh_cache.context() as patch:
        rest = counted(patch)
        resumed = measure(plan)
    assert len(before) == 5 and len(rest) == 4 * 3 - 5
    assert not set(before) & set(rest)
    with fresh_cache.context() as patch:
        again = counted(patch)
        assert measure(plan).to_json() == resumed.to_json()
        assert again == []


def test_more_seeds_and_clips_cost_only_themselves(
    corpus: Path, fresh_cache: pytest.MonkeyPatch
) -> None:
    measure(Plan(str(corpus), methods=METHODS, seeds=2, limit=2))
    with fresh_cache.context() as patch:
        takes = counted(patch)
        measure(Plan(str(corpus), methods=METHODS, seeds=2, limit=3))
        assert len(set(takes)) == len(takes) == 4, "truth, two takes, the mean pose of one clip"
    finished = set(cache_dir("evaluate", "results").rglob("*.json"))
    measure(Plan(str(corpus), methods=METHODS, seeds=3, limit=3))
    added = set(cache_dir("evaluate", "results").rglob("*.json")) - finished
    assert len(added) == 3 * 2, "a third take and the diversity of three, for each clip"


def test_another_clip_is_another_result(corpus: Path, fresh_cache: pytest.MonkeyPatch) -> None:
    judge = Judge(Plan(str(corpus), methods=("articulate", "articulate:sad"), seeds=2))
    paths = [path for clip in judge.chosen.measured for path, _ in judge._results_of(clip)]
    assert len(set(paths)) == len(paths) == 6 * (1 + 3 + 3)


def test_one_process_equals_two(corpus: Path, fresh_cache: pytest.MonkeyPatch) -> None:
    plan = Plan(str(corpus), methods=(*METHODS, "shuffled-audio:teacher"), seeds=2, limit=3)
    alone = measure(plan)
    for path in cache_dir("evaluate", "results").rglob("*.json"):
        path.unlink()
    steps: list[tuple[int, int]] = []
    together = measure(plan, workers=2, progress=lambda stage, *count: steps.append(count))
    for name, scores in alone.scores.items():
        others = {metric: score.value for metric, score in together.scores[name].items()}
        # With other numbers of threads, sums are in another order.
        expected = {metric: score.value for metric, score in scores.items()}
        assert others == pytest.approx(expected, rel=1e-3, abs=1e-6, nan_ok=True)
    assert steps.count((24, 24)) == 1, "8 results for each of 3 clips"


def test_code_of_a_method_decides_over_its_own_takes_only() -> None:
    digests = [code_digest(method) for method in ("", "articulate", "regressor")]
    assert len(set(digests)) == 3
    assert code_digest("no-such-method") == digests[0]
