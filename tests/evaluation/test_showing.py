"""Numbers, tables, pages."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kinevox import api
from kinevox.errors import RenderError
from kinevox.evaluation import Plan, Results, Score, measure
from kinevox.evaluation.judge import Judge
from kinevox.evaluation.report import page, to_html
from kinevox.evaluation.report.faces import choose_moments
from kinevox.evaluation.results import score
from kinevox.evaluation.tables import cell, to_markdown

METHODS = ("articulate+phones", "articulate:sad+phones", "mean-pose")


@pytest.fixture(scope="module")
def results(corpus: Path, anny_head: object) -> Results:
    return measure(Plan(str(corpus), methods=METHODS, seeds=2, limit=4))


def test_confidence_interval_by_hand() -> None:
    # Student's t for 2 degrees of freedom is 4.3027, the standard error 1 / sqrt(3).
    found = score([1.0, 2.0, 3.0])
    assert (found.value, found.half_width) == (2.0, pytest.approx(4.3027 / np.sqrt(3), rel=1e-4))
    assert score([5.0]).half_width is None
    assert score([np.nan, 1.0, 1.0]).half_width == 0
    assert np.isnan(score([np.nan]).value)


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (8.8123, 0.0083, "8.81 ± 0.01"),
        (0.28512, 0.01, "0.285 ± 0.010"),
        (1191.4, 12.0, "1191 ± 12"),
        (23.456, None, "23.5"),
        (1.0828e-4, 2e-6, "1.08e-04 ± 2e-06"),
        (-0.5, 3.0, "-0.50 ± 3.00"),
        (0.0, None, "0"),
        (2e-15, None, "0"),
        (np.nan, None, "-"),
    ],
)
def test_numbers_as_shown(value: float, half_width: float | None, text: str) -> None:
    assert cell(Score(value, half_width)) == text


@pytest.mark.golden
def test_markdown(results: Results, golden: Callable[[str, str], None]) -> None:
    machine = {"cpu": "CPU", "cores": 0, "python": "Python", "kinevox": "0", "commit": ""}
    plan = dataclasses.replace(results.plan, corpus="made-up", out=("table.md",))
    facts = {**results.facts, "machine": machine}
    text = to_markdown(dataclasses.replace(results, plan=plan, facts=facts))
    # Numbers differ between processors in their last digit, and with it what is best.
    masked = [
        re.sub(r"-?\b\d[\de.+-]*(?: ± [\de.+-]+)?|\*\*", "#", line).replace("##", "#")
        if re.match(r"\| [\w*]", line) and "metric" not in line
        else line
        for line in text.splitlines()
    ]
    golden("evaluation.md", "\n".join(masked))


def test_the_page_needs_nothing_else(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_camera(head: object) -> None:
        raise RenderError("no OpenGL here")

    monkeypatch.setattr(page, "Camera", no_camera)
    html = to_html(results, Judge(results.plan), lambda stage, done, total: None)
    assert not re.search(r"https?:|src=\"(?!data:)|<script|<link|url\(", html)
    assert "No pictures: no OpenGL here" in html
    linked = set(re.findall(r'href="#([\w-]+)"', html))
    assert linked and linked == set(re.findall(r'<section id="([\w-]+)"', html))
    assert html.count("<polyline") == len(linked) * 5 * 4, "lanes and contestants of each clip"


@pytest.mark.slow
def test_faces_are_pictures(results: Results) -> None:
    from kinevox.rendering.opengl import window_class

    try:
        window_class()
    except RenderError as error:
        pytest.skip(str(error))
    html = to_html(results, Judge(results.plan), lambda stage, done, total: None)
    assert html.count('src="data:image/jpeg;base64,') == 3 * 4


def test_moments_show_different_sounds(corpus: Path, results: Results) -> None:
    record = Judge(results.plan).record(0)
    moments = choose_moments(record.motion, record.speech.phones)
    looks = [moment.label.partition(": ")[2] for moment in moments]
    assert "lips closed" in looks and len(set(looks)) == len(looks) >= 4
    assert [m.frame for m in moments] == sorted(m.frame for m in moments)
    assert len(choose_moments(record.motion, None)) == 6


def test_all_files_by_one_call(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_camera(head: object) -> None:
        raise RenderError("no OpenGL here")

    monkeypatch.setattr(page, "Camera", no_camera)
    out = [tmp_path / f"table{suffix}" for suffix in (".md", ".json", ".html")]
    api.evaluate(corpus, methods=["mean-pose"], limit=2, seeds=1, out=out)
    assert all(path.stat().st_size > 1000 for path in out)
