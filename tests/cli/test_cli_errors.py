"""Errors are one line, say what to do, and set the exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kinevox import api
from kinevox.cli.main import main
from kinevox.errors import KinevoxError

BY_RULES = ("--method", "articulate")
CALLS = {
    "unknown-command": (["anim"], 2),
    "unknown-method": (["cite", "--method", "articulat"], 2),
    "unknown-style": (["animate", "hi.wav", "--style", "livley", *BY_RULES], 2),
    "unknown-format": (["animate", "hi.wav", "-o", "hi.gbl"], 2),
    "unknown-option": (["animate", "hi.wav", "--stile", "lively"], 2),
    "not-a-number": (["animate", "hi.wav", "--seed", "one"], 2),
    "no-recording": (["animate"], 2),
    "no-takes": (["animate", "hi.wav", "--takes", "0"], 2),
    "shared-output": (["animate", "hi.wav", "yo.wav", "-o", "face.glb"], 2),
    "shared-transcript": (["animate", "hi.wav", "yo.wav", "--transcript", "Hello"], 2),
    "no-such-recording": (["animate", "hi.wav", "-o", "hi.csv"], 1),
    "no-such-motion": (["convert", "hi.csv", "-o", "hi.npz"], 1),
    "no-output": (["convert", "hi.csv"], 2),
    "not-a-video": (["render", "hi.csv", "-o", "hi.avi"], 2),
    "bad-size": (["render", "hi.csv", "--size", "big"], 2),
    "no-video": (["capture"], 2),
    "no-such-video": (["capture", "me.mp4"], 1),
    "workers-for-one-video": (["capture", "me.mp4", "--workers", "2"], 2),
    "unknown-shown-style": (["styles", "show", "livley", *BY_RULES], 2),
}


@pytest.mark.golden
@pytest.mark.parametrize("name", CALLS)
def test_error_text(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    words, expected = CALLS[name]
    try:
        code = main(words)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert code == expected
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert list(tmp_path.iterdir()) == []
    golden(f"cli/error-{name}.txt", captured.err)


def test_debug_shows_where() -> None:
    with pytest.raises(KinevoxError):
        main(["anim", "--debug"])


def test_interruption_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "animate_all", interrupted)
    assert main(["animate", "hi.wav"]) == 130
    assert capsys.readouterr().err == "stopped; files that were finished stay\n"
