"""Videos decode to what went in: frames, sound, their alignment and where they came from."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from synthetic import toy_head, toy_motion, vowel

from kinevox import __version__
from kinevox.errors import ConfigError, MotionError
from kinevox.export import EXPORTERS, Animation
from kinevox.motion import ARKIT, Motion
from kinevox.rendering.video import render_comparison, render_video
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

pytestmark = pytest.mark.usefixtures("opengl")
AAC_FRAME = 1024


def animation(frames: int = 25, **changes) -> Animation:
    head = toy_head()
    options = {
        "motion": toy_motion(frames),
        "load_head": lambda: head,
        "speech": Speech(vowel(frames / 25)),
        "name": "hello",
        "metadata": {"method": "toy", "style": "calm", "seed": "7"},
    }
    return Animation(**{**options, **changes})


def pictures(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return np.stack([f.to_ndarray(format="rgb24") for f in frames]), np.array(
        [f.time for f in frames]
    )


def sound(path: Path) -> tuple[np.ndarray, int, float]:
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([f.to_ndarray() for f in frames], axis=1)
    return samples, frames[0].sample_rate, float(frames[0].time)


def test_one_second_decodes_to_what_went_in(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    seen: list[tuple[int, int]] = []
    render_video(
        animation(), path, size=(128, 96), progress=lambda done, total: seen.append((done, total))
    )
    images, times = pictures(path)
    assert images.shape == (25, 96, 128, 3)
    np.testing.assert_allclose(times, np.arange(25) / 25, atol=1e-6)
    samples, rate, start = sound(path)
    assert rate == SAMPLE_RATE and abs(start) < 1e-6
    assert abs(samples.shape[1] - rate) <= AAC_FRAME
    assert seen == [(k, 25) for k in range(1, 26)]
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.pix_fmt, video.average_rate) == ("yuv420p", 25)
        assert container.metadata["title"] == "hello"
        comment = f"synthetic; kinevox {__version__}; method toy; style calm; seed 7"
        assert container.metadata["comment"] == comment
    # The index comes first, so that a browser plays before all has arrived.
    head = path.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_colours_survive_the_codec(tmp_path: Path) -> None:
    from kinevox.rendering.video import render_images

    still = Motion(np.repeat(ARKIT.neutral[None], 5, axis=0))
    one = animation(motion=still)
    render_video(one, tmp_path / "out.mp4", size=(128, 128))
    drawn = render_images(one.load_head(), still, size=(128, 128))[-1].astype(float)
    # swscale's quick conversion takes BT.601 for everything, so the matrix is applied here.
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = list(container.decode(video=0))[-1].to_ndarray(format="yuv420p").astype(float)
    luma = 16 + 219 / 255 * drawn @ np.array([0.2126, 0.7152, 0.0722])
    assert np.abs(frame[:128] - luma).mean() < 1.5


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_other_frame_rates_keep_the_length(tmp_path: Path, fps: int) -> None:
    render_video(animation(), tmp_path / "out.mp4", fps=fps, size=(64, 64))
    images, times = pictures(tmp_path / "out.mp4")
    assert len(images) == fps
    np.testing.assert_allclose(times, np.arange(fps) / fps, atol=1e-4)


@pytest.mark.parametrize("from_file", [False, True])
def test_the_mouth_opens_when_the_click_sounds(tmp_path: Path, from_file: bool) -> None:
    frame = 13
    samples = np.zeros(SAMPLE_RATE, np.float32)
    click = int(frame / 25 * SAMPLE_RATE)
    samples[click : click + 400] = 0.9 * np.sign(np.sin(np.arange(400)))
    speech = Speech(samples)
    if from_file:
        with av.open(str(tmp_path / "click.wav"), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
            block = (samples[None] * 32767).astype(np.int16)
            made = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            made.sample_rate = SAMPLE_RATE
            container.mux(stream.encode(made))
            container.mux(stream.encode(None))
        speech = Speech(samples, tmp_path / "click.wav")
    opens = np.where(np.arange(25) < frame, 0.0, 1.0)
    motion = Motion(np.repeat(ARKIT.neutral[None], 25, axis=0)).with_channels(jawOpen=opens)
    render_video(animation(motion=motion, speech=speech), tmp_path / "out.mp4", size=(128, 128))

    images, times = pictures(tmp_path / "out.mp4")
    change = np.abs(np.diff(images.astype(int), axis=0)).mean(axis=(1, 2, 3))
    opened = times[1 + np.argmax(change)]
    heard, rate, start = sound(tmp_path / "out.mp4")
    loud = np.abs(heard).max(axis=0)
    clicked = start + np.argmax(loud > 0.3 * loud.max()) / rate
    assert rate == (48_000 if from_file else SAMPLE_RATE)
    assert opened == pytest.approx(frame / 25, abs=1e-4)
    assert clicked == pytest.approx(opened, abs=0.005)


def test_turntable_turns(tmp_path: Path) -> None:
    still = Motion(np.repeat(ARKIT.neutral[None], 10, axis=0))
    spread = []
    for turntable in (False, True):
        path = tmp_path / f"{turntable}.mp4"
        render_video(animation(motion=still), path, size=(96, 96), turntable=turntable)
        spread.append(pictures(path)[0].astype(float).std(axis=0).mean())
    assert spread[1] > 10 * spread[0]


def test_two_side_by_side_with_curves(tmp_path: Path) -> None:
    """Twice as wide, the shorter one holds its last pose, and the strip's cursor moves."""
    first, second = animation(10), animation(6)
    render_comparison(
        [first, second], ["one", "another"], tmp_path / "out.mp4", size=(128, 128), curves=True
    )
    images, _ = pictures(tmp_path / "out.mp4")
    assert images.shape[0] == 10 and images.shape[2] == 256 and images.shape[1] > 128
    held = np.abs(images[-1, :128, 128:].astype(int) - images[-3, :128, 128:])
    assert held.mean() < 1
    strip = images[:, 130:-20].astype(int)
    assert np.abs(strip[9] - strip[0]).max() > 60


def test_silent_video_without_speech(tmp_path: Path) -> None:
    render_video(animation(5, speech=None), tmp_path / "out.mp4", size=(64, 64))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_exporter_writes_a_video(tmp_path: Path) -> None:
    EXPORTERS.get("mp4").write(animation(2), tmp_path / "out.mp4")
    assert pictures(tmp_path / "out.mp4")[0].shape == (2, 512, 512, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (511, 512)}, "even.*510 x 512"),
        ({"size": (2048, 1080)}, "at most 1920 x 1080"),
        ({"size": (1080, 1080), "curves": True}, "at most"),
        ({"size": (8, 8)}, "at least 64"),
        ({"fps": 240}, "1 to 120"),
    ],
)
def test_what_no_video_can_be(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        render_video(animation(2), tmp_path / "out.mp4", **options)
    assert not list(tmp_path.iterdir())


def test_comparison_needs_two_with_labels(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 animations and 1 labels"):
        render_comparison([animation(2)], ["one"], tmp_path / "out.mp4")


def test_no_frames_no_video(tmp_path: Path) -> None:
    empty = Motion(np.zeros((0, 55), np.float32))
    with pytest.raises(MotionError, match="no frames"):
        render_video(animation(motion=empty), tmp_path / "out.mp4")


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")

    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_video(animation(), path, size=(64, 64), progress=stop)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    assert path.read_bytes() == b"older"


def test_a_broken_recording_is_reported_and_nothing_is_left(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"this is no sound")
    speech = Speech(vowel(), broken)
    with pytest.raises(ValueError, match=r"broken\.wav"):
        render_video(animation(speech=speech), tmp_path / "out.mp4", size=(64, 64))
    assert [p.name for p in tmp_path.iterdir()] == ["broken.wav"]
