"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinevox.files import written_whole


def test_success_replaces_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.flame.npz"
    for text in ("old", "new"):
        with written_whole(path) as temporary:
            assert temporary.parent == path.parent and temporary.suffix == path.suffix
            temporary.write_text(text)
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(error), written_whole(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"a\.csv cannot be written.*Name another place"):
        with written_whole(tmp_path / "file" / "a.csv"):
            pass
