"""Styles that learned methods imitate come from other clips of the performer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from synthetic_weights import tiny_diffposetalk

from kinevox.data import Corpus, Record
from kinevox.data.store import finish, write_shard
from kinevox.errors import ConfigError
from kinevox.evaluation.contestants import load_contestant
from kinevox.evaluation.plan import choose_clips
from kinevox.evaluation.references import MOST, nearest_performer, other_clips
from kinevox.methods import METHODS, diffposetalk
from kinevox.methods.diffposetalk import DiffPoseTalk, Style
from kinevox.motion import ARKIT

Act = Callable[[int, str, str], Record]


@pytest.fixture
def people(act: Act, tmp_path: Path) -> Corpus:
    """p0 with seven clips, p1 with two, p2 with one; p0 trains too, as nobody should."""
    names = ["p0", "p1", "p0", "p0", "p2", "p0", "p0", "p1", "p0", "p0"]
    clips = [act(k, "test", name) for k, name in enumerate(names)]
    write_shard(tmp_path, 0, [*clips, act(90, "train", "p0")])
    finish(tmp_path, "made-up", ARKIT, 25.0, {"command": "a test"})
    return Corpus.open(tmp_path)


def test_others_never_the_clip_nor_what_style_metrics_look_at(people: Corpus) -> None:
    gallery = choose_clips(people.split("test")).gallery
    compared = {str(people.split("test").index["id"][i]) for i in gallery}
    for i in range(10):
        clip = people[i]
        chosen = [people[k] for k in other_clips(people, clip)]
        assert all((o.style, o.split) == (clip.style, "test") for o in chosen)
        assert clip.id not in [o.id for o in chosen] and len(chosen) <= MOST
        if clip.style == "p0":
            assert chosen and not {o.id for o in chosen} & compared


def test_what_is_compared_serves_where_there_is_nothing_else(people: Corpus) -> None:
    first, second = (i for i in range(10) if people[i].style == "p1")
    assert list(other_clips(people, people[first])) == [second]
    assert list(other_clips(people, people[second])) == [first]
    (alone,) = (i for i in range(10) if people[i].style == "p2")
    assert list(other_clips(people, people[alone])) == []


def test_a_contestant_imitates_the_others(
    people: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_diffposetalk(tmp_path / "run")
    seen: list[Style] = []
    generate = DiffPoseTalk.generate

    def watched(self: DiffPoseTalk, speech, style, **options):
        seen.append(style)
        return generate(self, speech, style, **options)

    monkeypatch.setattr(DiffPoseTalk, "generate", watched)
    contestant = load_contestant(f"diffposetalk:{folder}", people)
    assert "style read from other clips of the performer" in contestant.told
    clip, alone = people[0], people[4]
    for who in (clip, clip, alone):
        contestant.perform(who, 0)
    method = METHODS.get("diffposetalk").load(folder)
    others = [people.motion(i) for i in other_clips(people, clip)]
    expected = method.extract_style(others, None, lambda done, total: None).style
    np.testing.assert_allclose(seen[0].vector, expected.vector, atol=1e-6)
    assert seen[1] == seen[0] and seen[2] == Style()


def test_weights_of_the_package_decide_the_results(
    people: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_diffposetalk(tmp_path / "weights")
    monkeypatch.setattr(diffposetalk, "WEIGHTS", folder)
    before = load_contestant("diffposetalk", people).identity
    assert before == load_contestant("diffposetalk", people).identity
    METHODS.get("diffposetalk").save_style(Style((1.0,) * 16), folder / "styles" / "calm.style")
    assert load_contestant("diffposetalk", people).identity != before


def test_the_nearest_performer_by_true_factors(corpus: Path) -> None:
    opened = Corpus.open(corpus)
    nearest = {
        clip.style: nearest_performer(opened, clip, ["p8", "p9", "nobody"]) for clip in opened
    }
    # p8 opens wide and smiles as p0 does; p9 does little, as p1.
    assert (nearest["p0"], nearest["p1"], nearest["p8"]) == ("p8", "p9", "p8")
    with pytest.raises(ConfigError, match="style=nearest"):
        nearest_performer(opened, opened[0], ["somebody"])
