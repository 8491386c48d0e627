"""Real measurements, short ones: every figure is there and makes sense."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinevox import api
from kinevox.bench.memory import HelperWatch, peak_mb
from kinevox.bench.result import Report
from kinevox.bench.tables import to_markdown
from kinevox.cli.main import main

STAGES = ["other", "decode", "phones", "prosody", "head, eyes, brows", "lips"]


@pytest.fixture(scope="module")
def report(ah: Path) -> Report:
    options = {"lengths": [1], "batch_sizes": [2], "threads": [1], "repeats": 2, "frames": 0}
    return api.bench(**options, methods=["articulate"], speech=[ah])


def test_every_figure_is_there(report: Report) -> None:
    (case,) = report.cases
    assert case.error is None and not case.failures and not report.failed
    assert case.whole is not None and case.again is not None
    assert [part.name for part in case.stages] == STAGES
    for part in (case.whole, case.again, *case.stages):
        assert len(part.wall) == len(part.cpu) == 2 and min(part.wall) > 0
        assert part.speech_seconds == 2.0  # A batch of two lines.
    for run in range(2):
        total = sum(part.wall[run] for part in case.stages)
        assert case.whole.wall[run] == pytest.approx(total)
    assert case.again.cpu_factor < case.whole.cpu_factor, "phones were remembered"
    assert 30 < case.memory_mb["motion"] < 2000
    assert set(case.packages) >= {"numpy", "pocketsphinx", "av"}
    assert "torch" not in case.packages, "articulate does not need it"


def shape(value: Any) -> Any:
    """The keys of a document and the kinds of its values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.golden
def test_json_keys(report: Report, golden: Callable[[str, str], None]) -> None:
    told = json.loads(json.dumps(report.to_json()))
    told["packages"] = {"numpy": told["packages"]["numpy"]}
    golden("bench/report-keys.json", json.dumps(shape(told), indent=1))


@pytest.mark.golden
def test_markdown(report: Report, golden: Callable[[str, str], None]) -> None:
    page = re.sub(r"(?m)^- (Machine|Software): .*$", r"- \1: ...", to_markdown(report))
    # Figures change, their places do not.
    page = re.sub(r"\b\d+\.?\d*(?= (\(|/|MB|s \|)|\)| to|;? \|)|(?<=(/|o|d) )\d+\.?\d*", "#", page)
    golden("bench/report.md", page)


@pytest.mark.usefixtures("broken_methods")
def test_failing_methods_are_reported_and_the_others_go_on(ah: Path) -> None:
    report = api.bench(lengths=[1], methods=["broken", "dying"], repeats=1, speech=[ah])
    broken, dying = report.cases
    assert broken.error == "RuntimeError: no idea how"
    assert dying.error == "the process ended with code 9"
    assert report.failed
    page = to_markdown(report)
    assert "## Failed" in page and "no idea how" in page and "code 9" in page
    assert [case["status"] for case in report.to_json()["cases"]] == ["failed", "failed"]


@pytest.mark.slow
def test_stages_after_the_motion(ah: Path) -> None:
    options = {"lengths": [1], "threads": [1], "repeats": 1, "frames": 4}
    report = api.bench(**options, methods=["articulate"], speech=[ah])
    (case,) = report.cases
    names = [part.name for part in case.stages]
    if not case.failures:  # A machine without OpenGL reports its drawing as failed.
        assert names[-2:] == ["scene set-up, once", "render"]
    assert set(case.failures) <= {"drawing"}
    assert names[len(STAGES) :][:3] == ["head vertices", "export .csv", "export .glb"]
    seconds = {part.name: part.speech_seconds for part in case.stages}
    assert seconds["head vertices"] == pytest.approx(4 / 25)
    assert seconds["export .glb"] == 1.0
    assert case.start["head_seconds"] > 0
    assert case.memory_mb["everything"] >= case.memory_mb["motion"]


def test_a_setup_against_itself_is_a_draw(ah: Path) -> None:
    report = api.bench(
        lengths=[1], repeats=5, speech=[ah], compare=["threads=1", "style=neutral,threads=1"]
    )
    (pair,) = report.comparisons
    assert pair.error is None and len(pair.ratios()) == 5
    ratio = report.to_json()["comparisons"][0]["cpu_ratio"]
    assert 0.5 < ratio["median"] < 2
    assert ratio["lower_quartile"] <= ratio["median"] <= ratio["upper_quartile"]
    assert "over 5 pairs" in to_markdown(report)


def test_a_comparison_that_fails_is_reported(ah: Path) -> None:
    report = api.bench(lengths=[1], repeats=1, speech=[ah], compare=["", "style=nosuch"])
    assert report.failed and "nosuch" in str(report.comparisons[0].error)
    assert "nosuch" in to_markdown(report)


def test_the_command_shows_and_writes(
    report: Report,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: dict[str, Any] = {}

    def measured(**options: Any) -> Report:
        asked.update(options)
        return report

    monkeypatch.setattr(api, "bench", measured)
    paths = [tmp_path / "a.md", tmp_path / "a.json"]
    words = ["bench", "--lengths", "1", "2.5", "--threads", "1", "2", "--compare", "a", "b"]
    assert main([*words, "-o", str(paths[0]), "-o", str(paths[1])]) == 0
    assert asked["lengths"] == (1.0, 2.5) and asked["threads"] == (1, 2)
    assert asked["compare"] == ("a", "b")
    assert "Audio file to motion" in capsys.readouterr().out
    assert paths[0].read_text() == to_markdown(report)
    assert json.loads(paths[1].read_text()) == json.loads(json.dumps(report.to_json()))


def test_other_formats_are_refused_before_measuring(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "-o", "a.txt"]) == 2
    assert ".md or .json" in capsys.readouterr().err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_helpers_are_weighed_by_themselves() -> None:
    ballast = bytearray(os.urandom(1024)) * (200 * 1024)
    assert peak_mb() > 200
    hold = "import time; x = bytearray(60 << 20); time.sleep(1)"
    with HelperWatch() as watch:
        subprocess.run([sys.executable, "-c", hold], check=True)
    assert 60 < watch.peak_mb < 160 and len(ballast)
