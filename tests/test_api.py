"""The one door, called as a notebook would."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_motion, vowel

import kinevox
from kinevox import api
from kinevox.errors import AssetError, AudioError, ConfigError, MotionError, UnknownNameError
from kinevox.heads import load_head
from kinevox.motion import Motion
from kinevox.speech import Speech

AH = Speech(vowel(0.8))


def test_speech_without_a_file() -> None:
    (motion,) = kinevox.animate(AH)
    assert isinstance(motion, Motion) and motion.num_frames == 20
    assert motion.metadata["generator"] == f"kinevox {kinevox.__version__}"
    assert motion.metadata["style"] == "neutral"


@pytest.mark.parametrize(
    "samples, told",
    [
        (np.zeros(0, np.float32), r"shape \(0,\)"),
        (np.full(800, np.nan, np.float32), "800 of 800"),
    ],
)
def test_samples_that_are_no_speech(samples: np.ndarray, told: str) -> None:
    with pytest.raises(AudioError, match=told):
        Speech(samples)


def test_takes_are_seeds_counting_up() -> None:
    first, second = kinevox.animate(AH, takes=2, seed=4)
    (alone,) = kinevox.animate(AH, seed=5)
    # Takes that are drawn together round otherwise.
    np.testing.assert_allclose(second.values, alone.values, atol=1e-5)
    assert (first.metadata["seed"], second.metadata["seed"]) == ("4", "5")


def test_strengths_of_parts() -> None:
    (plain,), (quiet,) = api.animate(AH), api.animate(AH, mouth=0.5, head_motion=0)
    np.testing.assert_allclose(quiet["jawOpen"], 0.5 * plain["jawOpen"], atol=1e-6)
    assert np.ptp(quiet["head_x"]) < 1e-6 < np.ptp(plain["head_x"])


def test_options_are_keywords_that_are_known() -> None:
    with pytest.raises(TypeError, match=r"stile.*Did you mean 'style'"):
        api.animate(AH, stile="lively")  # type: ignore[call-arg]
    assert {"audio", "style", "mouth", "steps"} <= set(inspect.signature(api.animate).parameters)


def test_other_frame_rates() -> None:
    (motion,) = kinevox.animate(AH, fps=60)
    assert (motion.fps, motion.num_frames) == (60.0, 48)


def test_one_failure_is_raised(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"missing\.wav"):
        kinevox.animate(tmp_path / "missing.wav")


def test_an_unwritable_output_is_raised_after_the_others(tmp_path: Path) -> None:
    outputs = [tmp_path / "a.flame.npz", tmp_path / "a.npz"]
    with pytest.raises(MotionError, match="flame"):
        kinevox.animate(AH, out=outputs)
    assert outputs[1].exists() and not outputs[0].exists()


def test_progress_names_the_stages_in_order() -> None:
    stages: list[str] = []
    api.animate_all(
        [AH, AH],
        progress=lambda stage, done, total: stages.append(stage),
    )
    assert stages == [
        "[1/2] Reading speech",
        "[1/2] Animating speech",
        "[2/2] Reading speech",
        "[2/2] Animating speech",
    ]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"method": "articulat"}, UnknownNameError),
        ({"style": "livley"}, UnknownNameError),
        ({"out": "x.gbl"}, UnknownNameError),
        ({"head": "any"}, UnknownNameError),
        ({"head": "gone.glb"}, AssetError),
        ({"takes": 0}, ConfigError),
        ({"seed": -1}, ConfigError),
        ({"audio_scale": np.nan}, ConfigError),
        ({"fps": -1}, ConfigError),
        ({"mouth": -1}, ConfigError),
    ],
)
def test_a_wrong_call_starts_nothing(options: dict, error: type[Exception]) -> None:
    started: list[str] = []
    with pytest.raises(error):
        kinevox.animate(AH, progress=lambda stage, *_: started.append(stage), **options)
    assert started == []


def test_convert_takes_motion_from_memory(tmp_path: Path) -> None:
    motion = toy_motion()
    converted = kinevox.convert(motion, tmp_path / "a.npz", fps=50)
    assert converted.num_frames == 60
    again = kinevox.convert(tmp_path / "a.npz", tmp_path / "b.csv")
    np.testing.assert_array_equal(again.values, converted.values)


def test_transcripts_may_be_files(tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("ah")
    (from_file,) = kinevox.animate(AH, transcript=tmp_path / "said.txt")
    (from_text,) = kinevox.animate(AH, transcript="ah")
    np.testing.assert_array_equal(from_file.values, from_text.values)
    with pytest.raises(ConfigError, match=r"lost\.txt"):
        kinevox.animate(AH, transcript=tmp_path / "lost.txt")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("any", UnknownNameError, "Did you mean 'anny'"),
        ("anny:age=old", ConfigError, "name=number"),
        ("anny:agee=1", UnknownNameError, "Did you mean 'age'"),
        ("gone.glb", OSError, r"gone\.glb"),
        ("flame:gone.pkl", OSError, r"gone\.pkl"),
    ],
)
def test_heads_by_text(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_head(text)


def test_words_and_changes_are_noted() -> None:
    (plain,), (changed,) = (
        api.animate(AH, method="articulate"),
        api.animate(
            Speech(AH.samples, transcript="ah"),
            method="articulate",
            mouth=0.5,
            poses=[(0.2, {"jawOpen": 0.5})],
        ),
    )
    noted = set(changed.metadata.items()) - set(plain.metadata.items())
    assert noted == {("mouth", "0.5"), ("poses", "0.2"), ("words", "transcript")}


def test_silence_is_told(caplog: pytest.LogCaptureFixture) -> None:
    api.animate(Speech(np.zeros(8000, np.float32)), method="articulate")
    assert "speech is silent" in caplog.text


def test_nothing_hides_a_function_of_the_package() -> None:
    """A module of that name would take its place once it is imported."""
    folder = Path(kinevox.__file__).parent
    assert not [
        n for n in kinevox.__all__ if (folder / n).is_dir() or (folder / f"{n}.py").exists()
    ]


def test_styles_are_described() -> None:
    calm, lively = (api.describe_style(name) for name in ("calm", "lively"))
    assert float(calm["nods [deg]"]) < float(lively["nods [deg]"])
    assert api.describe_style("nobody") == {"follows": "nobody"}
    assert api.describe_style("calm", method="articulate")["jaw_gain"] == "0.85"


def test_a_clip_of_nothing_is_no_style() -> None:
    with pytest.raises(ConfigError, match="No clip given"):
        api.extract_style([])


def test_parts_that_never_move_in_an_example_are_told(caplog: pytest.LogCaptureFixture) -> None:
    (take,) = api.animate(AH, method="articulate")
    faces = take.with_channels(head_x=0.0, head_y=0.0, head_z=0.0)
    clips = [Motion(np.tile(m.values, (4, 1)), m.fps, m.layout) for m in (take, faces)]
    for clip, told in zip(clips, (False, True), strict=True):
        caplog.clear()
        api.extract_style(clip)
        assert ("never moves its head" in caplog.text) == told
