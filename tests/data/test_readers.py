"""Corpora of the field, in small: each test writes the exact layout that the reader expects."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import toy_motion, vowel
from synthetic_faces import flame_file

from kinevox import rotation
from kinevox.audio.flac import write_flac
from kinevox.audio.wav import write_wav
from kinevox.data import Corpus
from kinevox.data._pickled import read_plain
from kinevox.data.corpora import CORPORA, MakeOptions, beat2, biwi, hdtf_lmdb, vocaset
from kinevox.data.corpora._base import even_splits
from kinevox.errors import AssetError, ConfigError
from kinevox.export import EXPORTERS, Animation
from kinevox.motion import Motion, flame_layout
from kinevox.speech import Speech


def quiet(*_: object) -> None:
    """Nobody watches the progress of a test."""


def converted(name: str, source: Path, out: Path, **options: Any) -> Corpus:
    CORPORA.get(name).make(source, out, MakeOptions(**options), quiet)
    return Corpus.open(out)


@pytest.mark.parametrize("name", CORPORA.names())
def test_every_corpus_describes_itself(name: str, tmp_path: Path) -> None:
    part = CORPORA.get(name)
    assert part.summary and part.source and "\n" not in part.summary
    with pytest.raises((AssetError, ConfigError)):
        part.make(tmp_path, tmp_path / "out", MakeOptions(), quiet)
    assert not (tmp_path / "out" / "corpus.json").exists()


FRAMES_OF_VIDEO = {"RD_Radio1/000": 130, "TH050/001": 40}


class TestHdtfLmdb:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        lmdb = pytest.importorskip("lmdb")
        folder = tmp_path / "packed"
        rng = np.random.default_rng(0)
        with lmdb.open(str(folder), map_size=2**26) as database, database.begin(write=True) as put:
            put.put(b"metadata", pickle.dumps({"seg_len": 100}))
            for video, frames in FRAMES_OF_VIDEO.items():
                put.put(f"{video}/metadata".encode(), pickle.dumps({"n_frames": frames}))
                exp, pose = rng.normal(size=(frames, 50)), rng.normal(0, 0.1, (frames, 6))
                sound = vowel(frames / 25)
                for k, start in enumerate(range(0, frames, 100)):
                    part = slice(start, start + 100)
                    flac = tmp_path / "segment.flac"
                    write_flac(flac, sound[start * 640 : (start + 100) * 640])
                    coefficients = {
                        "exp": exp[part].astype(np.float32),
                        "pose": pose[part].astype(np.float32),
                        "shape": np.full((len(exp[part]), 100), 0.5, np.float32),
                    }
                    value = {"audio": flac.read_bytes(), "coef": coefficients}
                    put.put(f"{video}/{k:03d}".encode(), pickle.dumps(value))
        (folder / "keys.txt").write_text("".join(f"{video}\n" for video in FRAMES_OF_VIDEO))
        (folder / "train.txt").write_text("RD_Radio1/000\n")
        (folder / "val.txt").write_text("")
        (folder / "test.txt").write_text("TH050/001\n")
        return folder

    def test_videos_become_records(self, folder: Path, tmp_path: Path) -> None:
        corpus = converted("hdtf-lmdb", folder, tmp_path / "out")
        assert corpus.layout == flame_layout(50) and corpus.fps == 25
        first, second = corpus[0], corpus[1]
        assert (first.id, first.split, first.speaker) == ("RD_Radio1-000", "train", "RD_Radio1")
        assert (second.split, second.style) == ("test", "TH050")
        assert first.motion.num_frames == 130 and len(first.speech.samples) == 130 * 640
        rng = np.random.default_rng(0)
        exp, pose = rng.normal(size=(130, 50)), rng.normal(0, 0.1, (130, 6))
        np.testing.assert_allclose(first.motion.group("expression"), exp, atol=1e-6)
        np.testing.assert_allclose(first.motion.group("head"), pose[:, :3], atol=1e-6)
        np.testing.assert_allclose(first.motion["jaw_x"], pose[:, 3], atol=1e-6)
        # Segments meet without a gap.
        np.testing.assert_allclose(first.speech.samples, vowel(5.2), atol=1e-4)
        assert json.loads(first.metadata["shape"]) == [0.5] * 100

    def test_a_missing_segment_is_named(self, folder: Path) -> None:
        import lmdb

        with lmdb.open(str(folder), map_size=2**26) as database, database.begin(write=True) as put:
            put.delete(b"RD_Radio1/000/001")
        with pytest.raises(AssetError, match="no entry 'RD_Radio1/000/001'"):
            list(hdtf_lmdb.records(folder))


class _Trap:
    def __reduce__(self):
        return print, ("a pickle ran code",)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_plain_pickles_are_read_and_others_refused(protocol: int, capsys: Any) -> None:
    value = {"a": np.arange(6.0).reshape(2, 3), "b": [1, "x", b"y"], "c": np.float32(2), 3: None}
    read = read_plain(pickle.dumps(value, protocol), "it")
    np.testing.assert_array_equal(read["a"], value["a"])
    assert read["b"] == value["b"] and read["c"] == 2 and read[3] is None
    with pytest.raises(AssetError, match=r"names builtins\.print"):
        read_plain(pickle.dumps({"a": _Trap()}, 4), "it")
    with pytest.raises(AssetError, match="holds a list"):
        read_plain(pickle.dumps([1]), "it")
    assert capsys.readouterr().out == ""


class TestVocaset:
    SPEAKERS = ("FaceTalk_170728_03272_TA", "FaceTalk_170809_00138_TA")

    @pytest.fixture
    def head(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A made-up FLAME of fewer vertices."""
        monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))
        model = flame_file()
        model["J_regressor"] = model["J_regressor"].toarray()
        path = tmp_path / "flame.npz"
        np.savez(path, **{k: v for k, v in model.items() if isinstance(v, np.ndarray)})
        monkeypatch.setattr(vocaset, "NUM_VERTICES", len(model["v_template"]))
        return path

    def motion(self) -> Motion:
        values = np.zeros((60, 56), np.float32)
        values[:, 53] = 0.1 + 0.1 * np.sin(np.arange(60) / 6)
        return Motion(values, 60.0, flame_layout(50))

    def meshes(self, head: Path) -> tuple[np.ndarray, np.ndarray]:
        """A second of an opening jaw at 60 frames per second, and the face at rest."""
        from kinevox.heads import load_head

        flame = load_head(f"flame:{head}")
        # A speaker stands elsewhere than the model; only displacements count.
        return flame.vertices(self.motion()) + 0.01, flame.template + 0.01

    @pytest.fixture
    def published(self, tmp_path: Path, head: Path) -> Path:
        folder = tmp_path / "published"
        folder.mkdir()
        vertices, template = self.meshes(head)
        np.save(folder / "data_verts.npy", np.concatenate([vertices, vertices]).astype(np.float32))
        sound = {"audio": (vowel(1.0, 22_000) * 32767).astype(np.int16), "sample_rate": 22_000}
        tables = {
            "subj_seq_to_idx.pkl": {
                name: {"sentence01": {k: 60 * i + k for k in range(60)}, "sentence02": {0: 0}}
                for i, name in enumerate(self.SPEAKERS)
            },
            "raw_audio_fixed.pkl": {name: {"sentence01": sound} for name in self.SPEAKERS},
            "templates.pkl": dict.fromkeys(self.SPEAKERS, template),
        }
        for name, table in tables.items():
            (folder / name).write_bytes(pickle.dumps(table, 2))
        return folder

    @pytest.fixture
    def faceformer(self, tmp_path: Path, head: Path) -> Path:
        folder = tmp_path / "faceformer"
        for name in ("vertices_npy", "wav"):
            (folder / name).mkdir(parents=True)
        vertices, template = self.meshes(head)
        for name in self.SPEAKERS:
            flat = vertices[::2].reshape(30, -1).astype(np.float32)
            np.save(folder / "vertices_npy" / f"{name}_sentence01.npy", flat)
            write_wav(folder / "wav" / f"{name}_sentence01.wav", vowel(1.0)[None], 16_000)
        templates = pickle.dumps(dict.fromkeys(self.SPEAKERS, template))
        (folder / "templates.pkl").write_bytes(templates)
        return folder

    @pytest.mark.parametrize(("layout", "fps"), [("published", 60.0), ("faceformer", 30.0)])
    def test_meshes_come_as_they_are(
        self, layout: str, fps: float, head: Path, request: pytest.FixtureRequest
    ) -> None:
        clips = list(vocaset.vertex_clips(request.getfixturevalue(layout)))
        assert [clip.speaker for clip in clips] == list(self.SPEAKERS)
        assert clips[0].id == f"{self.SPEAKERS[0]}_sentence01" and clips[0].fps == fps
        assert clips[0].speech.seconds == pytest.approx(1.0, abs=1e-3)
        expected = self.meshes(head)[0][:: round(60 / fps)]
        np.testing.assert_allclose(clips[1].vertices, expected, atol=1e-6)

    def test_a_flame_head_is_fitted(self, published: Path, head: Path) -> None:
        record = next(vocaset.records(published, f"flame:{head}"))
        assert (record.split, record.speaker) == ("train", self.SPEAKERS[0])
        assert record.motion.num_frames == 25 and len(record.speech.samples) == 16_000
        jaw = self.motion().resample(25.0)["jaw_x"]
        np.testing.assert_allclose(record.motion["jaw_x"], jaw, atol=0.01)

    def test_meshes_without_a_head_stay_meshes(self, published: Path) -> None:
        with pytest.raises(ConfigError, match="--head flame:"):
            next(vocaset.records(published))


def test_biwi_gives_meshes_only(tmp_path: Path) -> None:
    (tmp_path / "vertices_npy").mkdir()
    (tmp_path / "wav").mkdir()
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(25, 70_110)).astype(np.float32)
    for name in ("F2_40", "M1_40", "F2_33"):
        np.save(tmp_path / "vertices_npy" / f"{name}.npy", faces)
        write_wav(tmp_path / "wav" / f"{name}.wav", vowel(1.0)[None], 16_000)
    templates = {"F2": faces[0].reshape(-1, 3), "M1": faces[1]}
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps(templates))
    clips = list(biwi.vertex_clips(tmp_path))
    assert [clip.id for clip in clips] == ["F2_33", "F2_40", "M1_40"]
    assert [biwi.published_split(clip) for clip in clips] == ["valid", "test-a", "test-b"]
    assert clips[0].fps == 25 and clips[0].template.shape == (23_370, 3)
    np.testing.assert_array_equal(clips[2].vertices.reshape(25, -1), faces)
    with pytest.raises(ConfigError, match="vertex_clips"):
        converted("biwi", tmp_path, tmp_path / "out")
    (tmp_path / "wav" / "F2_33.wav").unlink()
    with pytest.raises(AssetError, match=r"F2_33\.wav"):
        next(biwi.vertex_clips(tmp_path))


class TestBeat2:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "beat2"
        for name in ("smplxflame_30", "wave16k", "textgrid"):
            (folder / name).mkdir(parents=True)
        rng = np.random.default_rng(0)
        for name in ("2_scott_0_1_1", "4_lawrence_0_2_2", "9_miranda_0_3_3"):
            poses = np.zeros((60, 55, 3), np.float32)
            poses[:, 12, 1], poses[:, 15, 0] = 0.2, 0.1
            poses[:, 22, 0] = 0.15
            np.savez(
                folder / "smplxflame_30" / f"{name}.npz",
                betas=np.zeros(300, np.float32),
                poses=poses.reshape(60, 165),
                expressions=rng.normal(size=(60, 100)).astype(np.float32),
                trans=np.zeros((60, 3), np.float32),
                model="smplx2020",
                gender="neutral",
                mocap_frame_rate=30,
            )
            write_wav(folder / "wave16k" / f"{name}.wav", vowel(2.5)[None], 16_000)
        table = "id,type\n2_scott_0_1_1,test\n4_lawrence_0_2_2,train\n"
        (folder / "train_test_split.csv").write_text(table)
        return folder

    def test_faces_and_heads_are_taken(self, folder: Path, tmp_path: Path) -> None:
        corpus = converted("beat2", folder, tmp_path / "out")
        assert corpus.layout == flame_layout(100)
        assert corpus.index["split"].tolist() == ["train", "valid", "test"]
        record = corpus[0]
        assert record.speaker == "2_scott" and record.metadata["published_split"] == "test"
        assert record.motion.num_frames == 50  # two seconds at 25 frames per second
        assert record.speech.seconds == pytest.approx(2.0)
        np.testing.assert_allclose(record.motion["jaw_x"], 0.15, atol=1e-6)
        turns = [rotation.matrix_from_axis_angle(np.array(a)) for a in ([0, 0.2, 0], [0.1, 0, 0])]
        head = rotation.matrix_from_axis_angle(record.motion.group("head")[0].astype(float))
        np.testing.assert_allclose(head, turns[0] @ turns[1], atol=1e-6)

    def test_another_npz_is_refused(self, folder: Path) -> None:
        path = folder / "smplxflame_30" / "2_scott_0_1_1.npz"
        np.savez(path, poses=np.zeros((5, 66)))
        with pytest.raises(AssetError, match=r"poses is .*\(5, 66\).*expressions is missing"):
            beat2.read_take(path)


def test_a_folder_of_live_link_takes(tmp_path: Path) -> None:
    motion = toy_motion(60, fps=30.0)
    for person in ("anna", "bert", "cleo"):
        folder = tmp_path / "takes" / person
        folder.mkdir(parents=True)
        for ending in ("", "_cal"):
            take = motion.with_channels(jawOpen=0.25 if ending else 0.5)
            write = EXPORTERS.get("livelink-csv").write
            write(Animation(take, lambda: None, Speech(vowel(2.0))), folder / f"one{ending}.csv")
        (folder / "one_cal.wav").unlink()
        (folder / "one.txt").write_text("Ah!\n")
    corpus = converted("livelink-folder", tmp_path / "takes", tmp_path / "out")
    assert corpus.index["id"].tolist() == ["anna-one", "bert-one", "cleo-one"]
    assert corpus.index["split"].tolist() == ["train", "valid", "test"]
    record = corpus[0]
    assert (record.speaker, record.speech.transcript) == ("anna", "Ah!")
    assert record.motion.num_frames == 50 and len(record.speech.samples) == 50 * 640
    np.testing.assert_allclose(record.motion["jawOpen"], 0.25, atol=1e-4)
    expected = motion.resample(25.0)["mouthPucker"][:50]
    np.testing.assert_allclose(record.motion["mouthPucker"], expected, atol=0.01)
    (tmp_path / "takes" / "bert" / "one.wav").unlink()
    with pytest.raises(AssetError, match="no recording beside bert/one"):
        converted("livelink-folder", tmp_path / "takes", tmp_path / "other")


def test_converting_again_keeps_finished_shards(tmp_path: Path) -> None:
    folder = tmp_path / "anna"
    folder.mkdir()
    animation = Animation(toy_motion(60, fps=60.0), lambda: None, Speech(vowel(1.0)))
    EXPORTERS.get("livelink-csv").write(animation, folder / "one.csv")
    converted("livelink-folder", folder, tmp_path / "out")
    table = tmp_path / "out" / "shards" / "00000.parquet"
    before = table.stat().st_mtime_ns
    assert len(converted("livelink-folder", folder, tmp_path / "out")) == 1
    assert table.stat().st_mtime_ns == before


def test_splits_without_a_published_one_are_disjoint_and_steady() -> None:
    assert even_splits(["b"]) == {"b": "train"}
    assert even_splits("cab") == {"a": "train", "b": "valid", "c": "test"}
    splits = list(even_splits(f"{k:02d}" for k in range(30)).values())
    assert [splits.count(split) for split in ("train", "valid", "test")] == [24, 3, 3]
