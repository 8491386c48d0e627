"""Errors are caught by what they resemble, and say what to do."""

from __future__ import annotations

import pytest

from kinevox import errors


@pytest.mark.parametrize(
    ("error", "resembles"),
    [
        (errors.AudioError, ValueError),
        (errors.VideoError, ValueError),
        (errors.MotionError, ValueError),
        (errors.AssetError, OSError),
        (errors.ConfigError, ValueError),
        (errors.RenderError, RuntimeError),
        (errors.MissingExtraError, ImportError),
        (errors.UnknownNameError, LookupError),
    ],
)
def test_family(error: type[Exception], resembles: type[Exception]) -> None:
    assert issubclass(error, errors.KinevoxError)
    assert issubclass(error, resembles)


def test_near_names_are_suggested() -> None:
    assert str(errors.UnknownNameError("style", "Lvely", ["lively", "calm"])) == (
        "Unknown style 'Lvely'. Did you mean 'lively'? Known: calm, lively."
    )
    assert "Did you mean" not in str(errors.UnknownNameError("style", "xyz", ["lively"]))
    assert str(errors.UnknownNameError("style", "x", [])).endswith("Known: none.")


def test_a_missing_extra_names_its_command() -> None:
    message = str(errors.MissingExtraError("Rendering", "render"))
    assert "pip install 'kinevox[render]'" in message
