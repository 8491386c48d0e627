"""The preview shows every frame of the motion, with the fit where the face is."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from synthetic_video import Disc, DiscTracker, paint, write_video

from kinevox.capture._capture import TrackerChoice, capture_video
from kinevox.capture.preview import render_preview
from kinevox.heads import BlendshapeHead

pytest.importorskip("vtk", reason="VTK is not installed (extra 'render').")

GREEN, RED = (70, 190, 110), (205, 70, 60)


@pytest.mark.slow
def test_preview(tmp_path: Path, anny_head: BlendshapeHead) -> None:
    pictures = [paint(Disc(70 + i)) for i in range(8)] + [paint(gray=150)] * 12
    video = write_video(tmp_path / "clip.mp4", pictures, sound_from=0.0)
    capture, landmarks = capture_video(video, tracker=TrackerChoice("", DiscTracker))
    out = tmp_path / "preview.mp4"
    render_preview(video, landmarks, capture, out)
    with av.open(str(out)) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(shown) == capture.motion.num_frames == 20
    height, width = shown[0].shape[:2]
    assert height == 524 and width % 2 == 0
    strip = shown[10][-6].astype(int)
    for at, color in ((0.2, GREEN), (0.8, RED)):
        column = strip[round(at * width)]
        assert np.argmin([np.abs(column - c).sum() for c in (GREEN, RED)]) == (color == RED)
    drawn = [(np.ptp(picture[:512, : width - 512], axis=-1) > 60).any() for picture in shown]
    assert all(drawn[:8]), "faces, lines and dots have color"
    assert not any(drawn[9:]), "nothing is drawn where nobody is"
