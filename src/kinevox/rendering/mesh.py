"""The parts of a head as VTK draws them: refined, painted, moved in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from kinevox.heads import Head, Part
from kinevox.rendering.shading import Material
from kinevox.rendering.surface import build_surface

if TYPE_CHECKING:
    from vtkmodules.vtkCommonCore import vtkDataArray
    from vtkmodules.vtkCommonDataModel import vtkPolyData
    from vtkmodules.vtkRenderingCore import vtkActor


class PartMesh:
    """One part of a head. Its actor is built once; only points, normals and light change."""

    def __init__(
        self,
        head: Head,
        triangles: Int[np.ndarray, "triangles 3"],
        material: Material,
        size: tuple[int, int],
    ):
        self._vertices, local = np.unique(triangles, return_inverse=True)
        local = local.reshape(-1, 3)
        rest = head.template[self._vertices]
        levels = int(_coarse(rest, local, float(np.ptp(head.template[:, 1]))))
        self._surface = build_surface(local, len(self._vertices), levels)
        fine = self._surface.num_vertices
        self._points = np.zeros((fine, 3), np.float32)
        self._normals = np.zeros((fine, 3), np.float32)
        self._light = np.zeros((fine, 4), np.float32)
        colors = getattr(head, "colors", None)
        paint = np.tile(np.array(material.albedo, np.float32), (len(self._vertices), 1))
        if colors is not None:
            paint = colors[self._vertices].astype(np.float32)
        self._data = poly_data(self._points, self._surface.triangles)
        self._moving = [
            self._data.GetPoints().GetData(),
            attach(self._data, "Normals", self._normals),
            attach(self._data, "light", self._light),
        ]
        self._paint = np.clip(self._surface.spread @ paint, 0, 1)
        attach(self._data, "paint", self._paint)
        self._data.GetPointData().SetActiveNormals("Normals")
        self.actor = shaded_actor(self._data, material, size)
        if _closed(rest, local):
            self.actor.GetProperty().BackfaceCullingOn()

    def move(
        self, vertices: Float[np.ndarray, "vertices 3"], light: Float[np.ndarray, "vertices 4"]
    ) -> None:
        """New positions, and what the lamps give each vertex."""
        self._points[:] = self._surface.positions(vertices[self._vertices])
        self._normals[:] = self._surface.normals(self._points)
        self._light[:] = self._surface.spread @ light[self._vertices]
        for array in self._moving:
            array.Modified()
        self._data.Modified()


def part_triangles(head: Head, part: Part) -> Int[np.ndarray, "triangles 3"]:
    """The triangles that start in a part; where parts share one, the first corner decides."""
    first = head.triangles[:, 0]
    return head.triangles[(first >= part.start) & (first < part.stop)]


def _coarse(vertices: np.ndarray, triangles: np.ndarray, height: float) -> bool:
    """Whether corners would show in the outline of a head of this height."""
    edges = np.linalg.norm(vertices[triangles[:, 0]] - vertices[triangles[:, 1]], axis=1)
    return bool(np.median(edges) > 0.015 * height)


def _closed(vertices: np.ndarray, triangles: np.ndarray) -> bool:
    """Whether a part is a body turned outside out, whose far side need not be drawn."""
    a, b, c = (vertices[triangles[:, k]] - vertices.mean(axis=0) for k in range(3))
    volume = np.einsum("tk,tk->", a, np.cross(b, c)) / 6
    return bool(volume > 0.25 * np.prod(np.ptp(vertices, axis=0)))


def poly_data(
    vertices: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "triangles 3"]
) -> vtkPolyData:
    """A mesh as VTK holds it. It borrows the memory of the vertices."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    data, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(vertices))
    corners = np.ascontiguousarray(triangles.ravel(), dtype=np.int64)
    offsets = np.arange(0, len(corners) + 1, 3, dtype=np.int64)
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(corners, deep=True)
    )
    data.SetPoints(points)
    data.SetPolys(cells)
    return data


def shaded_actor(data: vtkPolyData, material: Material, size: tuple[int, int]) -> vtkActor:
    """An actor that draws the arrays `Normals`, `paint` and `light` of `data` with our shader."""
    from vtkmodules.vtkCommonDataModel import vtkDataObject
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    mapper.SetScalarModeToUsePointFieldData()
    mapper.SelectColorArray("paint")
    mapper.SetColorModeToDirectScalars()
    mapper.MapDataArrayToVertexAttribute(
        "light", "light", vtkDataObject.FIELD_ASSOCIATION_POINTS, -1
    )
    actor.SetMapper(mapper)
    actor.GetProperty().SetInterpolationToPhong()
    shader = actor.GetShaderProperty()
    for hook, code in material.vertex_code().items():
        shader.AddVertexShaderReplacement(hook, True, code, False)
    for hook, code in material.fragment_code(size).items():
        shader.AddFragmentShaderReplacement(hook, True, code, False)
    return actor


def attach(data: vtkPolyData, name: str, values: np.ndarray) -> vtkDataArray:
    """A named array per vertex. It borrows the memory of `values`, which the caller keeps alive."""
    from vtkmodules.util.numpy_support import numpy_to_vtk

    array = numpy_to_vtk(values)
    array.SetName(name)
    data.GetPointData().AddArray(array)
    return array
