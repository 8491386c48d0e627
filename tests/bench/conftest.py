"""A recording, and methods of another package that go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from synthetic import vowel

from kinevox.audio.flac import write_flac
from kinevox.methods import METHODS

_BROKEN = """
import os

class Broken:
    name = "broken"
    def styles(self): return {"neutral": None}
    def load_style(self, source): return None
    def generate(self, speech, style, *, seed=0, fps=25.0):
        if self.name == "dying":
            os._exit(9)
        raise RuntimeError("no idea how")
    def output_layout(self): return None

class Dying(Broken):
    name = "dying"

BROKEN, DYING = Broken(), Dying()
"""


@pytest.fixture(scope="session")
def ah(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of a vowel."""
    path = tmp_path_factory.mktemp("bench") / "ah.flac"
    write_flac(path, vowel(1.0))
    return path


@pytest.fixture
def broken_methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Methods `broken` (raises) and `dying` (ends its process), found through entry points."""
    (tmp_path / "broken_methods.py").write_text(_BROKEN)
    info = tmp_path / "broken_methods-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-methods\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[kinevox.methods]\nbroken = broken_methods:BROKEN\ndying = broken_methods:DYING\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    METHODS._sources.cache_clear()
    yield
    METHODS._sources.cache_clear()
