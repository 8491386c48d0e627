"""The weights in the package: complete, small, and fit for the rest of the package."""

from __future__ import annotations

import re

import numpy as np
import pytest
from synthetic import vowel

from kinevox.audio.encoders import load_encoder
from kinevox.audio.encoders.speech import WEIGHTS as SPEECH
from kinevox.methods import METHODS
from kinevox.methods.articulate.style import PRESETS
from kinevox.methods.diffposetalk import WEIGHTS
from kinevox.speech import Speech
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
