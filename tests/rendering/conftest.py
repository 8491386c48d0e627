"""Tests that draw skip, and say why, on machines without OpenGL."""

from __future__ import annotations

import pytest

from kinevox.errors import KinevoxError
from kinevox.rendering.opengl import off_screen_window


@pytest.fixture(scope="session")
def opengl() -> None:
    try:
        off_screen_window(64, 64).Finalize()
    except KinevoxError as error:
        pytest.skip(str(error))
