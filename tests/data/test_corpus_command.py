"""`kinevox corpus` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from synthetic import toy_motion, vowel

from kinevox.cli.main import main
from kinevox.data.corpora import CORPORA
from kinevox.export import EXPORTERS, Animation
from kinevox.speech import Speech


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    folder = tmp_path / "anna"
    folder.mkdir()
    animation = Animation(toy_motion(100, fps=25.0), lambda: None, Speech(vowel(4.0)))
    EXPORTERS.get("livelink-csv").write(animation, folder / "one.csv")
    return folder


def test_making_and_checking(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "corpus"
    assert main(["corpus", "make", "livelink-folder", "--source", str(takes), "-o", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    # A steady vowel says nothing about the mouth, which is one failed line.
    assert main(["corpus", "check", str(out), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["ok"] and report["splits"]["train"]["clips"] == 1
    assert [f["what"] for f in report["findings"] if not f["ok"]] == ["mouth follows sound"]
    assert main(["corpus", "check", str(out)]) == 1
    table = capsys.readouterr().out
    assert "!!  mouth follows sound" in table and "ok  ids are unique" in table


def test_list_names_them_all(capsys: pytest.CaptureFixture) -> None:
    assert main(["corpus", "list", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(CORPORA.names())
    assert main(["corpus", "list"]) == 0
    assert all(name in capsys.readouterr().out for name in CORPORA.names()[:1])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["make", "performer"], 2, "Did you mean 'performers'?"),
        (["make", "performers", "--speech", "here"], 2, "Give both folders"),
        (["make", "biwi", "--source", ".", "-o", "x"], 2, "vertex_clips"),
        (["check", "nowhere"], 1, "not a finished corpus"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], code: int, told: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(["corpus", *words]) == code
    error = capsys.readouterr().err
    assert error.startswith("error:") and error.count("\n") == 1 and told in error
