"""Without OpenGL the user learns what to install, and nothing crashes."""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kinevox.errors import RenderError
from kinevox.rendering import opengl

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux lacks OpenGL.")


@linux_only
def test_missing_libraries_name_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(opengl, "_load", lambda names: None)
    with pytest.raises(RenderError, match=r"no EGL or OSMesa .*apt-get install libegl1"):
        opengl.window_class.__wrapped__()


@linux_only
@pytest.mark.skipif(
    ctypes.util.find_library("OSMesa") is not None, reason="OSMesa would draw instead."
)
def test_a_library_without_a_driver_raises_instead_of_crashing() -> None:
    """libglvnd is told that no vendor exists: a true absence, in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    environment["__EGL_VENDOR_LIBRARY_FILENAMES"] = "/nonexistent.json"
    script = "from kinevox.rendering.opengl import off_screen_window; off_screen_window(64, 64)"
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "RenderError" in run.stderr and "apt-get install" in run.stderr


@pytest.mark.usefixtures("opengl")
def test_drawing_without_a_display_says_nothing() -> None:
    """VTK would complain about a missing X server if it were asked for one."""
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    script = (
        "from synthetic import toy_head, toy_motion; "
        "from kinevox.rendering.video import render_image; "
        "assert render_image(toy_head(), toy_motion(1), size=(64, 64)).std() > 1"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
