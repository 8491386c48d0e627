"""Corpus `video` from known captures: who speaks, what is kept, what is dropped and why."""

from __future__ import annotations

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from test_sync import talk

from kinevox import api
from kinevox.capture import Camera, Capture, Shot
from kinevox.capture.capture_file import write_capture
from kinevox.capture.folder import Entry
from kinevox.cli.main import main
from kinevox.data import Corpus
from kinevox.data.check import check_corpus
from kinevox.data.corpora import CORPORA, MakeOptions, video
from kinevox.data.corpora._footage import find_footage, read_footage_speech
from kinevox.errors import AssetError, ConfigError
from kinevox.methods.articulate import METHOD
from kinevox.phones import Phones
from kinevox.speech import Speech
from kinevox.timebase import FPS, SAMPLE_RATE

SECONDS = 6.0


def quiet(*_: object) -> None:
    """Nobody watches the progress of a test."""


def voice(phones: Phones, seed: int) -> np.ndarray:
    """Noise where somebody speaks."""
    times = np.arange(int(phones.seconds * SAMPLE_RATE)) / SAMPLE_RATE
    spoken = (times > phones.ends[0]) & (times < phones.starts[-1])
    noise = np.random.default_rng(seed).standard_normal(len(times))
    return (0.1 * noise * spoken + 1e-4 * noise).astype(np.float32)


def write_footage(path: Path, samples: np.ndarray | None, seconds: float = SECONDS) -> None:
    """A small gray video, with this sound or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width = picture.height = 32
        sound = container.add_stream("pcm_s16le", rate=SAMPLE_RATE) if samples is not None else None
        for _ in range(round(seconds * 25)):
            gray = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8))
            container.mux(picture.encode(gray))
        container.mux(picture.encode(None))
        if sound is not None:
            pcm = (samples * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, 0
            frame.time_base = Fraction(1, SAMPLE_RATE)
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))


def write_phones(path: Path, phones: Phones) -> None:
    rows = zip(phones.starts, phones.ends, phones.labels, strict=True)
    intervals = "\n".join(f'{a:.4f}\n{b:.4f}\n"{label}"' for a, b, label in rows)
    path.write_text(
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n{phones.seconds}\n<exists>\n1\n'
        f'"IntervalTier"\n"phones"\n0\n{phones.seconds}\n{len(phones)}\n{intervals}\n'
    )


def known_capture(phones: Phones, samples: np.ndarray, late: float = 0.0) -> Capture:
    """Lips that say these phones, `late` seconds before they are heard."""
    motion = METHOD.generate(Speech(samples, phones=phones), METHOD.load_style(None), seed=1)
    ahead = round(late * FPS)
    values = np.pad(motion.values, ((max(-ahead, 0), max(ahead, 0)), (0, 0)), "edge")
    start = max(ahead, 0)
    motion = motion.replace(values=values[start : start + motion.num_frames])
    count = motion.num_frames
    return Capture(
        motion=motion,
        translation=np.tile([0.0, 0.0, -0.6], (count, 1)),
        camera=Camera(1000.0, (640, 480)),
        confidence=np.full(count, 0.9),
        error_pixels=np.full(count, 1.0),
        face_pixels=np.full(count, 90.0),
        shots=(Shot(0, count),),
    )


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    return Studio(tmp_path / "videos", tmp_path / "corpus", monkeypatch)


class Studio:
    """Makes videos, and captures of them without a tracker."""

    def __init__(self, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch):
        self.folder, self.out, self.captures = folder, out, {}
        monkeypatch.setattr(video, "capture_folder", self.capture_folder)

    def capture_folder(self, folder: Path, out: Path, **_: object) -> list[Entry]:
        """What capturing would do."""
        entries = []
        for path in sorted(folder.rglob("*.mkv")):
            name = path.relative_to(folder).with_suffix("").as_posix()
            known = self.captures.get(name)
            if known is not None:
                write_capture(known, out / f"{name}.npz")
            reason = "" if known else "no face was found"
            entries.append(Entry(f"{name}.mkv", f"{name}.npz", reason, ""))
        return entries

    def film(self, name: str, seed: int, late: float = 0.0, seconds: float = SECONDS) -> None:
        phones = talk(seed, seconds)
        samples = voice(phones, seed)
        path = self.folder / f"{name}.mkv"
        write_footage(path, samples, seconds)
        write_phones(path.with_suffix(".TextGrid"), phones)
        self.captures[name] = known_capture(phones, samples, late)

    def make(self, **options) -> Corpus:
        CORPORA.get("video").make(self.folder, self.out, MakeOptions(**options), quiet)
        return Corpus.open(self.out)

    @property
    def dropped(self) -> dict[str, str]:
        with (self.out / "dropped.csv").open(newline="") as file:
            return {row["file"]: row["reason"] for row in csv.DictReader(file)}


def test_sound_that_is_late_is_moved(studio: Studio) -> None:
    for k in range(3):
        studio.film(f"anna/take{k}", k, late=0.16)
        studio.film(f"ben/take{k}", k + 10)
    corpus = studio.make()
    assert sorted(corpus.index["id"].tolist()) == [
        f"{who}-take{k}-000" for who in ("anna", "ben") for k in range(3)
    ]
    for record in corpus:
        late = record.speaker == "anna"
        assert record.metadata["sync"] == ("moved" if late else "in step")
        assert abs(int(record.metadata["sound_moved_ms"]) - 160 * late) <= 20
        assert record.style == record.speaker
        assert len(record.speech.samples) == record.motion.num_frames * SAMPLE_RATE / FPS
        phones = record.speech.phones
        assert phones is not None and phones.origin == "given"
    assert studio.dropped == {}
    report = check_corpus(corpus)
    # Noise is as loud in every phone, so only that one line fails.
    assert [f.what for f in report.findings if not f.ok] == ["mouth follows sound"]


def test_everything_dropped_has_its_reason(studio: Studio) -> None:
    for k, name in enumerate(["good", "far", "side", "unsure", "still", "lost", "mute", "alone"]):
        studio.film(f"anna/{name}", k)
    count = studio.captures["anna/good"].motion.num_frames
    changes = {
        "far": {"face_pixels": np.full(count, 20.0)},
        "side": {"translation": np.tile([2.0, 0.0, -0.5], (count, 1))},
        "unsure": {"confidence": np.full(count, 0.2)},
        "lost": {"face_pixels": np.where(np.arange(count) < 40, 90.0, np.nan)},
    }
    for name, change in changes.items():
        studio.captures[f"anna/{name}"] = replace(studio.captures[f"anna/{name}"], **change)
    still = studio.captures["anna/still"]
    held = still.motion.replace(values=np.zeros_like(still.motion.values))
    studio.captures["anna/still"] = replace(still, motion=held)
    write_footage(studio.folder / "anna/mute.mkv", np.zeros(96_000, np.float32))
    del studio.captures["anna/alone"]
    studio.film("anna/silent-film", 9)
    write_footage(studio.folder / "anna/silent-film.mkv", None)
    corpus = studio.make()
    assert corpus.index["id"].tolist() == ["anna-good-000"]
    told = {
        "far": "20 pixels between the eyes",
        "side": "seen from the side",
        "unsure": "confidence 0.20",
        "still": "the lips do not move",
        "lost": "a face in 27% of the frames",
        "mute": "silent",
        "alone": "no face was found",
        "silent-film": "sound",
    }
    assert {name.removeprefix("anna/") for name in studio.dropped} == set(told)
    for name, words in told.items():
        assert words in studio.dropped[f"anna/{name}"]
    # A single clip says nothing certain about sync, so its sound stays.
    assert corpus[0].metadata["sync"] == "unsure"


def test_long_videos_are_cut_where_faces_are_lost_and_in_pauses(studio: Studio) -> None:
    studio.film("take", 0, seconds=40.0)
    whole = studio.captures["take"]
    confidence = np.full(whole.motion.num_frames, 0.9)
    confidence[200:203] = 0.0  # short: bridged
    confidence[500:530] = 0.0  # long: lost
    studio.captures["take"] = replace(
        whole, confidence=confidence, shots=(Shot(0, 700), Shot(700, 1000))
    )
    corpus = studio.make()
    starts = [round(float(r.metadata["start"]) * FPS) for r in corpus]
    spans = [(s, s + r.motion.num_frames) for s, r in zip(starts, corpus, strict=True)]
    assert all(2 * FPS <= stop - start <= 12 * FPS for start, stop in spans)
    covered = np.zeros(1000, int)
    for start, stop in spans:
        covered[start:stop] += 1
        assert not start < 700 < stop
    assert covered.max() == 1 and not covered[500:530].any()
    assert covered[:500].all() and covered[530:995].all()
    for (start, stop), record in zip(spans, corpus, strict=True):
        np.testing.assert_array_equal(record.motion.values, whole.motion.values[start:stop])
    assert studio.dropped["take"] == "no face, or not seen well enough"


def test_sound_of_another_film_is_dropped(studio: Studio) -> None:
    for k in range(6):
        studio.film(f"anna/take{k}", k)
        studio.captures[f"anna/take{k}"] = known_capture(talk(k + 50), voice(talk(k + 50), k))
    with pytest.raises(AssetError, match="do not belong together"):
        studio.make()
    assert len(studio.dropped) == 6


def test_splits_hold_whole_speakers(studio: Studio) -> None:
    for who in "abcd":
        for k in range(2):
            write_footage(studio.folder / who / f"{k}.mkv", None, 0.2)
    splits = {f.speaker: f.split for f in find_footage(studio.folder)}
    assert splits == {"a": "train", "b": "train", "c": "valid", "d": "test"}
    table = studio.folder / "speakers.csv"
    table.write_text("file,speaker,split\na/0.*,zoe,test\na/*,amy,\n")
    found = {f.name: (f.speaker, f.split) for f in find_footage(studio.folder)}
    assert found["a/0"] == ("zoe", "test")
    assert found["a/1"] == ("amy", "train") and found["d/0"] == ("d", "test")


@pytest.mark.parametrize(
    ("name", "speaker"),
    [
        ("anna/monday/1.mkv", "anna"),
        ("id10270/x5/00001.mkv", "id10270"),
        ("parts/id2_vcd_swwp2s.mkv", "id2"),
        ("parts/idea_1.mkv", "parts"),
        ("one.mkv", "videos"),
    ],
)
def test_names_tell_who_speaks(name: str, speaker: str, studio: Studio) -> None:
    write_footage(studio.folder / name, None, 0.2)
    assert [f.speaker for f in find_footage(studio.folder)] == [speaker]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("who\nanna\n", "expected file, speaker"),
        ("file,speaker,split\n*,anna,tset\n", "splits are train, valid, test"),
        ("file,speaker,split\na.*,anna,test\n*,anna,train\n", "Nobody may be in two splits"),
    ],
)
def test_mistakes_in_the_table_of_speakers(table: str, told: str, studio: Studio) -> None:
    write_footage(studio.folder / "a.mkv", None, 0.2)
    (studio.folder / "speakers.csv").write_text(table)
    with pytest.raises(ConfigError, match=told):
        find_footage(studio.folder)


def test_words_beside_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    write_footage(path, voice(talk(0), 0))
    assert read_footage_speech(path).transcript is None
    path.with_suffix(".align").write_text("0 9000 sil\n9000 20000 bin\n20000 30000 z\n")
    assert read_footage_speech(path).transcript == "bin zed"
    path.with_suffix(".txt").write_text("Good morning.\n")
    assert read_footage_speech(path).transcript == "Good morning."


def test_as_it_is_typed(studio: Studio, capsys: pytest.CaptureFixture) -> None:
    studio.film("anna/one", 0)
    table = studio.folder.parent / "who.csv"
    table.write_text("file,speaker,split\n*,anna,test\n")
    words = ["corpus", "make", "video", "--source", str(studio.folder), "-o", str(studio.out)]
    assert main([*words, "--speakers", str(table)]) == 0
    assert Corpus.open(studio.out).index["split"].tolist() == ["test"]
    capsys.readouterr()
    empty = studio.folder.parent / "empty"
    empty.mkdir()
    words[4] = str(empty)
    assert main(words) == 1
    assert "has no videos" in capsys.readouterr().err


def test_a_folder_of_videos_is_evaluated(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))
    studio.film("anna/one", 0)
    studio.film("ben/one", 1)
    name = f"video:{studio.folder}"
    results = api.evaluate(name, methods=["articulate+phones"], seeds=1)
    assert results.facts["corpus"]["name"] == "video"
    assert results.facts["measured"]["speakers"] == 2
    scores = results.scores["articulate+phones"]
    # The captured people are performers themselves, so another take of theirs is near.
    assert scores["mouth_opening_correlation"].value > 0.9
    assert abs(scores["mouth_opening_lag_ms"].value) < 20
    assert scores["closure_recall"].value == 1
    assert f"--corpus {name}" in results.plan.command
    made = Corpus.open(name)
    assert set(made.index["split"].tolist()) == {"test"}
    assert Corpus.open(f"video:{made.folder}").folder == made.folder
    assert Corpus.open(f"video:{made.folder.name}").folder == made.folder
