"""Calibration of diffposetalk: what is measured on people, and where it is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_corpus import toy_corpus
from synthetic_diffposetalk import TINY
from synthetic_weights import FACTS

from kinevox import api
from kinevox.audio.read import read_audio
from kinevox.cli.main import main
from kinevox.data import Corpus, Record
from kinevox.data.store import finish, write_shard
from kinevox.errors import AssetError, MotionError
from kinevox.methods import METHODS, load_method
from kinevox.methods.diffposetalk import Style, calibration, calibration_file, expectation
from kinevox.methods.diffposetalk.network_file import read_network
from kinevox.methods.diffposetalk.sampling import Sampling
from kinevox.methods.diffposetalk.style_file import style_from
from kinevox.motion import ARKIT, Motion, flame_layout
from kinevox.speech import Speech
from kinevox.training.checkpoint import write_checkpoint
from kinevox.training.loop import space_of

pytestmark = pytest.mark.usefixtures("one_thread")

SPEECH = Path(__file__).parents[2] / "examples" / "speech.flac"
STYLED = replace(TINY, window=60, style_movement=True)


def moving(size: float, seed: int) -> Motion:
    """Somebody whose head and brows move so far, about a pose that is theirs."""
    rng = np.random.default_rng(seed)
    values = np.zeros((120, ARKIT.num_channels), np.float32)
    turn = np.arange(120) / 25 * 2 * np.pi
    for place, name in enumerate(("head_x", "head_y", "head_z", "browInnerUp", "eyeLookUpLeft")):
        values[:, ARKIT.index(name)] = 0.3 + size * np.sin(turn * rng.uniform(0.5, 1.0) + place)
    return Motion(values, 25.0, ARKIT)


def said(person: int, clip: int, split: str, speech: Speech, motion: Motion) -> Record:
    name = f"p{person}"
    return Record(f"{name}-{clip}", split, name, name, speech, motion, {})


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Silent people of two kinds, three clips of each."""
    folder = tmp_path_factory.mktemp("crowd")
    silence = Speech(np.zeros(120 * 640, np.float32))
    records = [
        said(person, clip, "train", silence, moving((0.05, 0.2)[person % 2], 10 * person + clip))
        for person in range(12)
        for clip in range(3)
    ]
    write_shard(folder, 0, records)
    finish(folder, "crowd", ARKIT, 25.0, {"command": "a test"})
    return Corpus.open(folder)


@pytest.fixture(scope="module")
def talkers(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """People who speak. Those whom nothing is learned from open their mouths further."""
    folder = tmp_path_factory.mktemp("talkers")
    speech = Speech(read_audio(SPEECH)[: 120 * 640])
    records = [
        said(person, clip, split, speech, moving(0.1, person).with_channels(jawOpen=jaw))
        for person, (split, jaw) in enumerate([("train", 0.2)] * 4 + [("valid", 0.4)] * 2)
        for clip in range(2)
    ]
    write_shard(folder, 0, records)
    finish(folder, "talkers", ARKIT, 25.0, {"command": "a test"})
    return Corpus.open(folder)


@pytest.fixture(scope="module")
def face(crowd: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network with its checkpoint."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("face")
    space = space_of(crowd)
    write_checkpoint(folder, STYLED, space, STYLED.build(space).eval(), FACTS)
    return folder


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hears and performs few clips."""
    monkeypatch.setattr(calibration, "LISTENED", 6)
    monkeypatch.setattr(calibration, "PERFORMED", 3)


class TestCalibrating:
    def test_who_moves_more_is_expected_to(
        self, crowd: Corpus, face: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The styles of an untrained encoder differ little.
        monkeypatch.setattr(expectation, "RIDGE", 1e-3)
        api.calibrate_weights(face, crowd.folder)
        network = METHODS.get("diffposetalk").load(face).network
        assert network.manners is not None and network.habits is not None
        for measured in (True, False):
            # By what their example shows, and by the style alone.
            styles = [style_from(network.style_encoder, moving(size, 7)) for size in (0.05, 0.2)]
            if not measured:
                styles = [Style(style.vector) for style in styles]
            less, more = (network.manners.expected(style).moves for style in styles)
            for axis in "xyz":
                far = more[f"head_{axis}"][0] - less[f"head_{axis}"][0]
                assert far == pytest.approx(np.log(4), abs=0.4)

    def test_examples_are_trusted_where_they_tell_more_than_styles(
        self, crowd: Corpus, face: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Styles that tell nothing leave all to the example.
        monkeypatch.setattr(expectation, "RIDGE", 1e9)
        api.calibrate_weights(face, crowd.folder)
        network = METHODS.get("diffposetalk").load(face).network
        assert network.manners is not None
        doubt = dict(zip(network.manners.names, network.manners.doubt.tolist(), strict=True))
        assert doubt["head_x far"] < 1.0
        # Nobody blinks, so there is nothing to tell.
        assert doubt["blinks"] > 100.0

    def test_mouths_get_the_size_of_those_of_unseen_people(
        self, talkers: Corpus, tmp_path: Path
    ) -> None:
        torch.manual_seed(0)
        space = space_of(talkers)
        network = STYLED.build(space).eval()
        # It draws what is usual in what is learned from.
        for weights in network.denoiser.out.parameters():
            torch.nn.init.zeros_(weights)
        write_checkpoint(tmp_path, STYLED, space, network, FACTS)
        api.calibrate_weights(tmp_path, talkers.folder)
        person, opened = talkers.split("valid")[0], {}
        for calibrated in (True, False):
            loaded = METHODS.get("diffposetalk").load(tmp_path)
            sampling = Sampling(calibrated=calibrated, close_in_silence=False)
            method = replace(loaded, sampling=sampling)
            style = style_from(method.network.style_encoder, person.motion)
            takes = [method.generate(person.speech, style, seed=seed) for seed in range(4)]
            opened[calibrated] = np.mean([take["jawOpen"] for take in takes])
        assert opened[True] == pytest.approx(0.4, rel=0.1)
        assert opened[False] != pytest.approx(0.4, rel=0.2)

    def test_it_belongs_to_its_style_encoder(
        self, crowd: Corpus, face: Path, tmp_path: Path
    ) -> None:
        path = api.calibrate_weights(face, crowd.folder)
        torch.manual_seed(1)
        space = space_of(crowd)
        write_checkpoint(tmp_path, STYLED, space, STYLED.build(space), FACTS)
        shutil.copy(path, tmp_path / path.name)
        with pytest.raises(AssetError, match=r"another style encoder.*kinevox weights calibrate"):
            METHODS.get("diffposetalk").load(tmp_path)

    def test_what_is_no_such_file_is_refused(
        self, crowd: Corpus, face: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(face, tmp_path / "face")
        (tmp_path / "face" / "calibration.npz").write_bytes(b"nothing")
        with pytest.raises(AssetError, match="does not fit the weights beside it"):
            METHODS.get("diffposetalk").load(tmp_path / "face")
        # What the message says to do.
        api.calibrate_weights(tmp_path / "face", crowd.folder)
        assert METHODS.get("diffposetalk").load(tmp_path / "face").network.manners is not None

    def test_it_comes_along_when_weights_are_packed(
        self, crowd: Corpus, face: Path, tmp_path: Path
    ) -> None:
        path = api.calibrate_weights(face, crowd.folder)
        assert tmp_path / "out" / path.name in api.pack_weights(face, tmp_path / "out")
        network = METHODS.get("diffposetalk").load(tmp_path / "out").network
        assert network.manners is not None
        card = (tmp_path / "out" / "card.md").read_text()
        assert "measured on corpus `crowd`" in card

    def test_from_the_command_line(
        self, crowd: Corpus, face: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = face / "calibration.npz"
        path.unlink(missing_ok=True)
        assert main(["weights", "calibrate", str(face), "--corpus", str(crowd.folder)]) == 0
        assert capsys.readouterr().out.strip() == str(path) and path.is_file()

    def test_it_can_be_for_other_steps(
        self, crowd: Corpus, face: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command = ["weights", "calibrate", str(face), "--corpus", str(crowd.folder)]
        assert main([*command, "--steps", "3", "--spacing", "0.75"]) == 0
        calls = []
        method = METHODS.get("diffposetalk").load(face)
        method.network.denoiser.register_forward_hook(
            lambda _, given, __: calls.append(int(given[1][0]))
        )
        method.generate(Speech(np.zeros(16000, np.float32)), Style(), seed=0)
        assert calls == [500, 281, 131]
        assert main([*command, "--steps", "0"]) == 2
        assert "0 sampling steps" in capsys.readouterr().err
        api.calibrate_weights(face, crowd.folder)

    def test_other_weights_are_not_calibrated(
        self, crowd: Corpus, face: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(face, tmp_path / "face")
        path = api.calibrate_weights(tmp_path / "face", crowd.folder)
        network, place = read_network(tmp_path / "face")
        write_checkpoint(place, STYLED, space_of(crowd), network, FACTS)
        assert not path.exists()

    def test_it_hears_through_the_encoder_beside_the_weights(
        self, crowd: Corpus, face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(face, tmp_path / "face")
        (tmp_path / "face" / "encoder").mkdir()
        heard = []
        monkeypatch.setattr(
            calibration, "calibrate", lambda network, *_, **__: heard.append(network.config.encoder)
        )
        monkeypatch.setattr(calibration_file, "write_calibration", lambda *_: None)
        api.calibrate_weights(tmp_path / "face", crowd.folder)
        assert heard == [f"{STYLED.encoder}:{tmp_path / 'face' / 'encoder'}"]

    def test_other_motion_is_refused(self, face: Path, tmp_path: Path) -> None:
        other = toy_corpus(tmp_path, layout=flame_layout(50))
        with pytest.raises(MotionError, match=r"has layout 'flame.*performs in 'arkit'"):
            api.calibrate_weights(face, other.folder)

    def test_so_is_a_network_of_which_styles_tell_nothing(
        self, crowd: Corpus, tmp_path: Path
    ) -> None:
        stage = replace(STYLED, style_from="performers")
        space = space_of(crowd)
        write_checkpoint(tmp_path, stage, space, stage.build(space), FACTS)
        with pytest.raises(AssetError, match="no style encoder"):
            api.calibrate_weights(tmp_path, crowd.folder)

    def test_evaluation_can_leave_them_out(self, face: Path) -> None:
        method = load_method(f"diffposetalk:{face}@calibrated=no")
        assert method.sampling is not None and not method.sampling.calibrated
