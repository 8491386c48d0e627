"""The weights in the package: complete, small, and fit for the rest of the package."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import find_peaks
from synthetic import vowel

from kinevox import api
from kinevox.audio.encoders import load_encoder
from kinevox.audio.encoders.speech import WEIGHTS as SPEECH
from kinevox.gaze import line_of_sight
from kinevox.methods import METHODS
from kinevox.methods.articulate.style import PRESETS
from kinevox.methods.diffposetalk import WEIGHTS
from kinevox.motion import Motion
from kinevox.speech import Speech
from kinevox.strengths import lip_opening
from kinevox.training.checkpoint import read_header

pytestmark = pytest.mark.skipif(
    not (WEIGHTS / "checkpoint.json").is_file(), reason="The package brings no weights."
)


def test_all_is_there_and_small() -> None:
    names = {path.name for path in WEIGHTS.iterdir()}
    weights = read_header(WEIGHTS)[1]["weights"]
    assert {"checkpoint.json", "card.md", "calibration.npz", "styles", weights} == names
    files = [SPEECH, *(path for path in WEIGHTS.rglob("*") if path.is_file())]
    assert sum(path.stat().st_size for path in files) <= 40e6


def test_they_hear_as_they_were_trained_to() -> None:
    header = read_header(WEIGHTS)[1]
    assert header["network"]["config"]["encoder"] == "speech"
    assert header["hears"] == load_encoder("speech").digest, "pack them again, or train again"


def test_the_names_of_the_rules_are_styles_here_too() -> None:
    method = METHODS.get("diffposetalk")
    assert set(method.styles()) == {*PRESETS, "nobody"}
    assert len({method.load_style(name) for name in PRESETS}) == len(PRESETS)


@pytest.mark.parametrize("name", ["checkpoint.json", "card.md", "styles/made.json"])
def test_no_folder_of_a_machine_is_told(name: str) -> None:
    text = (WEIGHTS / name).read_text(encoding="utf-8")
    assert not re.findall(r"(?<![\w.:/])(?:/[\w.-]+){2,}|[A-Z]:\\\\", text)


def test_they_perform() -> None:
    method = METHODS.get("diffposetalk")
    speech = Speech(vowel(2.0))
    calm, again, lively = (
        method.generate(speech, method.load_style(name), seed=0, fps=25.0)
        for name in ("calm", "calm", "lively")
    )
    np.testing.assert_array_equal(calm.values, again.values)
    assert np.abs(lively.values - calm.values).max() > 0.01


SPEECH_FILE = Path(__file__).parents[2] / "examples" / "speech.flac"
LIVELY = {"method": "diffposetalk", "style": "lively", "seed": 1}


def turned(motion: Motion, start: float, end: float) -> float:
    """How far the head leaves its mean pose in a range [rad]."""
    return float(motion.cut(start, end).group("head").std(axis=0).mean())


@pytest.fixture(scope="module")
def take() -> Motion:
    return api.animate(SPEECH_FILE, **LIVELY)[0]


def test_a_pose_leaves_what_is_far_away_as_lively_as_it_was(take: Motion) -> None:
    (posed,) = api.animate(SPEECH_FILE, **LIVELY, poses=[(8.5, {"browInnerUp": 0.6})])
    assert turned(posed, 0, 7) == pytest.approx(turned(take, 0, 7), rel=0.05)


def test_a_pose_opens_the_mouth_and_no_closure_shuts_it() -> None:
    (posed,) = api.animate(SPEECH_FILE, **LIVELY, poses=[(1.2, {"jawOpen": 0.8})])
    opened = lip_opening(posed)[28:33]
    assert opened[2] > 0.9 * opened.max()
    assert np.abs(np.diff(opened)).max() < 0.3 * opened[2]


def test_a_range_that_is_made_anew_is_as_lively_as_the_rest(take: Motion) -> None:
    made = [
        api.animate(SPEECH_FILE, **{**LIVELY, "seed": seed}, take=take, regenerate=[(2.5, 7)])[0]
        for seed in (2, 3, 4)
    ]
    anew = float(np.mean([turned(one, 2.5, 7) for one in made]))
    plain = [api.animate(SPEECH_FILE, **{**LIVELY, "seed": seed})[0] for seed in (2, 3, 4)]
    assert anew > 0.75 * float(np.mean([turned(one, 2.5, 7) for one in plain]))


@pytest.mark.parametrize("span", [(2.0, 3.5), (4.1, 6.3)])
def test_eyes_leap_and_lids_shut_where_a_range_is_made_anew(
    take: Motion, span: tuple[float, float]
) -> None:
    (made,) = api.animate(SPEECH_FILE, **{**LIVELY, "seed": 9}, take=take, regenerate=[span])
    for border in span:
        near = slice(round((border - 0.2) * 25), round((border + 0.2) * 25))
        steps = np.degrees(np.linalg.norm(np.diff(line_of_sight(made)[near], axis=0), axis=1))
        assert ((steps > 0.1) & (steps < 1.0)).sum() <= 1, "they leap, or stay; nothing slides"
    lids = made["eyeBlinkLeft"]
    peaks, _ = find_peaks(lids, prominence=0.3)
    assert (lids[peaks] > 0.8).all()
