"""Options of sampling in a line of text."""

from __future__ import annotations

from dataclasses import fields

import pytest

from kinevox.errors import ConfigError, KinevoxError, UnknownNameError
from kinevox.methods import METHODS, SamplingOptions, _options, load_method
from kinevox.methods._options import sampling_options, split_options, with_options
from kinevox.methods.diffposetalk.sampling import FOLLOWED


def test_the_text_falls_apart() -> None:
    assert split_options("diffposetalk:run@steps=4,bf16=yes") == (
        "diffposetalk:run",
        {"steps": "4", "bf16": "yes"},
    )
    assert split_options("diffposetalk@steps=4")[0] == "diffposetalk"
    # A folder may have such a name.
    assert split_options("regressor:me@home/run") == ("regressor:me@home/run", {})
    assert split_options("a:me@home/run@steps=4") == ("a:me@home/run", {"steps": "4"})


def test_every_choice_can_be_written() -> None:
    text = (
        "m@steps=4,audio-scale=1.5,style-scale=2,guidance-interval=0.1:0.9,mouth-noise=0.5,bf16=no,"
        "sampler=ddim,spacing=1.5"
    )
    options = sampling_options(split_options(text)[1])
    assert options == SamplingOptions(
        steps=4,
        audio_scale=1.5,
        style_scale=2.0,
        guidance_interval=(0.1, 0.9),
        mouth_noise=0.5,
        bf16=False,
        sampler="ddim",
        spacing=1.5,
    )
    assert sampling_options({}) == SamplingOptions()
    assert {str(field.type).removesuffix(" | None") for field in fields(SamplingOptions)} <= set(
        _options._KINDS
    )


def test_what_is_chosen_is_sampled() -> None:
    debug = METHODS.get("diffposetalk").debug()
    chosen = with_options(debug, {"steps": "3", "style-scale": "2", "sampler": "ddim"}).sampling
    assert (chosen.steps, chosen.sampler) == (3, "ddim")
    assert (chosen.guidance.sound, chosen.guidance.style) == (FOLLOWED.sound, 2.0)
    assert with_options(debug, {}) is debug


def test_without_guidance_the_network_is_asked_once() -> None:
    debug = METHODS.get("diffposetalk").debug()
    assert len(with_options(debug, {"guidance": "off"}).sampling.guidance.branches) == 1
    assert len(with_options(debug, {"style-scale": "1"}).sampling.guidance.branches) == 2
    assert len(with_options(debug, {"style-scale": "2"}).sampling.guidance.branches) == 3


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("diffposetalk@step=4", UnknownNameError, "Did you mean 'steps'"),
        ("diffposetalk@mouth-noise=2", ConfigError, "expected 0 .none. to 1"),
        ("diffposetalk@sampler=dim", UnknownNameError, "Did you mean 'ddim'"),
        ("diffposetalk@steps=few", ConfigError, "steps=4"),
        ("diffposetalk@steps=0", ConfigError, "at least one"),
        ("diffposetalk@spacing=0", ConfigError, "expected 1 .even steps., more"),
        ("diffposetalk@bf16=perhaps", ConfigError, "bf16=yes"),
        ("diffposetalk@guidance=some", ConfigError, "guidance=off"),
        ("diffposetalk@guidance-interval=1", ConfigError, "0.1:0.9"),
        ("diffposetalk@steps=4,", ConfigError, "NAME=VALUE"),
        ("articulate@steps=4", ConfigError, "draws nothing"),
    ],
)
def test_wrong_options(text: str, error: type[KinevoxError], message: str) -> None:
    with pytest.raises(error, match=message):
        load_method(text)
