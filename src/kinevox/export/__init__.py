"""File formats, one per file; `EXPORTERS` lists them by name, suffixes find them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kinevox.catalog import Catalog
from kinevox.errors import MotionError, UnknownNameError
from kinevox.export._base import Animation, Exporter
from kinevox.motion import Motion

EXPORTERS = Catalog("kinevox.export", "EXPORTER", "export format")

__all__ = [
    "EXPORTERS", "Animation", "Exporter", "exporter_for", "holds_motion", "read_motion", "write",
]  # fmt: skip


def exporter_for(path: Path | str, *, writing: bool = False) -> tuple[str, Exporter]:
    """Name and format of a file, by the longest suffix that fits (`.flame.npz` before `.npz`).

    Args:
        writing: The file is to be written.

    Raises:
        UnknownNameError: no format has that suffix; the nearest is suggested.
        MotionError: the format cannot be written.
    """
    path = Path(path)
    by_suffix = {suffix: part for part in EXPORTERS for suffix in part[1].suffixes}
    fitting = [suffix for suffix in by_suffix if path.name.lower().endswith(suffix)]
    if not fitting:
        usable = [s for s, (_, part) in by_suffix.items() if part.write or not writing]
        raise UnknownNameError("file suffix", path.suffix or path.name, usable)
    name, exporter = by_suffix[max(fitting, key=len)]
    if writing and exporter.write is None:
        raise MotionError(f"{path.name}: format '{name}' can be read but not written.")
    return name, exporter


def write(animation: Animation, path: Path | str) -> None:
    """Writes in the format that the suffix of `path` names, whole or not at all.

    Raises:
        UnknownNameError: unknown suffix.
        MotionError: the format cannot hold this motion, or can only be read.
    """
    path = Path(path)
    _, exporter = exporter_for(path, writing=True)
    assert exporter.write is not None
    exporter.write(animation, path)


def read_motion(path: Path | str) -> Motion:
    """Reads motion of any format; where suffixes are shared, the content decides.

    A folder is read when a format keeps its frames in one.

    Raises:
        UnknownNameError: unknown suffix.
        MotionError: no such file, a format without readable motion, or a broken file.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path)
    exporter_for(path)
    if not path.is_file():
        raise MotionError(f"There is no file {path}.")
    name, exporter = _format_of(path)
    if exporter.read is None:
        readable = sorted(
            {suffix for _, part in EXPORTERS if part.read is not None for suffix in part.suffixes}
        )
        raise MotionError(
            f"{path.name}: motion cannot be read from format '{name}'. "
            f"Readable are {', '.join(readable)}."
        )
    return exporter.read(path)


def holds_motion(path: Path | str) -> bool:
    """Whether a file or folder is motion that can be read, going by its suffix and content."""
    path = Path(path)
    if path.is_dir():
        return any(_recognized(path))
    try:
        exporter = _format_of(path)[1]
    except UnknownNameError:
        return False
    # Much is JSON or npz; only what a format recognizes is motion.
    general = path.suffix.lower() in (".json", ".npz")
    return exporter.read is not None and (not general or any(_recognized(path)))


def _format_of(path: Path) -> tuple[str, Exporter]:
    """The format by content where suffixes are shared, by suffix otherwise."""
    by_suffix = exporter_for(path)
    return next(_recognized(path), by_suffix)


def _recognized(path: Path) -> Iterator[tuple[str, Exporter]]:
    """Formats that know the file, or folder, as theirs."""
    ending = path.suffix.lower()
    for name, part in EXPORTERS:
        alike = path.is_dir() or any(suffix.endswith(ending) for suffix in part.suffixes)
        if alike and part.recognizes is not None and part.recognizes(path):
            yield name, part


def _read_folder(path: Path) -> Motion:
    for _, exporter in _recognized(path):
        if exporter.read is not None:
            return exporter.read(path)
    raise MotionError(f"{path} is a folder without motion; give a file, or a folder of frames.")
