"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from kinevox.heads import HEADS, BlendshapeHead

# The same cases on every run, and no wall-clock limits on a busy machine.
settings.register_profile("kinevox", derandomize=True, deadline=None)
settings.load_profile("kinevox")

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with `tests/golden/NAME`; `make golden` writes it instead.

    Tests that use it carry the marker `golden`.
    """

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
        if os.environ.get("KINEVOX_GOLDEN") == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing; `make golden` writes it."
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on many threads, above all on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def anny_head() -> BlendshapeHead:
    """The default head; building it takes a minute the first time on a machine."""
    return HEADS.get("anny")()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real speech beside the repository; tests that need it skip without it."""
    beside = Path(__file__).parents[1].parent / "shared"
    folder = Path(os.environ.get("KINEVOX_SHARED") or beside)
    if not folder.is_dir():
        pytest.skip(f"No folder {folder.name} beside the repository; set KINEVOX_SHARED.")
    return folder
