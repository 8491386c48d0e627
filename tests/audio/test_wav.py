"""16-bit wav: what was written is what is read."""

import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kinevox.audio.read import channel_blocks, read_channels
from kinevox.audio.wav import write_wav


@settings(max_examples=25, deadline=None)
@given(pcm=hnp.arrays(np.int16, st.tuples(st.integers(1, 2), st.integers(1, 300))))
def test_sixteen_bits_pass_through_unchanged(tmp_path_factory, pcm):
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    write_wav(path, pcm.astype(np.float32) / 32768, 48_000)
    np.testing.assert_array_equal(read_channels(path) * 32768, pcm)
    copy = path.with_name("copy.wav")
    write_wav(copy, channel_blocks(path), 48_000)
    assert copy.read_bytes() == path.read_bytes()


def test_too_loud_is_clipped_not_wrapped(tmp_path):
    write_wav(tmp_path / "a.wav", np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]], np.float32), 8000)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        pcm = np.frombuffer(file.readframes(5), "<i2")
    assert pcm.tolist() == [-32768, -32768, 0, 32767, 32767]


def test_nothing_is_left_after_an_error(tmp_path):
    def breaks():
        yield np.zeros((1, 100), np.float32)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_wav(tmp_path / "a.wav", breaks(), 8000)
    assert not list(tmp_path.iterdir())
