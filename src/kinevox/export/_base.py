"""What an export format is given, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kinevox.heads import Head
from kinevox.motion import Motion
from kinevox.speech import Speech


@dataclass(frozen=True, eq=False)
class Animation:
    """A motion, and what a format may need beside it."""

    motion: Motion
    load_head: Callable[[], Head]
    """Called only by formats that carry a mesh, so curves alone never wait for a head."""
    speech: Speech | None = None
    name: str = "kinevox"
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Provenance: tool, version, method, style, seed. Written wherever the format has room."""
    progress: Callable[[int, int], None] | None = None
    """Told frames done and frames in all by formats that take long."""


@dataclass(frozen=True)
class Exporter:
    """One file format. `suffixes[0]` is the usual one; longer suffixes win (`.flame.npz`)."""

    suffixes: tuple[str, ...]
    summary: str
    """One line for menus and help."""
    write: Callable[[Animation, Path], None] | None = None
    """Writes whole or not at all."""
    read: Callable[[Path], Motion] | None = None
    recognizes: Callable[[Path], bool] | None = None
    """Whether a file or folder is of this format; asked where formats share the end of their
    suffix, and of folders."""
