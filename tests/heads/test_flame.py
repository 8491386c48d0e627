"""FLAME from a synthetic file with the structure of the published one."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from synthetic_faces import flame_file

from kinevox import rotation
from kinevox.errors import AssetError, ConfigError, MotionError
from kinevox.heads import inner_lip_gap
from kinevox.heads._flame_file import FlameModel, read_flame, write_flame
from kinevox.heads.flame import FlameHead, load_flame
from kinevox.motion import ARKIT, Motion, flame_layout


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))


def write_pickle(path: Path, content: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.fixture
def flame_path(tmp_path: Path) -> Path:
    return write_pickle(tmp_path / "generic_model.pkl", flame_file())


def random_motion(layout, frames: int = 6, seed: int = 3) -> Motion:
    rng = np.random.default_rng(seed)
    return Motion(rng.normal(0, 0.3, (frames, layout.num_channels)), layout=layout)


def vertices_one_by_one(head: FlameHead, motion: Motion) -> np.ndarray:
    """The equations of the paper, one vertex and one joint at a time."""
    model = head.model
    posed = np.zeros((motion.num_frames, *head.template.shape))
    origin = model.joint_regressor[0].astype(float) @ model.template
    for t in range(motion.num_frames):
        theta = np.zeros((5, 3))
        theta[0], theta[2] = motion.group("head")[t], motion.group("jaw")[t]
        turns = [rotation.matrix_from_axis_angle(joint) for joint in theta]
        shaped = model.template.astype(float).copy()
        for k, weight in enumerate(motion.group("expression")[t]):
            shaped += weight * model.expression[..., k]
        joints = [row.astype(float) @ shaped for row in model.joint_regressor]
        features = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
        worlds: list[np.ndarray] = []
        for k, parent in enumerate(model.parents):
            local = np.eye(4)
            local[:3, :3] = turns[k]
            local[:3, 3] = joints[k] - (joints[parent] if parent >= 0 else 0)
            worlds.append(worlds[parent] @ local if parent >= 0 else local)
        for v in range(len(shaped)):
            point = shaped[v] + model.pose_correctives[v] @ features
            for k in range(5):
                at_rest = np.append(point - joints[k], 1)
                posed[t, v] += model.skinning_weights[v, k] * (worlds[k] @ at_rest)[:3]
    return posed - origin


def test_equals_the_equations_applied_one_vertex_at_a_time(flame_path: Path) -> None:
    head = load_flame(flame_path)
    motion = random_motion(head.layout, frames=2)
    np.testing.assert_allclose(head.vertices(motion), vertices_one_by_one(head, motion), atol=2e-6)


def test_neutral_motion_gives_the_template(flame_path: Path) -> None:
    identity = np.random.default_rng(0).normal(size=100)
    head = load_flame(flame_path, identity=identity)
    still = Motion(np.zeros((1, 56)), layout=flame_layout(50))
    np.testing.assert_allclose(head.vertices(still)[0], head.template, atol=1e-7)
    assert not np.allclose(head.template, load_flame(flame_path).template, atol=1e-4)
    np.testing.assert_allclose(head.joints[0], 0, atol=1e-7)


def test_head_rotation_is_rigid(flame_path: Path) -> None:
    head = load_flame(flame_path)
    motion = random_motion(head.layout)
    ends = head.triangles[:, :2]
    turned, still = head.vertices(motion), head.vertices(motion, head_pose=False)
    lengths = [np.linalg.norm(np.diff(v[:, ends], axis=2), axis=-1) for v in (turned, still)]
    np.testing.assert_allclose(*lengths, atol=1e-6)
    assert np.abs(turned - still).max() > 0.01


def test_chunks_do_not_show(flame_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = load_flame(flame_path)
    motion = random_motion(head.layout, frames=7)
    whole = head.vertices(motion)
    monkeypatch.setattr("kinevox.heads.flame._CHUNK_VERTICES", 2 * len(head.template))
    np.testing.assert_allclose(head.vertices(motion), whole, atol=1e-7)


def test_regions_and_parts_are_found_from_motion(flame_path: Path) -> None:
    head = load_flame(flame_path)
    assert [part.name for part in head.parts] == ["skin", "eye_left", "eye_right"]
    pairs = head.template[head.regions.inner_lip_pairs]
    assert len(pairs) >= 5
    assert (np.diff(pairs[:, 0, 0]) > 0).all(), "columns run from the character's right to left"
    np.testing.assert_allclose(pairs[:, 0], pairs[:, 1], atol=1e-3)
    opening = np.zeros((2, head.layout.num_channels))
    opening[1, head.layout.index("jaw_x")] = 0.2
    gap = inner_lip_gap(head.vertices(Motion(opening, layout=head.layout)), head.regions)
    assert gap[0] < 1e-3 and gap[1] > 5e-3
    assert set(head.regions.inner_lip_pairs.ravel()) <= set(head.regions.lips)
    assert len(head.regions.upper_face) > 10


def test_masks_replace_the_estimate(flame_path: Path, tmp_path: Path) -> None:
    masks = {"lips": np.arange(5, 9), "forehead": np.arange(4), "eye_region": np.arange(2, 6)}
    head = load_flame(flame_path, masks=write_pickle(tmp_path / "FLAME_masks.pkl", masks))
    assert head.regions.lips.tolist() == [5, 6, 7, 8]
    assert head.regions.upper_face.tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(AssetError, match="no mask 'lips'"):
        load_flame(flame_path, masks=write_pickle(tmp_path / "other.pkl", {"nose": np.arange(3)}))


def test_every_way_of_storing_the_file_gives_the_same_model(
    flame_path: Path, tmp_path: Path
) -> None:
    content = flame_file()
    dense = {**content, "J_regressor": content["J_regressor"].toarray()}
    published = tmp_path / "flame.npz"
    np.savez(published, **{k: v for k, v in dense.items() if isinstance(v, np.ndarray)})
    converted = tmp_path / "converted.npz"
    write_flame(read_flame(flame_path), converted)
    newest = write_pickle(tmp_path / "protocol5.pkl", content, protocol=5)
    first = read_flame(flame_path)
    for path in (flame_path, published, converted, newest):
        other = read_flame(path)
        for name in FlameModel.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(other, name), getattr(first, name))


def python2_pickle_with_chumpy(content: dict[str, object]) -> bytes:
    """As published: arrays inside chumpy objects that Python 2's copy_reg rebuilds."""
    module = types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x: np.ndarray):
            self.x, self.dterms = x, ("x",)

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module.Ch = Ch
    sys.modules |= {"chumpy": types.ModuleType("chumpy"), "chumpy.ch": module}
    try:
        wrapped = {k: Ch(v) if k in ("shapedirs", "v_template") else v for k, v in content.items()}
        # Protocol 0 spells object creation as copy_reg._reconstructor, like the published file.
        return pickle.dumps(wrapped, protocol=0)
    finally:
        del sys.modules["chumpy"], sys.modules["chumpy.ch"]


def test_chumpy_objects_are_read_without_chumpy(flame_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "chumpy.pkl"
    path.write_bytes(python2_pickle_with_chumpy(flame_file()))
    assert b"chumpy" in path.read_bytes() and b"_reconstructor" in path.read_bytes()
    np.testing.assert_array_equal(read_flame(path).expression, read_flame(flame_path).expression)


class Malicious:
    def __init__(self, *call: object):
        self.call = call

    def __reduce__(self):
        function, *arguments = self.call
        return function, tuple(arguments)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_pickle_that_calls_functions_is_refused_and_not_run(
    tmp_path: Path, protocol: int
) -> None:
    import os

    trace = tmp_path / "trace"
    for attack in (
        Malicious(os.system, f"touch {trace}"),
        Malicious(eval, f"open({str(trace)!r}, 'w')"),
        Malicious(getattr, "text", "format"),
    ):
        path = write_pickle(tmp_path / "evil.pkl", {**flame_file(5, 9), "J": attack}, protocol)
        with pytest.raises(AssetError, match=r"names (posix\.system|\w+\.eval|\w+\.getattr)"):
            read_flame(path)
        assert not trace.exists()


def test_files_that_are_not_flame_are_named_as_such(tmp_path: Path) -> None:
    content = flame_file(5, 9)
    with pytest.raises(AssetError, match="Download FLAME"):
        read_flame(tmp_path / "absent.pkl")
    with pytest.raises(AssetError, match="lacks posedirs, weights"):
        short = {k: v for k, v in content.items() if k not in ("posedirs", "weights")}
        read_flame(write_pickle(tmp_path / "short.pkl", short))
    with pytest.raises(AssetError, match=r"posedirs is .* weights is"):
        wrong = {**content, "posedirs": np.zeros((3, 3, 36)), "weights": np.zeros((2, 5))}
        read_flame(write_pickle(tmp_path / "wrong.pkl", wrong))
    whole = (tmp_path / "wrong.pkl").read_bytes()
    (tmp_path / "half.pkl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssetError, match="neither a pickle nor an npz"):
        read_flame(tmp_path / "half.pkl")
    (tmp_path / "text.pkl").write_text("hello")
    with pytest.raises(AssetError, match="neither a pickle nor an npz"):
        read_flame(tmp_path / "text.pkl")
    objects = tmp_path / "objects.npz"
    np.savez(objects, v_template=np.array([{}], dtype=object))
    with pytest.raises(AssetError, match="plain arrays"):
        read_flame(objects)


def test_options_out_of_range_are_refused(flame_path: Path) -> None:
    with pytest.raises(ConfigError, match="num_expressions is 101"):
        load_flame(flame_path, num_expressions=101)
    with pytest.raises(ConfigError, match="at most 300"):
        load_flame(flame_path, identity=np.zeros(301))
    with pytest.raises(MotionError, match="'flame100'"):
        load_flame(flame_path, num_expressions=100).vertices(
            Motion(np.zeros((1, 55)), layout=ARKIT)
        )
