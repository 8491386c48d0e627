"""Help: complete, quick to load, and reviewed word for word."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import kinevox.cli
from kinevox.cli.main import COMMANDS, main

HEAVY = ("torch", "numpy", "scipy", "tyro", "rich", "av", "pyvista", "vtkmodules", "pxr", "anny")
AFTER_HELP = "import sys; from kinevox.cli.main import main; main({arguments}); print(*sys.modules)"


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")


def loaded_by(code: str) -> set[str]:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.splitlines()[-1].split()}


def test_top_level_help_loads_nothing_heavy() -> None:
    assert not loaded_by(AFTER_HELP.format(arguments=["--help"])) & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_never_loads_torch(name: str) -> None:
    code = (
        "import sys, contextlib\nfrom kinevox.cli.main import main\n"
        f"with contextlib.suppress(SystemExit): main([{name!r}, '--help'])\nprint(*sys.modules)"
    )
    assert not loaded_by(code) & {"torch", "av", "pyvista", "vtkmodules", "pxr", "anny"}


@pytest.mark.golden
@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_text(
    words: list[str], capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    try:
        main(words)
    except SystemExit as stop:
        assert stop.code == 0
    golden(f"cli/help-{words[0].strip('-')}.txt", capsys.readouterr().out)


def test_every_command_file_is_listed() -> None:
    files = {path.stem for path in Path(kinevox.cli.__file__).parent.glob("[a-z]*.py")}
    assert files == {*COMMANDS, "main"}


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Examples:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kinevox {kinevox.__version__}\n"
