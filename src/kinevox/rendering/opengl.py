"""Finds a way to draw without a screen, before VTK can crash looking for one.

VTK's wheel holds no OpenGL: it takes EGL or OSMesa from the system and may abort the process when
a library loads but no driver answers. A few calls through ctypes tell beforehand.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from kinevox.errors import MissingExtraError, RenderError

if TYPE_CHECKING:
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

_EGL = ("libEGL.so.1", "libEGL.so")
_OSMESA = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")
_DEVICE_PLATFORM = 0x313F
"""EGL_PLATFORM_DEVICE_EXT."""


def off_screen_window(width: int, height: int) -> vtkRenderWindow:
    """An empty off-screen window.

    Raises:
        MissingExtraError: VTK is not installed.
        RenderError: the machine has no usable OpenGL; the message names what to install.
    """
    try:
        import vtkmodules.vtkRenderingOpenGL2 as opengl
        from vtkmodules.vtkRenderingCore import vtkRenderWindow
    except ImportError:
        raise MissingExtraError("Rendering", "render") from None
    name = window_class()
    # Asking for the class itself keeps VTK from trying (and complaining about) an X server.
    window = getattr(opengl, name)() if hasattr(opengl, name) else vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.ShowWindowOff()
    window.SetSize(width, height)
    return window


@cache
def window_class() -> str:
    """Name of the VTK window that works on this machine.

    Raises:
        RenderError: none does.
    """
    if not sys.platform.startswith("linux"):
        return "vtkRenderWindow"
    if _egl_answers():
        return "vtkEGLRenderWindow"
    if _load(_OSMESA) is not None:
        return "vtkOSOpenGLRenderWindow"
    if os.environ.get("DISPLAY"):
        return "vtkRenderWindow"
    found = "its EGL library finds no driver" if _load(_EGL) else "it has no EGL or OSMesa library"
    raise RenderError(
        f"This machine cannot draw pictures without a screen: {found}. On Debian or Ubuntu: "
        "apt-get install libegl1 libgl1-mesa-dri. Every format but video works without."
    )


def _egl_answers() -> bool:
    """Whether EGL has a display without a screen: one of its devices (Mesa has a software one)."""
    egl = _load(_EGL)
    if egl is None:
        return False
    address, count = ctypes.c_void_p, ctypes.c_int(0)
    egl.eglGetProcAddress.restype = address
    query = egl.eglGetProcAddress(b"eglQueryDevicesEXT")
    display_of = egl.eglGetProcAddress(b"eglGetPlatformDisplayEXT")
    if not query or not display_of:
        return False
    devices = (address * 16)()
    query_devices = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, address, address)(query)
    query_devices(len(devices), devices, ctypes.byref(count))
    platform_display = ctypes.CFUNCTYPE(address, ctypes.c_uint, address, address)(display_of)
    egl.eglInitialize.argtypes = [address, address, address]
    displays = (
        platform_display(_DEVICE_PLATFORM, device, None) for device in devices[: count.value]
    )
    return any(display and egl.eglInitialize(display, None, None) for display in displays)


def _load(names: tuple[str, ...]) -> ctypes.CDLL | None:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
