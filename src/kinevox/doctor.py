"""Checks of the machine: what works, what does not, and what to do about it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Literal

from kinevox import __version__
from kinevox.cache import cache_dir
from kinevox.errors import KinevoxError


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Literal["ok", "missing", "broken"]
    """`missing` things are optional; `broken` ones stop `kinevox animate`."""
    found: str
    advice: str = ""
    """What to do, when the status is not ok."""


def examine() -> list[Check]:
    """Looks at everything that a run may need; takes a second or two."""
    return [check() for check in _CHECKS]


def _python() -> Check:
    return Check("kinevox", "ok", f"{__version__} on Python {platform.python_version()}")


def _machine() -> Check:
    try:
        cores = len(os.sched_getaffinity(0))  # Linux counts what a container may use.
    except AttributeError:
        cores = os.cpu_count() or 1
    return Check("machine", "ok", f"{platform.system()} {platform.machine()}, {cores} cores")


def _packages() -> Check:
    names = ("numpy", "torch", "anny", "pocketsphinx", "praat-parselmouth", "av", "pygltflib")
    found, lost = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lost.append(name)
    if lost:
        return Check("packages", "broken", f"without {', '.join(lost)}", _install(""))
    return Check("packages", "ok", ", ".join(found))


def _phones() -> Check:
    try:
        from pocketsphinx import get_model_path

        model = Path(get_model_path("en-us"))
    except ImportError as error:
        return Check("phone model", "broken", str(error), _install(""))
    if not model.exists():
        return Check("phone model", "broken", f"no model at {model}", _install(""))
    return Check("phone model", "ok", f"PocketSphinx {version('pocketsphinx')}, en-us")


def _codecs() -> Check:
    try:
        import av
    except ImportError as error:
        return Check("video and audio", "broken", str(error), _install(""))
    lost = [name for name in ("libx264", "aac") if name not in av.codecs_available]
    if lost:
        return Check(
            "video and audio",
            "missing",
            f"PyAV {av.__version__} cannot encode {', '.join(lost)}",
            "For MP4, install PyAV's own wheel: pip install --force-reinstall --only-binary=av av",
        )
    return Check("video and audio", "ok", f"PyAV {av.__version__} with H.264 and AAC")


def _cache() -> Check:
    try:
        folder = cache_dir()
        probe = folder / f".probe{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check(
            "cache", "broken", str(error), "Set KINEVOX_CACHE to a folder that can be written."
        )
    return Check("cache", "ok", str(folder))


def _head() -> Check:
    baked = sorted(cache_dir("heads").glob("anny-*.npz")) if _cache().status == "ok" else []
    if not baked:
        return Check(
            "head 'anny'",
            "missing",
            "not built yet",
            "Nothing to do: the first GLB, USD or MP4 builds it, which takes about a minute.",
        )
    return Check("head 'anny'", "ok", f"{len(baked)} built and cached")


def _weights() -> Check:
    from kinevox.methods import METHODS, default_method

    chosen = f"animates with '{default_method()}' by default"
    folder = METHODS.get("diffposetalk").bundled
    if folder is None:
        advice = "Train some: docs/methods/diffposetalk.md. The rules need none."
        return Check("weights", "missing", f"none for 'diffposetalk'; {chosen}", advice)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    return Check("weights", "ok", f"'diffposetalk', {size:.0f} MB; {chosen}")


def _drawing() -> Check:
    from kinevox.rendering.opengl import window_class

    try:
        version("vtk")
        return Check("rendering", "ok", f"VTK {version('vtk')}, {window_class()}")
    except PackageNotFoundError:
        return Check("rendering", "missing", "VTK is not installed", _install("render"))
    except KinevoxError as error:
        found, _, advice = str(error).partition(". ")
        return Check("rendering", "missing", f"{found}.", advice)


def _usd() -> Check:
    try:
        return Check("USD", "ok", f"usd-core {version('usd-core')}")
    except PackageNotFoundError:
        return Check("USD", "missing", "usd-core is not installed", _install("usd"))


def _capture() -> Check:
    try:
        found = version("mediapipe")
    except PackageNotFoundError:
        return Check("capture", "missing", "MediaPipe is not installed", _install("capture"))
    models = Path(str(distribution("mediapipe").locate_file("mediapipe/modules/face_landmark")))
    if not list(models.glob("*.tflite")):
        return Check(
            "capture",
            "missing",
            f"MediaPipe {found} comes without models",
            f"{_install('capture')}, or name a model of yours: kinevox capture --task FILE",
        )
    return Check("capture", "ok", f"MediaPipe {found} with Face Mesh")


def _install(extra: str) -> str:
    name = f"kinevox[{extra}]" if extra else "kinevox"
    return f"{Path(sys.executable).name} -m pip install '{name}'"


_CHECKS: tuple[Callable[[], Check], ...] = (
    _python,
    _machine,
    _packages,
    _phones,
    _codecs,
    _cache,
    _head,
    _weights,
    _drawing,
    _usd,
    _capture,
)
