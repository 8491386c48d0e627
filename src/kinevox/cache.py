"""Where slow results are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir(*parts: str) -> Path:
    """A folder for results that can be computed again: `KINEVOX_CACHE`, or `~/.cache/kinevox`."""
    root = os.environ.get("KINEVOX_CACHE") or Path.home() / ".cache" / "kinevox"
    folder = Path(root).joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
