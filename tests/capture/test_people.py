"""Faces are followed, told apart and chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_video import FACE, WIDTH, Disc, DiscTracker, paint, write_video

from kinevox.capture._base import Landmarks, Shot
from kinevox.capture.people import choose, find_people
from kinevox.capture.track import Sightings, track_video
from kinevox.errors import ConfigError, VideoError

NOBODY = paint()


def tracked(path: Path, pictures: list[np.ndarray], **options) -> Sightings:
    return track_video(write_video(path, pictures, **options), DiscTracker)


def chosen(sightings: Sightings, person: int | None = None) -> Landmarks:
    return choose(sightings, person, "clip.mp4")[0]


def test_landmarks_follow_the_face(tmp_path: Path) -> None:
    places = np.linspace(50, 140, 20)
    landmarks = chosen(tracked(tmp_path / "a.mp4", [paint(Disc(x)) for x in places]))
    assert landmarks.shots == (Shot(0, 20),) and landmarks.seen.all()
    middle = (landmarks.points[..., 0].min(axis=1) + landmarks.points[..., 0].max(axis=1)) / 2
    np.testing.assert_allclose(middle, places, atol=1.5)
    width = np.ptp(landmarks.points[0, :, 0])
    np.testing.assert_allclose(width, 32 * np.ptp(FACE[:, 0]), rtol=0.05)


def test_several_people_are_listed_and_chosen_from_the_left(tmp_path: Path) -> None:
    pictures = [paint(Disc(140 - i, other=True), Disc(48, radius=24)) for i in range(12)]
    sightings = tracked(tmp_path / "two.mp4", pictures)
    with pytest.raises(ConfigError, match=r"2 people.*1 left.*2 right.*--person N"):
        chosen(sightings)
    with pytest.raises(ConfigError, match="Person 3"):
        chosen(sightings, 3)
    left, right = (chosen(sightings, n).points[..., 0].mean() / WIDTH for n in (1, 2))
    assert left < 0.3 < 0.6 < right


def test_a_passer_by_is_left_aside(tmp_path: Path) -> None:
    pictures = [paint(Disc(60))] * 38 + [paint(Disc(60), Disc(150, radius=20, other=True))] * 2
    sightings = tracked(tmp_path / "passing.mp4", pictures)
    assert len(set(sightings.track.tolist())) == 2
    assert chosen(sightings).points[..., 0].mean() < WIDTH / 2


def test_people_who_take_turns_are_told_apart(tmp_path: Path) -> None:
    one, other = paint(Disc()), paint(Disc(other=True), gray=140)
    sightings = tracked(tmp_path / "talk.mp4", [one] * 14 + [other] * 12 + [one] * 12)
    first, second = find_people(sightings)
    assert (first.frames.sum(), second.frames.sum()) == (26, 12)
    assert second.since == pytest.approx(0.56, abs=0.01)
    assert chosen(sightings, 1).shots == (Shot(0, 14), Shot(14, 26), Shot(26, 38))


def test_one_person_in_other_framings_stays_one(tmp_path: Path) -> None:
    near, far = paint(Disc(110, radius=48)), paint(Disc(60, radius=28))
    landmarks = chosen(tracked(tmp_path / "jump.mp4", [near] * 12 + [far] * 12))
    assert landmarks.seen.all() and landmarks.shots == (Shot(0, 12), Shot(12, 24))


def test_a_face_is_followed_over_a_short_loss(tmp_path: Path) -> None:
    face = paint(Disc(radius=20))
    sightings = tracked(tmp_path / "lost.mp4", [face] * 10 + [NOBODY] * 4 + [face] * 10)
    assert set(sightings.track.tolist()) == {0}
    assert not chosen(sightings).seen[10:14].any()


def test_a_video_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    upright = [paint(Disc(60 + i)) for i in range(6)]
    expected = chosen(tracked(tmp_path / "upright.mp4", upright))
    for quarters in (1, 3):
        lying = [np.rot90(picture, quarters) for picture in upright]
        landmarks = chosen(tracked(tmp_path / f"{quarters}.mp4", lying))
        assert (landmarks.turn + quarters) % 4 == 0
        np.testing.assert_allclose(landmarks.points, expected.points, atol=1.5)


def test_one_picture_is_enough(tmp_path: Path) -> None:
    assert chosen(tracked(tmp_path / "one.mp4", [paint(Disc())])).seen.tolist() == [True]


def test_nobody_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"no face.*any of 8 pictures"):
        chosen(tracked(tmp_path / "empty.mp4", [NOBODY] * 8))


def test_a_face_found_twice_counts_once(tmp_path: Path) -> None:
    class Doubling(DiscTracker):
        def faces(self, pixels, time):
            found = super().faces(pixels, time)
            return np.concatenate([found, found + np.float32(0.01)])

    path = write_video(tmp_path / "double.mp4", [paint(Disc())] * 4)
    assert len(track_video(path, Doubling).frame) == 4
