"""Universal Scene Description: meters, Y up, one time code per frame, UsdSkel.

Below the default prim, a SkelRoot, lie a Skeleton with the joints `root` and `root/head`, its
SkelAnimation (weights of all shapes, pose of the head joint), one Mesh per part with BlendShape
children, and the sound as a SpatialAudio prim that names the wav beside the file.
"""

# usd-core ships without type information.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kinevox import rotation
from kinevox.errors import MissingExtraError
from kinevox.export._base import Animation, Exporter
from kinevox.export._parts import (
    NORMAL_STILL,
    STILL,
    PartMesh,
    blendshape_head,
    part_meshes,
    provenance,
)
from kinevox.export._sound import write_sound
from kinevox.files import written_whole
from kinevox.timebase import exact_fps

if TYPE_CHECKING:
    from kinevox.heads import BlendshapeHead

_JOINTS = ("root", "root/head")
_HEAD_JOINT = _JOINTS.index("root/head")


def write(animation: Animation, path: Path) -> None:
    """Writes mesh, blendshapes and animation, and the sound beside them.

    Raises:
        MissingExtraError: usd-core is not installed.
    """
    try:
        from pxr import Usd
    except ImportError as error:
        raise MissingExtraError("Writing USD", "usd") from error
    head = blendshape_head(animation, "USD")
    with written_whole(path) as temporary:
        sound = write_sound(animation.speech, path, EXPORTER.suffixes)
        stage = Usd.Stage.CreateNew(str(temporary))
        _fill(stage, animation, head, sound)
        stage.GetRootLayer().Save()
        # An open layer would keep the temporary file's name alive in USD's registry.
        del stage


def _fill(stage: Any, animation: Animation, head: BlendshapeHead, sound: Path | None) -> None:
    from pxr import Gf, Tf, UsdGeom, UsdMedia, UsdSkel, Vt

    motion = animation.motion
    fps = float(exact_fps(motion.fps))
    stage.SetTimeCodesPerSecond(fps)
    stage.SetFramesPerSecond(fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(motion.num_frames - 1)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    notes = provenance(animation) | {f"credit_{k}": v for k, v in head.credits.items()}
    stage.SetMetadata("customLayerData", {Tf.MakeValidIdentifier(k): v for k, v in notes.items()})

    root = UsdSkel.Root.Define(stage, f"/{Tf.MakeValidIdentifier(animation.name)}")
    stage.SetDefaultPrim(root.GetPrim())
    skeleton = UsdSkel.Skeleton.Define(stage, root.GetPath().AppendChild("skeleton"))
    still = Vt.Matrix4dArray([Gf.Matrix4d(1.0)] * len(_JOINTS))
    skeleton.CreateJointsAttr(list(_JOINTS))
    skeleton.CreateBindTransformsAttr(still)
    skeleton.CreateRestTransformsAttr(still)

    moves = UsdSkel.Animation.Define(stage, skeleton.GetPath().AppendChild("animation"))
    moves.CreateJointsAttr(list(_JOINTS))
    moves.CreateBlendShapesAttr(list(head.shape_names))
    # Without all three of them UsdSkel ignores the joints' pose.
    moves.CreateTranslationsAttr(Vt.Vec3fArray(len(_JOINTS)))
    moves.CreateScalesAttr(Vt.Vec3hArray([Gf.Vec3h(1)] * len(_JOINTS)))
    rotations, weights = moves.CreateRotationsAttr(), moves.CreateBlendShapeWeightsAttr()
    turns = rotation.quaternion_from_axis_angle(motion.group("head").astype(np.float64))
    curves = np.ascontiguousarray(head.weights(motion))
    for frame in range(motion.num_frames):
        joints = Vt.QuatfArray([Gf.Quatf(1)] * len(_JOINTS))
        joints[_HEAD_JOINT] = Gf.Quatf(*turns[frame].tolist())
        rotations.Set(joints, frame)
        weights.Set(Vt.FloatArray.FromNumpy(curves[frame]), frame)
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets(
        [moves.GetPath()]
    )

    for part in part_meshes(head):
        name = Tf.MakeValidIdentifier(part.name)
        mesh = UsdGeom.Mesh.Define(stage, root.GetPath().AppendChild(name))
        _fill_mesh(stage, mesh, part)
        binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
        binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
        binding.SetRigidJointInfluence(_HEAD_JOINT)
    # A cube that holds the head whichever way it turns and however wide the mouth is open.
    reach = float(np.linalg.norm(head.template, axis=1).max()) + 0.02
    root.CreateExtentAttr([Gf.Vec3f(-reach), Gf.Vec3f(reach)])
    if sound is not None:
        audio = UsdMedia.SpatialAudio.Define(stage, root.GetPath().AppendChild("speech"))
        audio.CreateFilePathAttr(f"./{sound.name}")
        audio.CreateAuralModeAttr(UsdMedia.Tokens.nonSpatial)


def _fill_mesh(stage: Any, mesh: Any, part: PartMesh) -> None:
    from pxr import UsdGeom, UsdSkel, Vt

    points = Vt.Vec3fArray.FromNumpy(part.points)
    mesh.CreatePointsAttr(points)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(points))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray(len(part.triangles), 3))
    mesh.CreateFaceVertexIndicesAttr(
        Vt.IntArray.FromNumpy(part.triangles.reshape(-1).astype(np.int32))
    )
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(part.normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateDoubleSidedAttr(True)
    if part.colors is not None:
        color = mesh.CreateDisplayColorPrimvar(UsdGeom.Tokens.vertex)
        color.Set(Vt.Vec3fArray.FromNumpy(part.colors.astype(np.float32)))
    if not part.shape_names:
        return
    shapes = []
    for i, name in enumerate(part.shape_names):
        moved = np.flatnonzero(
            (np.abs(part.shapes[i]) > STILL).any(axis=1)
            | (np.abs(part.normal_shapes[i]) > NORMAL_STILL).any(axis=1)
        )
        shape = UsdSkel.BlendShape.Define(stage, mesh.GetPath().AppendChild(name))
        shape.CreateOffsetsAttr(Vt.Vec3fArray.FromNumpy(part.shapes[i, moved]))
        shape.CreateNormalOffsetsAttr(Vt.Vec3fArray.FromNumpy(part.normal_shapes[i, moved]))
        shape.CreatePointIndicesAttr(Vt.IntArray.FromNumpy(moved.astype(np.int32)))
        shapes.append(shape.GetPath())
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateBlendShapesAttr(list(part.shape_names))
    binding.CreateBlendShapeTargetsRel().SetTargets(shapes)


EXPORTER = Exporter(
    suffixes=(".usdc", ".usda", ".usd"),
    summary="USD: animated head as UsdSkel with blendshapes (Omniverse, Maya, Blender, Unreal)",
    write=write,
)
