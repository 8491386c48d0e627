"""What the README tells people to type works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SPOKEN_SECONDS = 2.3
"""Tests hear the start of the example recording, to be quick [s]."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `examples/` as in the repository but shorter."""
    from kinevox.audio.read import read_audio
    from kinevox.audio.wav import write_wav

    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    samples = read_audio(ROOT / "examples" / "speech.flac")[: int(SPOKEN_SECONDS * 16_000)]
    # The reader looks at the content, not at the suffix.
    write_wav(tmp_path / "examples" / "speech.flac", samples[None], 16_000)
    (tmp_path / "examples" / "speech.txt").write_text("Hello! I am only a voice")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_is_something_to_test() -> None:
    assert len(blocks("sh")) >= 3 and len(blocks("python")) >= 1


@pytest.mark.parametrize("block", blocks("sh"), ids=lambda block: block.split("\n")[0][:40])
def test_shell_examples(block: str, folder: Path) -> None:
    lines = [line for line in block.splitlines() if not line.startswith("make ")]
    here = Path(sys.executable).parent
    subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        check=True,
        env=os.environ | {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}"},
    )
    for output in re.findall(r"-o (\S+)", "\n".join(lines)):
        assert (folder / output.replace("{name}", "speech")).stat().st_size > 0


@pytest.mark.parametrize("block", blocks("python"))
def test_python_examples(block: str, folder: Path) -> None:
    exec(compile(block, "README.md", "exec"), {})
    for output in re.findall(r'"(out/\S+?)"', block):
        assert (folder / output).stat().st_size > 0


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_every_format_head_and_command_is_mentioned() -> None:
    from kinevox.cli.main import COMMANDS
    from kinevox.export import EXPORTERS

    missing = [s for _, part in EXPORTERS for s in part.suffixes if f"`{s}`" not in README]
    missing += [name for name in COMMANDS if f"kinevox {name}" not in README]
    assert not missing
