"""The commands from end to end, on a synthetic vowel."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from synthetic import vowel
from synthetic_faces import arkit_face, flame_file

from kinevox.cli.main import main
from kinevox.export import Animation, read_motion, write
from kinevox.methods import default_method
from kinevox.motion import Motion


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a recording of one second."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "ah.wav", vowel(1.0))
    return tmp_path


def save(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_animate_writes_every_format(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = ["out/ah.csv", "out/ah.npz", "out/ah.json", "out/ah.glb"]
    assert main(["animate", "ah.wav", *(word for path in outputs for word in ("-o", path))]) == 0
    assert capsys.readouterr().out.splitlines() == outputs
    motions = [read_motion(folder / path) for path in outputs]
    for motion in motions:
        assert motion.num_frames == 25
        np.testing.assert_allclose(motion["jawOpen"], motions[1]["jawOpen"], atol=1e-6)
    assert motions[1].metadata["method"] == default_method()
    assert motions[1].metadata["seed"] == "0"
    assert motions[1].metadata["synthetic"] == "true"
    assert (folder / "out" / "ah.wav").is_file()


def test_json_tells_what_was_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["animate", "ah.wav", "-o", "ah.npz", "--takes", "2", "--seed", "7", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["failures"] == []
    assert [take["seed"] for take in told["takes"]] == [7, 8]
    assert [take["outputs"] for take in told["takes"]] == [["ah.npz"], ["ah_take2.npz"]]
    first, second = (read_motion(folder / name) for name in ("ah.npz", "ah_take2.npz"))
    assert not np.array_equal(first.values, second.values)


def test_the_same_seed_is_the_same_take_in_any_batch(folder: Path) -> None:
    save(folder / "oh.wav", 0.5 * vowel(0.7))
    main(["animate", "ah.wav", "-o", "alone.npz", "--seed", "3"])
    main(["animate", "oh.wav", "ah.wav", "-o", "many/{name}.npz", "--seed", "3"])
    alone, among = read_motion(folder / "alone.npz"), read_motion(folder / "many" / "ah.npz")
    np.testing.assert_array_equal(alone.values, among.values)


def test_bad_recordings_do_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "text.wav").write_text("this is not sound")
    (folder / "empty.mp3").touch()
    save(folder / "short.wav", vowel(0.01))
    save(folder / "oh.wav", vowel(0.5))
    words = ["text.wav", "ah.wav", "empty.mp3", "missing.wav", "short.wav", "oh.wav"]
    assert main(["animate", *words, "-o", "out/{name}.npz"]) == 1
    captured = capsys.readouterr()
    assert files(folder / "out") == ["ah.npz", "oh.npz"]
    assert captured.out.split() == ["out/ah.npz", "out/oh.npz"]
    assert "4 of 6 recordings failed" in captured.err
    for name in ("text.wav", "empty.mp3", "missing.wav", "short.wav"):
        assert name in captured.err


def test_an_output_that_fails_does_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # FLAME's format cannot hold ARKit weights.
    assert main(["animate", "ah.wav", "-o", "a.flame.npz", "-o", "a.csv"]) == 1
    captured = capsys.readouterr()
    assert captured.out.split() == ["a.csv"]
    assert captured.err.startswith("error: ") and "flame" in captured.err
    assert files(folder) == ["a.csv", "a.wav", "ah.wav"]


def test_convert_resamples(folder: Path) -> None:
    main(["animate", "ah.wav", "-o", "a.npz"])
    assert main(["convert", "a.npz", "-o", "b.csv", "--fps", "60"]) == 0
    with (folder / "b.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 60


def test_transcripts_by_pattern(folder: Path) -> None:
    save(folder / "oh.wav", vowel(0.6))
    for name in ("ah", "oh"):
        (folder / f"{name}.txt").write_text(name)
    words = ["animate", "ah.wav", "oh.wav", "-o", "{name}.npz", "--transcript", "{name}.txt"]
    assert main(words) == 0


def test_styles_can_be_shown_edited_and_used(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["styles", "list"])
    assert "neutral" in capsys.readouterr().out.split()
    by_rules = ["--method", "articulate"]
    main(["styles", "show", "neutral", "--json", *by_rules])
    style = json.loads(capsys.readouterr().out) | {"smile": 0.6}
    (folder / "mine.style.json").write_text(json.dumps(style))
    main(["animate", "ah.wav", "-o", "plain.npz", *by_rules])
    words = ["animate", "ah.wav", "-o", "mine.npz", "--style", "mine.style.json", *by_rules]
    assert main(words) == 0
    plain, mine = read_motion("plain.npz"), read_motion("mine.npz")
    assert mine["mouthSmileLeft"].mean() > plain["mouthSmileLeft"].mean() + 0.2
    assert mine.metadata["style"] == "mine.style.json"


def test_doctor_knows_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert checks["packages"]["status"] == "ok"
    assert all(check["advice"] for check in checks.values() if check["status"] != "ok")


def test_cite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite"]) == 0
    assert capsys.readouterr().out.startswith("@")


def test_a_style_is_read_from_a_clip_and_used(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "take.wav", vowel(2.4))
    by_rules = ["--method", "articulate"]
    main(["animate", "take.wav", "--style", "wry", "-o", "take.csv", *by_rules])
    capsys.readouterr()
    assert main(["styles", "extract", "take.csv", "-o", "mine.style.json", *by_rules]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == ["mine.style.json"]
    assert "asymmetry" in told.err
    assert 0.4 < json.loads((folder / "mine.style.json").read_text())["asymmetry"] <= 1
    for style in ("mine.style.json", "take.csv"):
        assert main(["animate", "ah.wav", "--style", style, "-o", "new.npz", *by_rules]) == 0
        new = read_motion(folder / "new.npz")
        assert new["mouthSmileLeft"].mean() > 1.3 * new["mouthSmileRight"].mean()


def test_other_json_is_no_clip_whose_style_is_taken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.json").write_text('{"smile": 0.4}')
    words = ["animate", "ah.wav", "--style", "a.json", "-o", "ah.npz", "--method", "articulate"]
    assert main(words) == 0
    (folder / "a.json").write_text('{"smiles": 0.4}')
    assert main(words) != 0
    assert "Did you mean 'smile'" in capsys.readouterr().err


def test_a_flame_track_becomes_curves_and_flame_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEVOX_CACHE", str(folder / "cache"))
    model = flame_file()
    model["J_regressor"] = model["J_regressor"].toarray()
    arrays = {key: value for key, value in model.items() if isinstance(value, np.ndarray)}
    np.savez(folder / "model.npz", **arrays)
    face = arkit_face()
    neutral = Motion(np.zeros((1, 55), np.float32))
    write(Animation(neutral, lambda: face), folder / "face.glb")
    frames, expressions = 10, arrays["shapedirs"].shape[-1] - 300
    rng = np.random.default_rng(0)
    track = {name: np.zeros((frames, 3)) for name in ("rotation", "neck_pose", "jaw_pose")}
    track["jaw_pose"][:, 0] = np.linspace(0, 0.2, frames)
    track["rotation"][:, 1] = 0.1
    track |= {"expr": rng.normal(0, 0.1, (frames, expressions)), "shape": rng.normal(0, 0.1, 300)}
    np.savez(folder / "track.npz", **track)
    words = ["convert", "track.npz", "--source-head", "flame:model.npz", "--source-fps", "30"]
    assert main([*words, "--head", "face.glb", "-o", "take.csv"]) == 0
    told = capsys.readouterr().err
    assert "Retargeted from flame to" in told and "worst vertex" in told
    take = read_motion(folder / "take.csv")
    assert take.fps == 30
    assert take["jawOpen"][-1] > take["jawOpen"][0] + 0.1
    np.testing.assert_allclose(take["head_y"], 0.1, atol=1e-4)
    assert main(["convert", "track.npz", "-o", "again.csv"]) != 0
    assert "--source-head flame:FILE" in capsys.readouterr().err
