"""Whatever is wrong with a recording is said in one sentence that helps."""

import re

import numpy as np
import pytest

from kinevox.audio.read import MIN_SECONDS, audio_blocks, read_audio, read_speech
from kinevox.errors import AudioError
from kinevox.timebase import SAMPLE_RATE

RNG = np.random.default_rng(0)
NOISE = 0.1 * RNG.standard_normal(48_000 * 4).astype(np.float32)


def complaint(path) -> str:
    with pytest.raises(AudioError) as caught:
        read_speech(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_missing_file_suggests_a_near_name(make):
    path = make("interview.wav", NOISE)
    assert "Did you mean 'interview.wav'?" in complaint(path.with_name("intervew.wav"))
    assert "Did you mean" not in complaint(path.with_name("zzz.mp3"))
    assert "does not exist" in complaint(path.parent / "nowhere" / "interview.wav")


def test_folder(tmp_path):
    assert "is a folder" in complaint(tmp_path)


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".m4a", ".opus", ".txt"])
@pytest.mark.parametrize("content", [b"Dear reader, this is text.\n" * 99, RNG.bytes(9999)])
def test_not_a_recording(tmp_path, suffix, content):
    path = tmp_path / f"renamed{suffix}"
    path.write_bytes(content)
    assert re.search("not a recording|no sound", complaint(path))


def test_empty_file(tmp_path):
    path = tmp_path / "empty.wav"
    path.touch()
    assert "empty (0 bytes)" in complaint(path)


def test_header_without_samples(make):
    path = make("header.wav", NOISE[:480])
    path.write_bytes(path.read_bytes()[:44])
    complaint(path)


def test_video_without_sound(tmp_path):
    import av

    path = tmp_path / "silent film.mp4"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
        container.mux(picture.encode(image))
        container.mux(picture.encode(None))
    assert "no sound track, only video" in complaint(path)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mp3", "libmp3lame"), ("a.aiff", "pcm_s16be")],
)
def test_cut_short_says_what_was_left(make, name, codec):
    path = make(name, NOISE, codec=codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 37])
    assert re.search(r"cut short or damaged: (1\.9|2\.0) of 4\.0 s", complaint(path))
    # Streaming delivers the good part first.
    received = 0
    with pytest.raises(AudioError):
        for block in audio_blocks(path):
            received += len(block)
    assert received > 1.8 * SAMPLE_RATE


def test_cut_short_before_the_index(make):
    path = make("a.m4a", NOISE, codec="aac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "complete" in complaint(path)


def test_damage_in_the_middle(make):
    path = make("a.mp3", NOISE, codec="libmp3lame")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = RNG.bytes(6000)
    path.write_bytes(content)
    assert "could be read" in complaint(path)


def test_a_placeholder_length_is_no_promise(make):
    path = make("piped.wav", NOISE)
    content = bytearray(path.read_bytes())
    data = content.index(b"data")
    for size in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        content[4:8] = content[data + 4 : data + 8] = size
        path.write_bytes(content)
        assert len(read_audio(path)) == 4 * SAMPLE_RATE


def test_joined_mp3s_are_read_across_the_seam(make):
    path = make("a.mp3", NOISE, codec="libmp3lame")
    path.write_bytes(path.read_bytes() * 2)
    assert abs(len(read_audio(path)) / SAMPLE_RATE - 8) < 0.1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e9])
def test_values_that_are_not_numbers(make, value):
    samples = NOISE.copy()
    samples[72_000] = value
    assert "first at 1.500 s" in complaint(make("a.wav", samples, codec="pcm_f32le"))


def test_too_short(make):
    message = complaint(make("click.wav", NOISE[:144]))
    assert "0.003 s long" in message
    assert f"at least {MIN_SECONDS} s" in message
    assert read_speech(make("enough.wav", NOISE[: round(MIN_SECONDS * 48_000)])).seconds == 0.2


def test_silence_is_speech_too(make):
    assert not read_speech(make("silence.wav", np.zeros(48_000))).samples.any()
