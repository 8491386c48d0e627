"""Every method, head and format honours its contract, whoever added it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_head, toy_motion, vowel
from synthetic_faces import flame_file

from kinevox import timebase
from kinevox.errors import KinevoxError, UnknownNameError
from kinevox.export import EXPORTERS, Animation, Exporter, exporter_for
from kinevox.heads import HEADS, Head
from kinevox.methods import METHODS, LearnedMethod, Method
from kinevox.motion import Motion
from kinevox.speech import Speech

SPEECH = Speech(vowel(1.3))


def ready(name: str) -> Method:
    """The method; a learned one with a tiny network, as its weights may not be here."""
    method = METHODS.get(name)
    return method.debug() if isinstance(method, LearnedMethod) else method


@pytest.mark.parametrize("name", METHODS.names())
class TestMethods:
    def test_describes_itself(self, name: str) -> None:
        method = METHODS.get(name)
        assert method.name == name
        assert method.summary and "\n" not in method.summary
        assert all(entry.startswith("@") for entry in method.references)

    def test_styles_load_by_name(self, name: str) -> None:
        method = ready(name)
        assert method.styles()
        for style in method.styles():
            assert method.load_style(style) == method.styles()[style]
        with pytest.raises(UnknownNameError):
            method.load_style("no such style")

    @pytest.mark.parametrize("fps", [25.0, 30.0])
    def test_motion_covers_the_recording(self, name: str, fps: float) -> None:
        method = ready(name)
        motion = method.generate(SPEECH, method.load_style(None), seed=0, fps=fps)
        expected = timebase.num_frames(len(SPEECH.samples), timebase.SAMPLE_RATE, fps)
        assert (motion.num_frames, motion.fps) == (expected, fps)

    def test_a_seed_is_a_take(self, name: str) -> None:
        method = ready(name)
        style = method.load_style(None)
        first, again, other = (
            method.generate(SPEECH, style, seed=seed, fps=25.0) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first.values, again.values)
        # Regression by mean squared error has one answer and says so.
        same = np.array_equal(first.values, other.values)
        assert same == getattr(method, "deterministic", False)

    def test_silence_is_no_error(self, name: str) -> None:
        method = ready(name)
        silence = Speech(np.zeros(16_000, np.float32))
        motion = method.generate(silence, method.load_style(None), seed=0, fps=25.0)
        assert motion["jawOpen"].max() < 0.1


@pytest.fixture(params=HEADS.names())
def head(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Head:
    """Each head; those that read a file get a small synthetic one."""
    name = request.param
    if name == "anny":
        return request.getfixturevalue("anny_head")
    if name == "gltf":
        path = tmp_path / "toy.glb"
        EXPORTERS.get("glb").write(Animation(toy_motion(), toy_head), path)
        return HEADS.get("gltf")(path)
    if name == "flame":
        monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))
        model = flame_file()
        model["J_regressor"] = model["J_regressor"].toarray()
        arrays = {key: value for key, value in model.items() if isinstance(value, np.ndarray)}
        np.savez(tmp_path / "flame.npz", **arrays)
        return HEADS.get("flame")(tmp_path / "flame.npz")
    pytest.skip(f"Head '{name}' needs a file that this test cannot make.")


class TestHeads:
    def test_neutral_motion_gives_the_template(self, head: Head) -> None:
        neutral = Motion(np.tile(head.layout.neutral, (2, 1)), layout=head.layout)
        expected = np.stack([head.template] * 2)
        np.testing.assert_allclose(head.vertices(neutral), expected, atol=1e-6)

    def test_turning_the_head_is_rigid(self, head: Head) -> None:
        values = np.tile(head.layout.neutral, (3, 1))
        values[:, head.layout.group("head")] = [[0, 0, 0], [0.2, -0.4, 0.1], [0, 1, 0]]
        posed = head.vertices(Motion(values, layout=head.layout))
        corners = posed[:, head.triangles[:, :2]]
        edges = np.linalg.norm(corners[:, :, 0] - corners[:, :, 1], axis=-1)
        np.testing.assert_allclose(edges, np.stack([edges[0]] * 3), atol=1e-5)
        still = head.vertices(Motion(values, layout=head.layout), head_pose=False)
        np.testing.assert_allclose(still[1], still[0], atol=1e-6)

    def test_mesh_is_sound(self, head: Head) -> None:
        assert head.triangles.min() >= 0 and head.triangles.max() < len(head.template)
        starts, stops = [p.start for p in head.parts], [p.stop for p in head.parts]
        assert starts == [0, *stops[:-1]] and stops[-1] == len(head.template)
        assert head.parts[0].name == "skin"
        size = np.ptp(head.template, axis=0).max()
        assert 0.1 < size < 1.0, "a head in meters"

    def test_regions_lie_on_the_skin(self, head: Head) -> None:
        regions = head.regions
        skin = head.parts[0]
        for vertices in (regions.lips, regions.inner_lip_pairs.ravel(), regions.upper_face):
            assert ((vertices >= skin.start) & (vertices < skin.stop)).all()

    def test_a_wrong_layout_is_refused(self, head: Head) -> None:
        from kinevox.motion import flame_layout

        other = flame_layout(7)
        with pytest.raises(KinevoxError, match="layout"):
            head.vertices(Motion(np.zeros((1, other.num_channels)), layout=other))


@pytest.mark.parametrize("name", EXPORTERS.names())
class TestExporters:
    def test_describes_itself(self, name: str) -> None:
        exporter = EXPORTERS.get(name)
        assert isinstance(exporter, Exporter)
        assert exporter.summary and "\n" not in exporter.summary
        assert all(suffix.startswith(".") for suffix in exporter.suffixes)
        assert exporter.write or exporter.read

    def test_its_suffixes_find_it(self, name: str) -> None:
        for suffix in EXPORTERS.get(name).suffixes:
            assert exporter_for(Path(f"line{suffix}"))[0] == name

    def test_a_failure_leaves_nothing(self, name: str, tmp_path: Path) -> None:
        def no_head() -> Head:
            raise KinevoxError("no head")

        wrong = Motion(np.zeros((2, 3)), layout=_other_layout())
        animation = Animation(wrong, no_head)
        exporter = EXPORTERS.get(name)
        if name == "motion-npz":
            pytest.skip("A kinevox clip holds every layout.")
        if exporter.write is None:
            pytest.skip("This format is only read.")
        with pytest.raises(KinevoxError):
            exporter.write(animation, tmp_path / f"x{exporter.suffixes[0]}")
        assert list(tmp_path.iterdir()) == []

    def test_reading_returns_what_was_written(self, name: str, tmp_path: Path) -> None:
        exporter = EXPORTERS.get(name)
        if exporter.read is None or exporter.write is None or name == "flame-npz":
            pytest.skip("Read and write of ARKit motion are not both offered.")
        motion = toy_motion()
        path = tmp_path / f"x{exporter.suffixes[0]}"
        exporter.write(Animation(motion, toy_head, Speech(vowel(1.2))), path)
        again = exporter.read(path)
        assert again.layout == motion.layout
        assert again.fps == pytest.approx(motion.fps)
        np.testing.assert_allclose(again.values, motion.values, atol=1e-5)

    def test_a_broken_file_is_an_error_of_ours(self, name: str, tmp_path: Path) -> None:
        exporter = EXPORTERS.get(name)
        if exporter.read is None:
            pytest.skip("This format is only written.")
        path = tmp_path / f"x{exporter.suffixes[0]}"
        for content in (b"", b"garbage", bytes(range(256)) * 9):
            path.write_bytes(content)
            with pytest.raises(KinevoxError, match="x"):
                exporter.read(path)


def _other_layout():
    from kinevox.motion import ARKIT

    return dataclasses.replace(ARKIT, name="other", channels=ARKIT.channels[:3], rotations=())
