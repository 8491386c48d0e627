"""Model cards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kinevox.cli.main import main
from kinevox.errors import ConfigError
from kinevox.training.card import write_card


@pytest.fixture
def best(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run / "best", tmp_path / "best"))


def test_every_run_gets_one(run: Path) -> None:
    card = (run / "best" / "card.md").read_text()
    for fact in ("CC0-1.0", "face_error", "split `valid`", "torch", "`toy`", "width 16"):
        assert fact in card


def test_results_replace_the_validation(best: Path, tmp_path: Path) -> None:
    lips = {"value": 1.25, "low": 1.0, "high": 1.5, "unit": "mm"}
    results = {
        "command": "kinevox evaluate --corpus toy",
        "contestants": {
            "regressor:RUN": {"scores": {"lip_error": lips, "fdd": {"value": None, "unit": ""}}},
            "mean-pose": {"scores": {"lip_error": {"value": 3.0, "unit": "mm"}}},
        },
        "limits": ["Whispering."],
    }
    (tmp_path / "results.json").write_text(json.dumps(results))
    card = write_card(best, tmp_path / "results.json").read_text()
    assert "| score | unit | regressor:RUN | mean-pose |" in card
    assert "| lip_error | mm | 1.25 (1 to 1.5) | 3 |" in card and "| fdd |  |  |  |" in card
    assert "kinevox evaluate --corpus toy" in card and "- Whispering." in card
    assert "face_error" not in card


def test_from_the_command_line(best: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (best / "card.md").unlink()
    assert main(["card", str(best)]) == 0
    assert Path(capsys.readouterr().out.strip()) == best / "card.md"
    assert "face_error" in (best / "card.md").read_text()
    assert main(["card", str(best), "--results", str(best / "checkpoint.json")]) == 2
    assert main(["card", "nobody"]) == 1


@pytest.mark.parametrize("content", ["no json", "{}", "[]"])
def test_other_files_are_no_results(best: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ConfigError, match="results"):
        write_card(best, tmp_path / "results.json")
