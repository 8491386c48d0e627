"""What docs/controls.md tells people to type is understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from synthetic import vowel

from kinevox import api
from kinevox.audio.wav import write_wav
from kinevox.cli.main import main

PAGE = (Path(__file__).parents[1] / "docs" / "controls.md").read_text(encoding="utf-8")
LINES = re.findall(r"^kinevox (.+)$", PAGE, re.MULTILINE)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[api.AnimateOptions]:
    """What the command line asks of `api.animate_all`, which does nothing."""
    calls: list[api.AnimateOptions] = []

    def animate_all(recordings: object, **options: object) -> api.Batch:
        assert set(options) == set(api.AnimateOptions.__dataclass_fields__)
        calls.append(api.AnimateOptions(**options))  # type: ignore[arg-type]
        return api.Batch((), ())

    monkeypatch.setattr(api, "animate_all", animate_all)
    return calls


def test_there_is_something_to_test() -> None:
    assert len(LINES) >= 6


@pytest.mark.parametrize("line", LINES)
def test_commands_are_understood(line: str, asked: list[api.AnimateOptions]) -> None:
    assert main(shlex.split(line)) == 0
    (options,) = asked
    assert options.out


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S))
def test_python_examples(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "speech.wav", vowel(4.0)[None], 16_000)
    names: dict[str, api.Take] = {}
    # Rules need no weights and are quick.
    quick = block.replace('"speech.wav",', '"speech.wav", method="articulate",')
    exec(compile(quick, "controls.md", "exec"), names)
    assert names["made"].num_frames == 100  # type: ignore[attr-defined]


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([^)]+)\)", PAGE))
def test_links_lead_somewhere(anchor: str) -> None:
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert anchor in {title.lower().replace(" ", "-") for title in titles}
