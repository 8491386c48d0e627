"""A folder of videos: what fails is told, what is done stays done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_video import Disc, DiscTracker, paint, write_video

from kinevox.capture._capture import TrackerChoice
from kinevox.capture.capture_file import read_capture
from kinevox.capture.folder import (
    MANIFEST,
    Entry,
    FolderOptions,
    capture_folder,
    read_manifest,
)
from kinevox.errors import ConfigError
from kinevox.heads import BlendshapeHead


def disc_tracker(task: str | None) -> TrackerChoice:
    return TrackerChoice("", DiscTracker)


OPTIONS = FolderOptions(tracker=disc_tracker)


@pytest.fixture
def folder(tmp_path: Path, anny_head: BlendshapeHead) -> Path:
    root = tmp_path / "videos"
    (root / "more").mkdir(parents=True)
    write_video(root / "one.mp4", [paint(Disc(70 + i)) for i in range(4)], sound_from=0.0)
    write_video(root / "more" / "two.mov", [paint(Disc(90 - i)) for i in range(4)])
    write_video(root / "nobody.mp4", [paint()] * 4)
    (root / "text.mp4").write_text("no video")
    (root / "notes.txt").write_text("no video either")
    return root


def captured_at(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.rglob("*.npz")}


def test_every_video_is_captured_or_says_why_not(folder: Path, tmp_path: Path) -> None:
    told = []
    out = tmp_path / "out"
    entries = capture_folder(folder, out, OPTIONS, progress=lambda *args: told.append(args))
    assert [entry.video for entry in entries] == [
        "more/two.mov",
        "nobody.mp4",
        "one.mp4",
        "text.mp4",
    ]
    two, nobody, one, text = entries
    assert two.capture == "more/two.npz" and one.capture == "one.npz"
    assert "no face" in nobody.reason and "not a video" in text.reason
    assert read_manifest(out) == entries
    capture = read_capture(out / one.capture)
    assert capture.motion.num_frames == 4 and one.facts["seen"] == 1
    assert capture.motion.metadata["source"] == "one.mp4"
    assert told[-1] == ("Capturing videos", 4, 4)
    assert {path.name for path in out.rglob("*") if path.is_file()} == {
        MANIFEST,
        "one.npz",
        "two.npz",
    }


def test_the_same_call_goes_on(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = capture_folder(folder, out, OPTIONS)
    before = captured_at(out)
    # As a crash leaves it: one line cut short, one capture not yet written.
    lines = (out / MANIFEST).read_text().splitlines(keepends=True)
    (out / MANIFEST).write_text("".join(lines[:-1]) + lines[-1][:20])
    (out / "more" / "two.npz").unlink()
    write_video(folder / "text.mp4", [paint(Disc())] * 3)
    again = capture_folder(folder, out, OPTIONS)
    after = captured_at(out)
    assert after["one.npz"] == before["one.npz"], "nothing changed here"
    assert after["two.npz"] != before["two.npz"] and "text.npz" in after
    assert [entry.video for entry in again] == [entry.video for entry in first]
    assert sum(bool(entry.capture) for entry in again) == 3


def test_other_options_capture_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    capture_folder(folder, out, OPTIONS)
    capture_folder(folder, out, replace(OPTIONS, fps=50.0))
    assert read_capture(out / "one.npz").motion.fps == 50


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="holds no video"):
        capture_folder(tmp_path / "empty", out)
    with pytest.raises(ConfigError, match="not a folder"):
        capture_folder(tmp_path / "missing", out)
    with pytest.raises(ConfigError, match="at least one process"):
        capture_folder(tmp_path / "empty", out, workers=0)
    for name in ("a.mp4", "a.mov"):
        (tmp_path / "empty" / name).touch()
    with pytest.raises(ConfigError, match="share one capture"):
        capture_folder(tmp_path / "empty", out)
    assert not out.exists()


def assert_same(entries: list[Entry], others: list[Entry]) -> None:
    for entry, other in zip(entries, others, strict=True):
        assert replace(entry, facts={}) == replace(other, facts={})
        assert entry.facts == pytest.approx(other.facts, rel=0.01, abs=2e-3)


@pytest.mark.slow
def test_processes_give_the_same(folder: Path, tmp_path: Path) -> None:
    alone = capture_folder(folder, tmp_path / "alone", OPTIONS)
    together = capture_folder(folder, tmp_path / "together", OPTIONS, workers=2)
    assert_same(together, alone)
    one, other = (read_capture(tmp_path / out / "one.npz") for out in ("alone", "together"))
    np.testing.assert_allclose(one.motion.values, other.motion.values, atol=1e-3)


@pytest.mark.slow
def test_a_cluster_gives_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra 'ray').")
    from ray.cluster_utils import Cluster

    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{here}:{here.parent}")
    alone = capture_folder(folder, tmp_path / "alone", OPTIONS)
    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, include_dashboard=False)
        spread = capture_folder(folder, tmp_path / "spread", OPTIONS, ray=cluster.address)
    finally:
        cluster.shutdown()
    assert_same(spread, alone)
