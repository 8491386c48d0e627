"""The rule-based performer, through its public door."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinevox import timebase
from kinevox.heads import inner_lip_gap
from kinevox.methods import METHODS
from kinevox.methods.articulate import coarticulation
from kinevox.methods.articulate.visemes import ARTICULATORS, VISEMES
from kinevox.phones import SILENCE, Phones
from kinevox.speech import Speech

METHOD = METHODS.get("articulate")
SPEAKABLE = sorted(set(VISEMES) - {SILENCE, "BREATH"} | {"AW", "AY", "EY", "OW", "OY"})


def spoken(*labels: str, seconds: float = 0.1, pause: float = 0.4) -> Speech:
    """Speech whose phones are known: a buzz while speaking, silence before and after."""
    labels = (SILENCE, *labels, SILENCE)
    lengths = np.array([pause if label == SILENCE else seconds for label in labels])
    ends = lengths.cumsum()
    times = np.arange(int(ends[-1] * timebase.SAMPLE_RATE)) / timebase.SAMPLE_RATE
    buzz = 0.3 * np.sign(np.sin(2 * np.pi * 120 * times)) * np.exp(-(np.sin(8 * times) ** 2))
    buzz[(times < pause) | (times > ends[-2])] = 0
    return Speech(buzz.astype(np.float32), phones=Phones(labels, ends - lengths, ends))


def perform(speech: Speech, style: str = "neutral", seed: int = 0, fps: float = 25.0):
    return METHOD.generate(speech, METHOD.load_style(style), seed=seed, fps=fps)


def at(motion, channel: str, seconds: float) -> float:
    return float(np.interp(seconds, motion.times, motion[channel]))


def test_same_seed_is_the_same_take_and_another_seed_another():
    speech = spoken("HH", "EH", "L", "OW", "M", "AA", "M", "AA")
    first, again, other = (perform(speech, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.values, again.values)
    assert np.abs(first.group("head") - other.group("head")).max() > np.radians(0.3)
    assert np.abs(first["jawOpen"] - other["jawOpen"]).max() > 1e-3


def test_length_follows_the_sound():
    speech = spoken("AA", "B", "AA")
    for fps in (24.0, 25.0, 30.0, 60.0):
        motion = perform(speech, fps=fps)
        assert motion.fps == fps
        assert motion.num_frames == int(speech.seconds * fps)


@settings(max_examples=40, deadline=None)
@given(
    labels=st.lists(st.sampled_from(SPEAKABLE), min_size=1, max_size=12),
    seconds=st.floats(0.03, 0.25),
    style=st.sampled_from(sorted(METHOD.styles())),
    fps=st.sampled_from([24.0, 25.0, 30.0, 60.0]),
)
def test_lips_always_close_on_bilabials(anny_head, labels, seconds, style, fps):
    speech = spoken(*labels, "P", *labels, "M", "AA", "B", seconds=seconds)
    motion = perform(speech, style, fps=fps)
    gap = inner_lip_gap(anny_head.vertices(motion, head_pose=False), anny_head.regions)
    phones = speech.phones
    for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
        if label in ("P", "B", "M"):
            near = np.abs(motion.times - (start + end) / 2) <= 0.06
            assert gap[near].min() < 1e-3


@settings(max_examples=40, deadline=None)
@given(
    labels=st.lists(st.sampled_from(SPEAKABLE), max_size=15),
    style=st.sampled_from(sorted(METHOD.styles())),
    seed=st.integers(0, 2**32),
)
def test_weights_stay_in_range_and_mouth_close_needs_jaw_open(labels, style, seed):
    motion = perform(spoken(*labels), style, seed)
    weights = motion.group("expression")
    assert weights.min() >= 0 and weights.max() <= 1
    assert np.all(motion["mouthClose"] <= motion["jawOpen"] + 1e-6)


def test_sibilants_keep_the_jaw_nearly_shut():
    for label in ("S", "Z", "SH", "ZH", "CH", "JH"):
        motion = perform(spoken("AA", label, "AA", seconds=0.15))
        assert at(motion, "jawOpen", 0.4 + 0.225) < 0.5 * at(motion, "jawOpen", 0.4 + 0.075)


def test_labiodentals_bring_the_lower_lip_to_the_teeth():
    for label in ("F", "V"):
        motion = perform(spoken("AA", label, "AA", seconds=0.15))
        assert at(motion, "mouthRollLower", 0.4 + 0.225) > 0.3
        assert at(motion, "mouthRollLower", 0.4 + 0.06) < 0.1


def test_rounding_starts_early_and_leaves_late():
    rounded = perform(spoken("S", "T", "UW", "T", "S", seconds=0.12))
    spread = perform(spoken("S", "T", "IY", "T", "S", seconds=0.12))
    vowel = 0.4 + 2 * 0.12
    for moment in (vowel - 0.08, vowel + 0.12 + 0.08):
        assert at(rounded, "mouthPucker", moment) > at(spread, "mouthPucker", moment) + 0.2


def test_tongue_consonants_leave_the_lips_to_their_neighbours():
    motion = perform(spoken("UW", "T", "UW", seconds=0.12))
    vowel, consonant = (at(motion, "mouthPucker", 0.4 + 0.12 * k) for k in (0.5, 1.5))
    assert consonant > 0.8 * vowel


def test_lips_part_for_breath_before_a_phrase():
    motion = perform(spoken("AA", "T", "AA", pause=1.0))
    assert at(motion, "jawOpen", 0.2) < 0.01 < at(motion, "jawOpen", 0.85)


def test_loud_speech_opens_wider():
    quiet, loud = spoken("AA", "T", "AA", "T", "AA", "T", "AA"), None
    half = len(quiet.samples) // 2
    samples = quiet.samples.copy()
    samples[:half] *= 0.05
    loud = Speech(samples, phones=quiet.phones)
    motion = perform(loud)
    middle = motion.num_frames // 2
    assert motion["jawOpen"][middle:].max() > 1.1 * motion["jawOpen"][:middle].max()


def test_silence_rests():
    samples = np.zeros(3 * timebase.SAMPLE_RATE, np.float32)
    phones = Phones((SILENCE,), np.array([0.0]), np.array([3.0]))
    motion = perform(Speech(samples, phones=phones))
    assert motion["jawOpen"].max() == 0
    speed = np.degrees(np.abs(np.diff(motion.group("head"), axis=0))).max() * motion.fps
    assert speed < 15


def test_other_frame_rates_show_the_same_take():
    speech = spoken("HH", "EH", "L", "OW", "M", "AA", "M", "AA")
    slow, fast = perform(speech, fps=25.0), perform(speech, fps=50.0)
    shown = [c for c in slow.layout.names if c.startswith(("head", "eye", "brow"))]
    for channel in shown:
        np.testing.assert_allclose(slow[channel], fast[channel][::2], atol=1e-5)


def test_one_factor_leaves_the_rest_of_the_take_alone():
    speech = spoken(*("B", "AA", "D", "IY") * 8)
    style = METHOD.load_style("neutral")
    busy = METHOD.generate(speech, type(style)(blink_rate=40.0), seed=0, fps=25.0)
    none = METHOD.generate(speech, type(style)(blink_rate=0.0), seed=0, fps=25.0)
    assert busy["eyeBlinkLeft"].max() > 0.8 and none["eyeBlinkLeft"].max() == 0
    for channel in ("head_x", "head_y", "jawOpen", "browInnerUp", "eyeLookUpLeft"):
        np.testing.assert_array_equal(busy[channel], none[channel])


@pytest.mark.parametrize(
    ("factor", "low", "high", "channel"),
    [
        ("jaw_gain", 0.5, 1.5, "jawOpen"),
        ("rounding", 0.5, 1.5, "mouthPucker"),
        ("smile", 0.0, 0.6, "mouthSmileLeft"),
        ("brow_height", 0.0, 0.5, "browInnerUp"),
        ("squint", 0.0, 0.6, "eyeSquintLeft"),
        ("pitch_bias", -0.2, 0.2, "head_x"),
        ("yaw_bias", -0.3, 0.3, "head_y"),
        ("tilt_bias", -0.2, 0.2, "head_z"),
    ],
)
def test_factors_move_what_they_name(factor, low, high, channel):
    speech = spoken(*("B", "AA", "D", "UW") * 6)
    style = type(METHOD.load_style(None))
    less, more = (
        METHOD.generate(speech, style(**{factor: value}), seed=3, fps=25.0)[channel].mean()
        for value in (low, high)
    )
    assert more > less + 0.02


def test_asymmetry_picks_a_side():
    style = type(METHOD.load_style(None))
    speech = spoken(*("B", "AA", "D", "IY") * 4)
    left = METHOD.generate(speech, style(smile=0.5, asymmetry=0.8), seed=0, fps=25.0)
    assert left["mouthSmileLeft"].mean() > 2 * left["mouthSmileRight"].mean()


def test_fast_coarticulation_equals_the_plain_sum():
    """Parity with the formula written out, one segment and one frame at a time."""
    speech = spoken("M", "AY", "N", "UW", "SH", "P")
    segments = coarticulation.segments_of(speech.phones)
    times = np.arange(0, speech.seconds, 0.033)
    expected = np.zeros((len(times), len(ARTICULATORS)))
    for i, time in enumerate(times):
        for p, name in enumerate(ARTICULATORS):
            reach, weighted, total = coarticulation.REACHES[name], 0.0, 0.0
            for s in range(len(segments.labels)):
                early = max(segments.starts[s] - time, 0)
                late = max(time - segments.ends[s], 0)
                if max(early, late) > coarticulation.REACH:
                    continue
                pull = np.exp(-early / reach.before - late / reach.after)
                weighted += segments.firmness[s, p] * pull * segments.targets[s, p]
                total += segments.firmness[s, p] * pull
            expected[i, p] = weighted / total
    actual = coarticulation.articulator_curves(segments, times)
    np.testing.assert_allclose(actual, expected, atol=1e-9)
