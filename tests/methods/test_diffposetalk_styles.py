"""Styles of DiffPoseTalk: read from motion, kept in files, named; and weights of the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_motion, vowel
from synthetic_corpus import toy_corpus
from synthetic_weights import tiny_diffposetalk

from kinevox import api
from kinevox.cli.main import main
from kinevox.errors import AssetError, ConfigError, KinevoxError, MotionError, UnknownNameError
from kinevox.export import Animation, write
from kinevox.methods import METHODS, StyleReader, default_method, diffposetalk, load_method
from kinevox.methods._acted import recordings
from kinevox.methods.articulate import hear, perform
from kinevox.methods.articulate.style import PRESETS
from kinevox.methods.diffposetalk import DiffPoseTalk, Style
from kinevox.methods.diffposetalk.style import shared_style, style_of
from kinevox.methods.diffposetalk.style_file import encoder_digest, write_style
from kinevox.motion import ARKIT, Motion
from kinevox.seeds import seed_for
from kinevox.speech import Speech

AH = Speech(vowel(1.0))


@pytest.fixture
def method() -> DiffPoseTalk:
    return METHODS.get("diffposetalk").debug()


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package brought none."""
    monkeypatch.setattr(diffposetalk, "WEIGHTS", tmp_path / "nothing")


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if the package brought those of a tiny network."""
    folder = tiny_diffposetalk(tmp_path / "bundled")
    monkeypatch.setattr(diffposetalk, "WEIGHTS", folder)
    return folder


def some_style(seed: int = 0, width: int = 16) -> tuple[float, ...]:
    return tuple(np.random.default_rng(seed).standard_normal(width).astype(np.float32).tolist())


def person(number: int, clip: int, seconds: float) -> Motion:
    """A clip of somebody: a resting face of their own, under slow noise that is much larger."""
    frames = round(25 * seconds)
    own = np.random.default_rng(number).normal(0, 0.008, ARKIT.num_channels)
    noise = np.random.default_rng((number, clip)).normal(0, 1, (frames // 50 + 2, len(own)))
    slow = np.repeat(noise, 50, axis=0)[:frames]
    return Motion((own + 0.012 * slow).astype(np.float32), 25.0)


class TestReading:
    def test_any_clip_of_motion(self, method: DiffPoseTalk, tmp_path: Path) -> None:
        motion = toy_motion(120)
        for suffix in (".npz", ".csv"):
            write(Animation(motion, _no_head), tmp_path / f"clip{suffix}")
        assert method.network is not None
        expected = style_of(method.network.style_encoder, motion)
        for suffix in (".npz", ".csv"):
            style = method.load_style(tmp_path / f"clip{suffix}")
            np.testing.assert_allclose(style.vector, expected, atol=1e-4)
        with pytest.raises(UnknownNameError):
            method.load_style(tmp_path / "nothing.npz")

    def test_pieces_count_the_same_and_the_length_stays(self) -> None:
        small, large = np.eye(2, 4), 7 * np.eye(2, 4, 2)
        shared = shared_style(np.concatenate([small, large]))
        np.testing.assert_allclose(shared / np.linalg.norm(shared), np.full(4, 0.5), atol=1e-6)
        assert np.linalg.norm(shared) == pytest.approx(4)

    def test_one_piece_is_itself(self) -> None:
        piece = np.random.default_rng(0).standard_normal((1, 16))
        np.testing.assert_allclose(shared_style(piece), piece[0], rtol=1e-6)

    def test_more_of_somebody_tells_more(self, method: DiffPoseTalk) -> None:
        """People are found again more often by what all pieces share than by any one piece."""

        def found(seconds: float) -> float:
            one, other = (
                np.stack([_direction(method, person(n, side, seconds)) for n in range(16)])
                for side in (0, 1)
            )
            return float(((one @ other.T).argmax(axis=1) == np.arange(16)).mean())

        assert found(4.0) <= 0.5
        assert found(40.0) >= 0.9

    def test_short_clips_count_only_where_there_is_nothing_else(self, method: DiffPoseTalk) -> None:
        long, short = person(0, 0, 8), person(1, 0, 0.5)
        together = method.extract_style([long, short], None, _silent).style
        assert together == method.extract_style([long], None, _silent).style
        with pytest.raises(MotionError, match="at least 25"):
            method.extract_style([short], None, _silent)

    def test_another_frame_rate_is_no_other_style(self, method: DiffPoseTalk) -> None:
        motion = toy_motion(200)
        faster = motion.resample(50)
        one, other = (_direction(method, m) for m in (motion, faster))
        assert one @ other > 0.999

    def test_it_is_a_style_reader(self) -> None:
        assert isinstance(METHODS.get("diffposetalk"), StyleReader)


class TestFiles:
    def test_read_back(self, method: DiffPoseTalk, tmp_path: Path) -> None:
        method.save_style(Style(some_style()), tmp_path / "x.style")
        assert method.load_style(tmp_path / "x.style") == Style(some_style())

    def test_another_encoder_refuses_them(self, method: DiffPoseTalk, tmp_path: Path) -> None:
        assert method.network is not None
        encoder = method.network.style_encoder
        write_style(tmp_path / "x.style", Style(some_style()), encoder)
        before = encoder_digest(encoder)
        encoder.motion.weight.data += 0.1
        assert encoder_digest(encoder) != before
        with pytest.raises(MotionError, match=r"another style encoder.*styles extract"):
            method.load_style(tmp_path / "x.style")

    def test_what_was_measured_otherwise_is_refused(
        self, method: DiffPoseTalk, tmp_path: Path
    ) -> None:
        method.save_style(Style(some_style(), (0.5,) * 3, 8.0), tmp_path / "x.style")
        with pytest.raises(MotionError, match=r"3 measured numbers where.*styles extract"):
            method.load_style(tmp_path / "x.style")

    def test_half_precision_is_no_other_encoder(self, method: DiffPoseTalk) -> None:
        assert method.network is not None
        encoder = method.network.style_encoder
        before = encoder_digest(encoder)
        assert encoder_digest(encoder.half().float()) == before

    @pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04"])
    def test_other_files_are_none(
        self, method: DiffPoseTalk, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "x.style").write_bytes(content)
        with pytest.raises(MotionError, match="no style file"):
            method.load_style(tmp_path / "x.style")

    def test_nothing_is_unpickled(self, method: DiffPoseTalk, tmp_path: Path) -> None:
        with (tmp_path / "x.style").open("wb") as file:
            np.savez(file, style=np.array([{"a": 1}], dtype=object), encoder=np.array("x"))
        with pytest.raises(MotionError, match="no style file"):
            method.load_style(tmp_path / "x.style")

    def test_those_of_articulate_are_not_taken(self, method: DiffPoseTalk, tmp_path: Path) -> None:
        (tmp_path / "my.style.json").write_text("{}")
        with pytest.raises(MotionError, match="--method articulate"):
            method.load_style(tmp_path / "my.style.json")
        with pytest.raises(ConfigError, match=r"\*\.style"):
            method.save_style(Style(some_style()), tmp_path / "my.style.json")

    def test_nobody_has_none(self, method: DiffPoseTalk, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no style to write"):
            method.save_style(Style(), tmp_path / "x.style")


class TestNames:
    def test_those_beside_the_weights(self, tmp_path: Path) -> None:
        folder = tiny_diffposetalk(tmp_path / "run" / "best")
        plain = METHODS.get("diffposetalk").load(folder.parent)
        assert dict(plain.styles()) == {"neutral": Style(), "nobody": Style()}
        for name in ("calm", "neutral"):
            plain.save_style(Style(some_style(len(name))), folder / "styles" / f"{name}.style")
        method = load_method(f"diffposetalk:{folder.parent}")
        assert list(method.styles()) == ["neutral", "calm", "nobody"]
        assert method.load_style("calm") == Style(some_style(4)) == method.styles()["calm"]
        assert method.load_style(None) == Style(some_style(7))
        assert method.load_style("nobody") == Style()

    def test_those_of_another_encoder_are_refused(self, tmp_path: Path) -> None:
        folder = tiny_diffposetalk(tmp_path / "run")
        other = METHODS.get("diffposetalk").debug()
        other.network.style_encoder.motion.bias.data += 1
        other.save_style(Style(some_style()), folder / "styles" / "calm.style")
        with pytest.raises(MotionError, match="another style encoder"):
            load_method(f"diffposetalk:{folder}").load_style("calm")


class TestMaking:
    def test_the_rules_act_and_the_encoder_watches(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kinevox.methods._acted.RECORDINGS", 2)
        corpus = toy_corpus(tmp_path / "corpus")
        folder = tiny_diffposetalk(tmp_path / "run")
        named = f"diffposetalk:{folder}"
        words = ["styles", "make", "--corpus", str(corpus.folder), "--method", named]
        assert main([*words, "-o", str(folder / "styles")]) == 0
        assert str(folder / "styles" / "calm.style") in capsys.readouterr().out.split()
        method = load_method(named)
        assert set(method.styles()) == {*PRESETS, "nobody"}
        assert len({method.load_style(name) for name in PRESETS}) == len(PRESETS), "all differ"
        train = corpus.split("train")
        made = json.loads((folder / "styles" / "made.json").read_text())
        assert made["corpus"]["name"] == "toy" and len(made["recordings"]) == 2
        assert set(made["recordings"]) <= set(train.index["id"].tolist())
        heard = [hear(train[i].speech) for i in recordings(train)]
        cheerful = [perform(h, PRESETS["cheerful"], seed=k, fps=25) for k, h in enumerate(heard)]
        expected = method.extract_style(cheerful, None, _silent).style  # type: ignore[attr-defined]
        np.testing.assert_allclose(method.load_style("cheerful").vector, expected.vector, atol=1e-6)
        again = tmp_path / "again"
        assert main([*words, "-o", str(again)]) == 0
        for path in (folder / "styles").iterdir():
            assert path.read_bytes() == (again / path.name).read_bytes(), "the same every time"


class TestInThePackage:
    def test_without_weights_it_says_what_to_do(self, no_weights: None) -> None:
        method = METHODS.get("diffposetalk")
        assert method.bundled is None and default_method() == "articulate"
        with pytest.raises(AssetError, match=r"--method articulate.*kinevox train diffposetalk"):
            method.generate(AH, Style())

    def test_fresh_from_the_catalog_it_performs(self, bundled: Path) -> None:
        assert default_method() == "diffposetalk"
        method = METHODS.get("diffposetalk")
        motion = method.generate(AH, method.load_style(None), seed=1)
        loaded = method.load(bundled)
        np.testing.assert_array_equal(motion.values, loaded.generate(AH, Style(), seed=1).values)
        assert method.load(bundled).network is not method._loaded() is method._loaded()

    def test_doctor_tells(self, bundled: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["doctor", "--json"])
        checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
        assert checks["weights"]["status"] == "ok"
        assert "animates with 'diffposetalk' by default" in checks["weights"]["found"]

    def test_and_where_there_are_none(
        self, no_weights: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["doctor", "--json"])
        checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
        assert checks["weights"]["status"] == "missing"
        assert "'articulate' by default" in checks["weights"]["found"]


class TestCommands:
    def test_extract_and_use(
        self, bundled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        from kinevox.audio.wav import write_wav

        write_wav(tmp_path / "ah.wav", AH.samples[None], 16_000)
        for clip, suffix in enumerate((".npz", ".csv")):
            write(Animation(person(3, clip, 9), _no_head), tmp_path / f"take{suffix}")
        by = ["--method", "diffposetalk"]
        extract = ["styles", "extract", "take.npz", "take.csv", *by]
        assert main([*extract, "-o", "me.style"]) == 0
        assert capsys.readouterr().out.strip() == "me.style"
        for style in ("me.style", "take.csv", "take.npz", "neutral"):
            words = ["animate", "ah.wav", *by, "--style", style, "-o", f"{style}.out.npz"]
            assert main(words) == 0, style
        capsys.readouterr()
        assert main([*extract, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["style"]["vector"]) == 16
        assert main([*extract, "-o", "me.style.json"]) == 2
        assert "*.style" in capsys.readouterr().err

    def test_a_clip_as_style_is_read_by_the_weights_that_were_named(self, tmp_path: Path) -> None:
        folder = tiny_diffposetalk(tmp_path / "run")
        write(Animation(person(3, 0, 9), _no_head), tmp_path / "take.npz")
        (motion,) = api.animate(
            AH, method=f"diffposetalk:{folder}", style=tmp_path / "take.npz", seed=2
        )
        method = load_method(f"diffposetalk:{folder}")
        style = method.load_style(tmp_path / "take.npz")
        expected = method.generate(AH, style, seed=seed_for("speech", 2), fps=25.0)
        np.testing.assert_array_equal(motion.values, expected.values)

    def test_words_that_make_no_difference_are_told(
        self, bundled: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(DiffPoseTalk, "takes_words", False)
        (told,) = api.animate(AH, method="diffposetalk", transcript="ah")
        assert "no use of --transcript; --method articulate" in caplog.text
        (plain,) = api.animate(AH, method="diffposetalk")
        np.testing.assert_array_equal(told.values, plain.values)
        caplog.clear()
        api.animate(AH, method="articulate", transcript="ah")
        assert "transcript" not in caplog.text


def _direction(method: DiffPoseTalk, motion: Motion) -> np.ndarray:
    assert method.network is not None
    style = style_of(method.network.style_encoder, motion)
    return style / np.linalg.norm(style)


def _silent(done: int, total: int) -> None:
    pass


def _no_head():
    raise KinevoxError("no head is needed")
