"""Scripts of benchmarks whose ideas are more than a loop."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import toy_head, toy_motion
from synthetic_corpus import toy_corpus

from kinevox.cli.main import main
from kinevox.data import Corpus
from kinevox.methods import METHODS
from kinevox.methods._options import split_options, with_options
from kinevox.methods.diffposetalk.config import BASE
from kinevox.phones import SILENCE, Phones
from kinevox.speech import Speech
from kinevox.training.loop import space_of

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scripts can be imported, and nothing of them stays."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    torch.set_num_threads(1)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(FOLDER)):
            del sys.modules[name]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return toy_corpus(tmp_path_factory.mktemp("corpus"))


class TestAblations:
    def test_every_training_is_a_command(
        self, corpus: Corpus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import ablations

        monkeypatch.setattr(
            sys, "argv", ["x", "--style-run", "s", "--corpus", str(corpus.folder), "--show"]
        )
        ablations.main()
        *trainings, measuring = capsys.readouterr().out.splitlines()
        assert measuring.startswith("kinevox evaluate") and "guidance=off" in measuring
        # Without guidance there is nothing to train.
        assert len(trainings) == len(ablations.ABLATIONS) - 1
        found = []
        for line in trainings:
            assert main([*line.split()[1:], "--dry-run"]) == 0
            found.append(json.loads(capsys.readouterr().out)["network"]["config"])
        assert all(one != other for k, one in enumerate(found) for other in found[:k])

    @pytest.mark.parametrize(
        ("network", "sampled"),
        [
            ({"reach": 0, "person_hears": True}, ""),
            ({"steps": 1}, "steps=1,guidance=off"),
            ({"drop_style": 0.9, "drop_both": 0.1, "drop_sound": 0.0}, ""),
        ],
    )
    def test_networks_without_a_part_learn_and_perform(
        self, corpus: Corpus, network: dict[str, float], sampled: str
    ) -> None:
        small = {"encoder": "mel", "features": 320, "width": 16, "layers": 1, "heads": 2}
        small |= {"style_width": 16, "style_layers": 1, "style_heads": 2, "head": ""}
        config = replace(BASE, **{**small, **network})
        built = config.build(space_of(corpus)).eval()
        terms = config.loss(built, config.fake_batch(built.space), torch.Generator().manual_seed(0))
        assert all(torch.isfinite(term) for term in terms.values())
        scores = config.validate(built, corpus.split("valid"))
        assert np.isfinite(list(scores.values())).all()
        method = replace(METHODS.get("diffposetalk"), network=built)
        method = with_options(method, split_options(f"x@{sampled}")[1])
        motion = method.generate(Speech(np.zeros(16_000, np.float32)), method.load_style("nobody"))
        assert motion.num_frames == 25 and np.isfinite(motion.values).all()


def test_pauses_are_long_and_their_edges_can_be_left_out() -> None:
    from lip_closure import in_pauses

    labels = (SILENCE, SILENCE, "M", SILENCE, "A", SILENCE)
    ends = np.array([0.2, 0.6, 1.0, 1.2, 2.0, 3.0])
    phones = Phones(labels, np.concatenate([[0.0], ends[:-1]]), ends)
    times = np.arange(30) / 10
    whole = times[in_pauses(phones, times, 0.0, 0.0)]
    # Two silences side by side are one pause; 0.2 s between sounds is none.
    np.testing.assert_allclose(whole, [*np.arange(7) / 10, *np.arange(20, 30) / 10])
    inner = times[in_pauses(phones, times, 0.15, 0.25)]
    np.testing.assert_allclose(inner, [0.2, 0.3, *np.arange(22, 28) / 10])


def test_the_distance_of_distributions() -> None:
    from sampling import distance_mm

    head = toy_head()
    takes = [toy_motion(20, seed=k) for k in range(12)]
    same = distance_mm(head, takes[:6], takes[6:])
    moved = [motion.with_channels(jawOpen=motion["jawOpen"] + 1.0) for motion in takes]
    assert abs(same) < 0.2 * distance_mm(head, takes[:6], moved[6:])
    # Without any spread it is twice the shift.
    from kinevox.metrics._vertices import face_points

    still, shifted = [takes[0]] * 3, [moved[0]] * 3
    points = [1e3 * face_points(head, motion) for motion in (takes[0], moved[0])]
    shift = np.linalg.norm(points[0] - points[1], axis=-1).mean()
    assert distance_mm(head, still, shifted) == pytest.approx(2 * shift)


def test_charts_are_complete() -> None:
    from xml.etree import ElementTree

    from _curves import Curve, chart

    curve = Curve("a & b", [(1, 3.0), (8, 2.0), (50, -1.0)])
    text = chart([("left", [curve, curve], 1.5), ("empty", [], np.nan)], "steps")
    ElementTree.fromstring(text)
    assert text.count("<polyline") == 2 and text.count("stroke-dasharray") == 1
    assert "nan" not in text


def test_what_can_be_read_from_vectors_is_found_and_nothing_else() -> None:
    from style_probe import probed

    rng = np.random.default_rng(0)
    weights = rng.normal(size=(12, 3))
    known = {}
    for split, count in (("train", 200), ("valid", 60), ("test", 60)):
        vectors = rng.normal(3.0, 2.0, size=(count, 12))
        unknown = rng.normal(size=count)
        known[split] = (vectors, np.column_stack([vectors @ weights[:, :2], unknown]))
    told = probed(known)
    assert told[:2].min() > 0.99 and told[2] < 0.1
