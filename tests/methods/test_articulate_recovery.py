"""Style from motion: performances whose factors are known give them back."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from synthetic import toy_motion

from kinevox import api
from kinevox.errors import ConfigError, MotionError
from kinevox.methods import ExtractedStyle
from kinevox.methods.articulate import perform
from kinevox.methods.articulate._made_up import make_up
from kinevox.methods.articulate.recovery import recover, recover_each
from kinevox.methods.articulate.style import StyleFactors
from kinevox.motion import Motion, flame_layout
from kinevox.phones import SILENCE

LOUD = StyleFactors(
    jaw_gain=1.5, lip_gain=1.4, rounding=1.3, lip_press=0.8, smile=0.4, asymmetry=0.5,
    squint=0.3, brow_height=0.3, brow_activity=1.8, blink_rate=30.0, head_amplitude=1.8,
    head_tempo=1.5, pitch_bias=0.1, yaw_bias=-0.2, tilt_bias=0.1,
)  # fmt: skip
QUIET = StyleFactors(
    jaw_gain=0.6, lip_gain=0.6, rounding=0.7, lip_press=0.1, smile=-0.2, asymmetry=-0.3,
    squint=0.1, brow_height=-0.3, brow_activity=0.3, blink_rate=8.0, head_amplitude=0.4,
    head_tempo=0.7, pitch_bias=-0.1, yaw_bias=0.1, tilt_bias=-0.1,
)  # fmt: skip


HEARD = make_up(12.0, np.random.default_rng(5))


@cache
def found(style: StyleFactors, sound: bool, fps: float = 25.0) -> ExtractedStyle:
    """What a performance of twelve seconds shows."""
    return recover([perform(HEARD, style, seed=1, fps=fps)], [HEARD] if sound else None)


@pytest.mark.parametrize("sound", [True, False])
def test_opposite_styles_are_told_apart(sound: bool) -> None:
    # One clip without its sound tells less, and what is uncertain shrinks to neutral.
    least = 0.4 if sound else 0.35
    for factor in fields(StyleFactors):
        loud, quiet = (getattr(style, factor.name) for style in (LOUD, QUIET))
        if loud == quiet or found(LOUD, sound).certainty[factor.name] < 0.5:
            continue
        told, other = (getattr(found(style, sound).style, factor.name) for style in (LOUD, QUIET))
        assert (told - other) / (loud - quiet) > least, factor.name
    assert found(LOUD, sound).certainty["asymmetry"] > 0.95


def test_sound_makes_gains_certain() -> None:
    for factor in ("jaw_gain", "lip_gain", "rounding"):
        assert found(LOUD, True).certainty[factor] > 0.8
        assert found(LOUD, True).certainty[factor] > found(LOUD, False).certainty[factor]
    assert found(LOUD, True).style.jaw_gain == pytest.approx(LOUD.jaw_gain, rel=0.2)


def test_what_is_not_seen_stays_neutral() -> None:
    """Mumbling looks like smaller gains of everything, so it cannot be told from them."""
    mumbling = found(replace(LOUD, mumble=0.3), True)
    assert mumbling.certainty["mumble"] < 0.4
    assert mumbling.style.mumble < 0.15


def test_the_answer_is_always_the_same_and_independent_of_the_frame_rate() -> None:
    assert found.__wrapped__(LOUD, True) == found(LOUD, True)
    finer, coarse = found(LOUD, True, 60.0).style, found(LOUD, True).style
    for factor in ("jaw_gain", "smile", "head_tempo", "pitch_bias"):
        assert getattr(finer, factor) == pytest.approx(getattr(coarse, factor), abs=0.12)


def test_odd_motion_gives_factors_within_their_ranges() -> None:
    for motion in (toy_motion(100), Motion(np.zeros((100, 55), np.float32))):
        recover([motion])


def test_unusable_motion_is_explained() -> None:
    with pytest.raises(MotionError, match=r"0\.80 s long; style needs 2 s"):
        recover([toy_motion(20)])
    flame = Motion(np.zeros((100, 56)), layout=flame_layout(50))
    with pytest.raises(MotionError, match="--source-head flame:FILE"):
        recover([flame])
    with pytest.raises(MotionError, match=r"The motion is 4\.00 s long and the sound 12\.00 s"):
        recover([toy_motion(100)], [HEARD])


def test_several_clips_are_one_person() -> None:
    other = make_up(10.0, np.random.default_rng(6))
    clips = [perform(words, LOUD, seed=1, fps=25.0) for words in (HEARD, other)]
    together = recover(clips, [HEARD, other]).certainty
    assert sum(together.values()) > sum(found(LOUD, True).certainty.values())


def test_takes_of_the_same_clips_share_what_the_rules_perform() -> None:
    takes = [[perform(HEARD, style, seed=1, fps=25.0)] for style in (LOUD, QUIET)]
    assert recover_each(takes, [HEARD]) == [found(LOUD, True), found(QUIET, True)]
    with pytest.raises(MotionError, match="differ in length"):
        recover_each([takes[0], [takes[1][0].cut(0, 5)]])


def test_the_api_wants_a_recording_per_clip() -> None:
    with pytest.raises(ConfigError, match="2 clips and 1 recordings"):
        api.extract_style([toy_motion(100)] * 2, audio=["a.wav"])
    with pytest.raises(ConfigError, match="one recording per clip"):
        api.extract_style([toy_motion(100)] * 2, audio="a.wav")
    with pytest.raises(ConfigError, match="cannot read a style"):
        api.extract_style(toy_motion(100), method="regressor")


def test_made_up_speech_is_like_speech() -> None:
    heard = make_up(60.0, np.random.default_rng(0))
    assert heard.phones.seconds == pytest.approx(60.0)
    silent = sum(
        end - start
        for label, start, end in zip(
            heard.phones.labels, heard.phones.starts, heard.phones.ends, strict=True
        )
        if label == SILENCE
    )
    assert 0.15 < silent / 60 < 0.45
    assert 8 < len(heard.phones) / (60 - silent) < 16
    assert 0.6 < len(heard.prosody.accents) / 60 < 2.0
