"""Parts are found by file name, without importing them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kinevox.catalog import Catalog
from kinevox.errors import UnknownNameError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    package = tmp_path / "toy_parts"
    (package / "large").mkdir(parents=True)
    for name in ("__init__", "_helper", "round_one"):
        (package / f"{name}.py").write_text(f"PART = {name!r}\n")
    (package / "large" / "__init__.py").write_text("PART = 'large'\n")
    (package / "broken.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield Catalog("toy_parts", "PART", "toy")
    for module in [name for name in sys.modules if name.startswith("toy_parts")]:
        del sys.modules[module]


def test_names_are_files_without_helpers(folder: Catalog) -> None:
    assert folder.names() == ("broken", "large", "round-one")
    assert "toy_parts.round_one" not in sys.modules


def test_parts_are_imported_on_request(folder: Catalog) -> None:
    assert folder.get("round-one") == "round_one"
    assert folder.get("large") == "large"


def test_unknown_parts_suggest_the_nearest(folder: Catalog) -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown toy 'larg'\. Did you mean 'large'"):
        folder.get("larg")
