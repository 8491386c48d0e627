"""File formats, one per file; `EXPORTERS` lists them by name, suffixes find them."""

from __future__ import annotations

from pathlib import Path

from kinevox.catalog import Catalog
from kinevox.errors import MotionError, UnknownNameError
from kinevox.export._base import Animation, Exporter
from kinevox.motion import Motion

EXPORTERS = Catalog("kinevox.export", "EXPORTER", "export format")

__all__ = ["EXPORTERS", "Animation", "Exporter", "exporter_for", "read_motion", "write"]


def exporter_for(path: Path | str) -> tuple[str, Exporter]:
    """Name and format of a file, by the longest suffix that fits (`.flame.npz` before `.npz`).

    Raises:
        UnknownNameError: no format has that suffix; the nearest is suggested.
    """
    path = Path(path)
    by_suffix = {suffix: part for part in EXPORTERS for suffix in part[1].suffixes}
    fitting = [suffix for suffix in by_suffix if path.name.lower().endswith(suffix)]
    if not fitting:
        raise UnknownNameError("file suffix", path.suffix or path.name, by_suffix)
    return by_suffix[max(fitting, key=len)]


def write(animation: Animation, path: Path | str) -> None:
    """Writes in the format that the suffix of `path` names, whole or not at all.

    Raises:
        UnknownNameError: unknown suffix.
        MotionError: the format cannot hold this motion, or can only be read.
    """
    path = Path(path)
    name, exporter = exporter_for(path)
    if exporter.write is None:
        raise MotionError(f"{path.name}: format '{name}' can be read but not written.")
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
    name, exporter = exporter_for(path)
    if not path.is_file():
        raise MotionError(f"There is no file {path}.")
    ending = path.suffix.lower()
    for other_name, other in EXPORTERS:
        alike = any(suffix.endswith(ending) for suffix in other.suffixes)
        if alike and other.recognizes is not None and other.recognizes(path):
            name, exporter = other_name, other
    if exporter.read is None:
        readable = sorted(
            {suffix for _, part in EXPORTERS if part.read is not None for suffix in part.suffixes}
        )
        raise MotionError(
            f"{path.name}: motion cannot be read from format '{name}'. "
            f"Readable are {', '.join(readable)}."
        )
    return exporter.read(path)


def _read_folder(path: Path) -> Motion:
    for _, exporter in EXPORTERS:
        if exporter.read and exporter.recognizes and exporter.recognizes(path):
            return exporter.read(path)
    raise MotionError(f"{path} is a folder without motion; give a file, or a folder of frames.")
