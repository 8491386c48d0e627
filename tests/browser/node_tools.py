"""The JavaScript readers used by these tests: fetched once, outside the tree, or skipped."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from kinevox.cache import cache_dir

HERE = Path(__file__).parent


def node_modules() -> Path:
    """Folder `node_modules` with the packages of the lock file; skips where it cannot be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    lock = HERE / "package-lock.json"
    folder = cache_dir("browser-tests", hashlib.sha256(lock.read_bytes()).hexdigest()[:16])
    done = folder / "complete"
    if not done.exists():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = "npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=0".split()
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
        except subprocess.SubprocessError as error:
            pytest.skip(f"npm could not fetch three.js and the glTF validator: {error}")
        done.touch()
    return folder / "node_modules"
