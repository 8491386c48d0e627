"""Files of other projects' trackers, made up with the exact layout in which they are found."""

from __future__ import annotations

import json
import logging
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kinevox import arkit, rotation
from kinevox.errors import MotionError
from kinevox.export import read_motion
from kinevox.export.mediapipe import ORDER
from kinevox.motion import IDENTITY

RNG = np.random.default_rng(0)
FRAMES = 6


def small(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.1, shape).astype(np.float32)


def vhap() -> dict[str, np.ndarray]:
    return {
        "rotation": small(FRAMES, 3),
        "translation": small(FRAMES, 3),
        "neck_pose": small(FRAMES, 3),
        "jaw_pose": small(FRAMES, 3),
        "eyes_pose": small(FRAMES, 6),
        "shape": small(300),
        "expr": small(FRAMES, 100),
        "timestep_id": np.array([f"{i:06d}" for i in range(FRAMES)]),
        "n_processed_frames": np.array(FRAMES),
        "static_offset": small(1, 20, 3),
    }


def beat2() -> dict[str, np.ndarray]:
    return {
        "betas": small(300),
        "poses": small(FRAMES, 165),
        "expressions": small(FRAMES, 100),
        "trans": small(FRAMES, 3),
        "model": np.array("smplx2020"),
        "gender": np.array("neutral"),
        "mocap_frame_rate": np.array(30),
    }


def skull(parent: np.ndarray, child: np.ndarray) -> np.ndarray:
    matrices = (rotation.matrix_from_axis_angle(x.astype(float)) for x in (parent, child))
    first, second = matrices
    return first @ second


class TestVhap:
    def test_one_file(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        arrays = vhap()
        np.savez(tmp_path / "tracked_flame_params_30.npz", **arrays)
        with caplog.at_level(logging.WARNING):
            motion = read_motion(tmp_path / "tracked_flame_params_30.npz")
        assert "25 frames per second are assumed" in caplog.text
        assert (motion.layout.name, motion.num_frames, motion.fps) == ("flame100", FRAMES, 25)
        np.testing.assert_array_equal(motion.group("expression"), arrays["expr"])
        np.testing.assert_allclose(motion.group("jaw"), arrays["jaw_pose"], atol=1e-7)
        turns = rotation.matrix_from_axis_angle(motion.group("head").astype(float))
        expected = skull(arrays["rotation"], arrays["neck_pose"])
        np.testing.assert_allclose(turns, expected, atol=1e-6)
        np.testing.assert_allclose(
            json.loads(motion.metadata[IDENTITY]), arrays["shape"], atol=1e-5
        )

    @pytest.mark.parametrize("inside", ["flame_param", "."])
    def test_a_folder_of_frames(self, tmp_path: Path, inside: str) -> None:
        arrays = vhap()
        (tmp_path / inside).mkdir(exist_ok=True)
        for i in range(FRAMES):
            frame = {n: a[[i]] if n in PER_FRAME else a for n, a in arrays.items()}
            np.savez(tmp_path / inside / f"{i:05d}.npz", **frame)
        np.savez(tmp_path / "canonical_flame_param.npz", **vhap())
        motion = read_motion(tmp_path)
        np.testing.assert_array_equal(motion.group("expression"), arrays["expr"])
        (tmp_path / inside / "00002.npz").unlink()
        with pytest.raises(MotionError, match=r"between 00001\.npz and 00003\.npz"):
            read_motion(tmp_path)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("jaw_pose", small(FRAMES, 6), r"jaw_pose is float32 of shape \(6, 6\)"),
            ("jaw_pose", small(3, 3), "differ in their number of frames.*jaw_pose 3"),
            ("rotation", np.full((FRAMES, 3), np.nan), "rotation is not finite in frame 0"),
            ("expr", np.zeros((FRAMES, 100), int), "expr is int64"),
        ],
    )
    def test_wrong_arrays_are_named(
        self, tmp_path: Path, name: str, value: np.ndarray, message: str
    ) -> None:
        np.savez(tmp_path / "a.npz", **vhap() | {name: value})
        with pytest.raises(MotionError, match=message):
            read_motion(tmp_path / "a.npz")

    def test_another_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(MotionError, match="folder without motion"):
            read_motion(tmp_path)


PER_FRAME = {"rotation", "translation", "neck_pose", "jaw_pose", "eyes_pose", "expr"}


class TestBeat2:
    def test_face_and_head(self, tmp_path: Path) -> None:
        arrays = beat2()
        np.savez(tmp_path / "2_scott_0_1_1.npz", **arrays)
        motion = read_motion(tmp_path / "2_scott_0_1_1.npz")
        assert (motion.layout.name, motion.fps) == ("flame100", 30)
        joints = arrays["poses"].reshape(FRAMES, 55, 3)
        np.testing.assert_allclose(motion.group("jaw"), joints[:, 22], atol=1e-7)
        turns = rotation.matrix_from_axis_angle(motion.group("head").astype(float))
        np.testing.assert_allclose(turns, skull(joints[:, 12], joints[:, 15]), atol=1e-6)
        assert IDENTITY not in motion.metadata, "betas are SMPL-X's, not FLAME's"

    def test_a_file_without_its_rate_is_taken_at_30(self, tmp_path: Path) -> None:
        arrays = beat2()
        del arrays["mocap_frame_rate"]
        np.savez(tmp_path / "a.npz", **arrays)
        assert read_motion(tmp_path / "a.npz").fps == 30

    def test_a_body_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", **beat2() | {"poses": small(FRAMES, 156)})
        with pytest.raises(MotionError, match=r"poses is .*\(6, 156\).*\(frames, 165\)"):
            read_motion(tmp_path / "a.npz")


def save_like_torch(path: Path, array: np.ndarray, hostile: bool = False) -> None:
    """The zip that torch.save writes for one float tensor, built without torch."""

    class Storage:
        def __reduce__(self):
            raise AssertionError("stored by its id")

    class Pickler(pickle._Pickler):
        def persistent_id(self, obj):
            if isinstance(obj, Storage):
                return ("storage", Name("torch", "FloatStorage"), "0", "cpu", array.size)
            return None

        def save_name(self, obj):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())

        dispatch = pickle._Pickler.dispatch.copy()

    class Name:
        def __init__(self, module: str, name: str):
            self.module, self.name = module, name

    class Tensor:
        pass

    def save_tensor(self, obj):
        self.save_name(Name("torch._utils", "_rebuild_tensor_v2"))
        strides = tuple(s // array.itemsize for s in array.strides)
        size = array.shape if not hostile else (array.shape[0] + 1, *array.shape[1:])
        self.save((Storage(), 0, size, strides, False, {}))
        self.write(pickle.REDUCE)

    Pickler.dispatch[Name] = Pickler.save_name
    Pickler.dispatch[Tensor] = save_tensor
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("motions/data.pkl", "w") as file:
            Pickler(file, 2).dump(Tensor())
        archive.writestr("motions/data/0", array.tobytes())
        archive.writestr("motions/version", "3\n")


class TestARTalk:
    def check(self, path: Path, array: np.ndarray) -> None:
        motion = read_motion(path)
        assert (motion.layout.name, motion.fps) == ("flame100", 25)
        np.testing.assert_array_equal(motion.group("expression"), array[:, :100])
        np.testing.assert_array_equal(motion.group("head"), array[:, 100:103])
        np.testing.assert_array_equal(motion.group("jaw"), array[:, 103:])

    def test_arrays(self, tmp_path: Path) -> None:
        array = small(50, 106)
        np.save(tmp_path / "style.npy", array)
        np.savez(tmp_path / "a.npz", motions=array[None])
        for name in ("style.npy", "a.npz"):
            self.check(tmp_path / name, array)

    def test_a_saved_tensor_is_read_without_torch(self, tmp_path: Path) -> None:
        array = small(50, 106)
        save_like_torch(tmp_path / "x_motions.pt", array)
        self.check(tmp_path / "x_motions.pt", array)

    def test_a_tensor_saved_by_torch_itself(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")
        array = small(50, 106)
        torch.save(torch.from_numpy(array), tmp_path / "a.pt")
        self.check(tmp_path / "a.pt", array)
        turned = torch.from_numpy(np.ascontiguousarray(array.T)).T
        torch.save({"motion": turned, "note": "hello"}, tmp_path / "b.pt")
        self.check(tmp_path / "b.pt", array)

    def test_nothing_is_run_and_nothing_beyond_the_numbers_read(self, tmp_path: Path) -> None:
        save_like_torch(tmp_path / "a.pt", small(50, 106), hostile=True)
        with pytest.raises(MotionError, match="beyond its numbers"):
            read_motion(tmp_path / "a.pt")
        with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
            archive.writestr("b/data.pkl", b"cos\nsystem\n(S'true'\ntR.")
        with pytest.raises(MotionError, match=r"names os\.system.*Nothing in it was run"):
            read_motion(tmp_path / "b.pt")

    def test_other_widths_are_refused(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", small(50, 56))
        with pytest.raises(MotionError, match=r"\(50, 56\); expected .*\(frames, 106\)"):
            read_motion(tmp_path / "a.npy")
        np.save(tmp_path / "b.npy", np.array([{}], dtype=object))
        with pytest.raises(MotionError, match="not a readable npy"):
            read_motion(tmp_path / "b.npy")


TURN = np.array([0.1, -0.2, 0.05])


def scores(frame: int) -> dict[str, float]:
    return {name: round(0.01 * i + 0.001 * frame, 4) for i, name in enumerate(ORDER)}


def matrix() -> np.ndarray:
    square = np.eye(4)
    square[:3, :3] = rotation.matrix_from_axis_angle(TURN)
    square[:3, 3] = 1.5, -2.0, -40.0
    return square


def of_python(frame: int) -> dict:
    categories = [{"category_name": n, "score": s, "index": 0} for n, s in scores(frame).items()]
    return {
        "timestamp_ms": 40 * frame,
        "face_blendshapes": [categories],
        "facial_transformation_matrixes": [matrix().tolist()],
    }


def of_javascript(frame: int) -> dict:
    categories = [{"categoryName": n, "score": s, "index": 0} for n, s in scores(frame).items()]
    data = matrix().T.ravel().tolist()  # by columns
    return {
        "timestamp": 40 * frame,
        "faceBlendshapes": [{"categories": categories, "headIndex": -1}],
        "facialTransformationMatrixes": [{"rows": 4, "columns": 4, "data": data}],
    }


class TestMediaPipe:
    def check(self, path: Path, head: bool = True, fps: float = 25.0) -> None:
        motion = read_motion(path)
        assert (motion.layout.name, motion.num_frames, motion.fps) == ("arkit", FRAMES, fps)
        for name in arkit.NAMES:
            expected = [scores(i).get(name, 0.0) for i in range(FRAMES)]
            np.testing.assert_allclose(motion[name], expected, atol=1e-6)
        np.testing.assert_allclose(motion.group("head")[2], TURN if head else 0 * TURN, atol=1e-5)

    @pytest.mark.parametrize("result", [of_python, of_javascript])
    @pytest.mark.parametrize("wrap", [list, lambda frames: {"frames": frames}])
    def test_results_as_json(self, tmp_path: Path, result, wrap) -> None:
        document = wrap([result(i) for i in range(FRAMES)])
        (tmp_path / "a.json").write_text(json.dumps(document))
        self.check(tmp_path / "a.json")

    def test_scores_by_name(self, tmp_path: Path) -> None:
        frames = [scores(i) for i in range(FRAMES)]
        (tmp_path / "a.json").write_text(json.dumps(frames))
        self.check(tmp_path / "a.json", head=False, fps=30.0)
        listed = [{"blendshapes": list(scores(i).values())} for i in range(FRAMES)]
        (tmp_path / "b.json").write_text(json.dumps({"fps": 25, "frames": listed}))
        self.check(tmp_path / "b.json", head=False)

    def test_csv(self, tmp_path: Path) -> None:
        grid = [f"m{r}{c}" for r in range(4) for c in range(4)]
        lines = [",".join(["timestamp_ms", *ORDER, *grid])]
        for i in range(FRAMES):
            lines.append(",".join(map(str, [40 * i, *scores(i).values(), *matrix().ravel()])))
        (tmp_path / "a.csv").write_text("\n".join(lines))
        self.check(tmp_path / "a.csv")

    def test_npz(self, tmp_path: Path) -> None:
        values = np.array([list(scores(i).values()) for i in range(FRAMES)])
        np.savez(
            tmp_path / "a.npz",
            blendshapes=values,
            matrices=np.stack([matrix()] * FRAMES),
            timestamps=0.04 * np.arange(FRAMES),
        )
        self.check(tmp_path / "a.npz")
        np.savez(tmp_path / "b.npz", blendshapes=values[:, ::-1], names=ORDER[::-1], fps=25.0)
        self.check(tmp_path / "b.npz", head=False)

    def test_frames_without_a_face_are_interpolated(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        frames = [of_python(i) for i in range(FRAMES)]
        frames[3] |= {"face_blendshapes": [], "facial_transformation_matrixes": []}
        (tmp_path / "a.json").write_text(json.dumps(frames))
        with caplog.at_level(logging.WARNING):
            self.check(tmp_path / "a.json")
        assert "no face in 1 of 6 frames" in caplog.text

    @pytest.mark.parametrize(
        ("frames", "message"),
        [
            ([{"face_blendshapes": []}], "no frame with blendshapes"),
            ([{"face_blendshapes": [[{"category_name": "jawOpen"}]]}], "frame 0 is not understood"),
            ([of_python(1), of_python(0)], "times must increase"),
            ([of_python(0) | {"facial_transformation_matrixes": [[1, 2]]}], "4 x 4 matrix"),
            ({"frames": 3, "faceBlendshapes": 1}, "list of frames"),
            ([{"_neutral": 0.0, "other": 1.0}], "none of ARKit's 52 curves"),
        ],
    )
    def test_broken_dumps_are_named(self, tmp_path: Path, frames: list, message: str) -> None:
        (tmp_path / "a.json").write_text(json.dumps(frames))
        with pytest.raises(MotionError, match=message):
            read_motion(tmp_path / "a.json")
