"""One head in a small studio, drawn off-screen.

Everything that does not change is prepared once: subdivision, materials, occlusion, framing. A
frame then costs a few sparse products, an upload of points and one draw per part.
"""

from __future__ import annotations

from types import TracebackType

import numpy as np
from jaxtyping import Float, UInt8

from kinevox import rotation
from kinevox.heads import Head
from kinevox.motion import Motion
from kinevox.rendering import shading
from kinevox.rendering.mesh import PartMesh, attach, part_triangles, poly_data, shaded_actor
from kinevox.rendering.neck import find_neck
from kinevox.rendering.occlusion import Occlusion, bake
from kinevox.rendering.opengl import off_screen_window
from kinevox.rendering.surface import gather_matrix, vertex_normals

_VIEW_DEGREES = 18.0
"""Vertical field of view, that of a portrait lens."""
_MARGIN = 1.16
"""The picture is this much taller than the head, so that it can nod and open its mouth."""


class Scene:
    """A head under three kinds of lamps: key, fill and rim. `draw` poses it and takes a picture.

    Args:
        size: Width and height [pixels].

    Attributes:
        eye: Where the camera stands [m]. It looks along -z.
        focal: Its focal length [pixels].

    Raises:
        RenderError: the machine has no usable OpenGL.
    """

    def __init__(self, head: Head, size: tuple[int, int]):
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        self._size = size
        self._window = off_screen_window(*size)
        self._neck = find_neck(head)
        self._occlusion = _occlusion(head)
        self._parts = [
            PartMesh(head, triangles, shading.material(part.name), size)
            for part in head.parts
            if len(triangles := part_triangles(head, part))
        ]
        self._hang_lamps_and_camera(head)
        self._pixels = vtkUnsignedCharArray()

    def draw(
        self,
        pose: Float[np.ndarray, "vertices 3"],
        turn: Float[np.ndarray, " 3"] | None = None,
        orbit: float = 0.0,
    ) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of one frame.

        Args:
            pose: Vertices without head pose [m].
            turn: Rotation of the head, axis-angle [rad].
            orbit: Rotation of the turntable under it [rad]; lamps and camera stay.
        """
        from vtkmodules.util.numpy_support import vtk_to_numpy

        turn = np.zeros(3) if turn is None else np.asarray(turn, dtype=np.float64)
        table = rotation.matrix_from_axis_angle(np.array([0.0, orbit, 0.0]))
        vertices = self._neck.turn(pose, turn) @ table.T
        light = self._light(table @ rotation.matrix_from_axis_angle(turn))
        for part in self._parts:
            part.move(vertices.astype(np.float32), light)
        self._window.Render()
        width, height = self._size
        self._window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, self._pixels, 0)
        picture = vtk_to_numpy(self._pixels).reshape(height, width, 4)
        return np.ascontiguousarray(picture[::-1, :, :3])

    def close(self) -> None:
        """Gives the graphics memory back."""
        self._window.Finalize()

    def __enter__(self) -> Scene:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _light(self, R_world_head: np.ndarray) -> Float[np.ndarray, "vertices 4"]:
        # The lamps hang still; seen from the head they turn the other way.
        key, fill = (
            self._occlusion.seen(np.array(lamp) @ R_world_head)
            for lamp in (shading.KEY, shading.FILL)
        )
        light = [key, self._occlusion.openness, self._neck.fade, fill]
        return np.stack(light, axis=1).astype(np.float32)

    def _hang_lamps_and_camera(self, head: Head) -> None:
        from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer

        low, high = head.template.min(axis=0), head.template.max(axis=0)
        width, height = self._size
        middle = (low[1] + high[1]) / 2
        # Widest when the head looks aside: its depth then lies across the picture.
        reach = float(np.abs(head.template[:, [0, 2]]).max())
        need = max((high[1] - low[1]) / 2, reach * height / width) * _MARGIN
        distance = need / np.tan(np.radians(_VIEW_DEGREES / 2)) + high[2] / 2
        radius = 1.5 * float(np.linalg.norm(head.template, axis=1).max())
        self.eye: Float[np.ndarray, "3"] = np.array([0.0, middle, distance])
        self.focal = height / 2 / float(np.tan(np.radians(_VIEW_DEGREES / 2)))

        renderer = vtkRenderer()
        camera = renderer.GetActiveCamera()
        camera.SetPosition(0, middle, distance)
        camera.SetFocalPoint(0, middle, 0)
        camera.SetViewAngle(_VIEW_DEGREES)
        camera.SetClippingRange(max(distance - radius, 0.05 * distance), distance + 2 * radius)
        # The materials bring their own lamps; VTK must only know that there is light at all.
        renderer.AutomaticLightCreationOff()
        renderer.AddLight(vtkLight())
        for part in self._parts:
            renderer.AddActor(part.actor)
        self._wall = _Wall(self._size, distance, middle, radius)
        renderer.AddActor(self._wall.actor)
        # Multisampling costs twice as much in software and smooths no better at this size.
        renderer.UseFXAAOn()
        renderer.GetFXAAOptions().SetEndpointSearchIterations(4)
        renderer.GetFXAAOptions().SetUseHighQualityEndpoints(False)
        self._window.SetMultiSamples(0)
        self._window.AddRenderer(renderer)


class _Wall:
    """A wall behind the head that fills the picture."""

    def __init__(self, size: tuple[int, int], distance: float, middle: float, radius: float):
        half = (distance + radius) * np.tan(np.radians(_VIEW_DEGREES / 2)) * 1.1
        across = half * size[0] / size[1]
        corners = [(x, middle + y, -radius) for y in (-half, half) for x in (-across, across)]
        self._arrays = {
            "Normals": np.tile(np.array([0, 0, 1], np.float32), (4, 1)),
            "light": np.zeros((4, 4), np.float32),
            "paint": np.zeros((4, 3), np.float32),
        }
        self._points = np.array(corners, np.float32)
        data = poly_data(self._points, np.array([[0, 1, 3], [0, 3, 2]]))
        for name, values in self._arrays.items():
            attach(data, name, values)
        data.GetPointData().SetActiveNormals("Normals")
        self.actor = shaded_actor(data, shading.BACKDROP, size)


def _occlusion(head: Head) -> Occlusion:
    """Skin as it is at rest; what is inside the mouth as when it is open; eyes as their front.

    An eye turns under its lids, so what is hidden at rest comes to light: all of it takes the
    shade of its visible part.
    """
    rest = Motion(head.layout.neutral[None], layout=head.layout)
    occlusion = _bake(head, rest)
    if "jawOpen" in head.layout.names:
        outside = np.ones(len(head.template), dtype=bool)
        for part in head.parts:
            outside[part.start : part.stop] = not part.name.startswith(("teeth", "tongue", "gum"))
        occlusion = occlusion.where(outside, _bake(head, rest.with_channels(jawOpen=0.6)))
    for part in head.parts:
        if part.name.startswith("eye"):
            occlusion = occlusion.evened(slice(part.start, part.stop))
    return occlusion


def _bake(head: Head, motion: Motion) -> Occlusion:
    vertices = head.vertices(motion, head_pose=False)[0]
    gather = gather_matrix(head.triangles, len(vertices))
    return bake(vertices, vertex_normals(vertices, head.triangles, gather), head.triangles)
