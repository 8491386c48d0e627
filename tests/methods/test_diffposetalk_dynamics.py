"""Dynamics of diffposetalk: how they are measured, learned, and kept to."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_corpus import toy_corpus
from synthetic_diffposetalk import TINY, flame_space, heard, some_style
from synthetic_weights import FACTS

from kinevox import api
from kinevox.audio.read import read_audio
from kinevox.cli.main import main
from kinevox.data import Corpus, Record
from kinevox.data.store import finish, write_shard
from kinevox.errors import AssetError, MotionError
from kinevox.methods import METHODS, load_method
from kinevox.methods.diffposetalk import Style, calibration, expectation
from kinevox.methods.diffposetalk.dynamics import Dynamics, parts_of
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.perform import perform
from kinevox.methods.diffposetalk.sampling import PUBLISHED, Sampling
from kinevox.methods.diffposetalk.style import style_of
from kinevox.motion import ARKIT, Motion, flame_layout
from kinevox.speech import Speech
from kinevox.training.checkpoint import write_checkpoint
from kinevox.training.loop import space_of

pytestmark = pytest.mark.usefixtures("one_thread")

SPEECH = Path(__file__).parents[2] / "examples" / "speech.flac"
FRAMES = 200
LONG = replace(TINY, window=60)
QUICKLY = Sampling(steps=2, overlap=5, steady_head=False)


def everything(mask_until: int = FRAMES) -> torch.Tensor:
    return torch.arange(FRAMES)[None] < mask_until


def dynamics() -> Dynamics:
    """Of motion with one part that has three of four channels."""
    return Dynamics({"all": range(3)}, style_width=4)


def measure(motion: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Spread and pace of one clip's only part."""
    return dynamics().measured(motion, everything() if mask is None else mask)[0, 0]


def waves(size: float = 3.0, rate: float = 0.3) -> torch.Tensor:
    turn = rate * torch.arange(FRAMES)[None, :, None] + torch.tensor([0.0, 1.0, 2.0, 3.0])
    return 1.0 + size * (torch.sin(turn) + 0.2 * torch.sin(5.1 * turn))


class TestMeasuring:
    def test_parts_of_a_face(self) -> None:
        parts = parts_of(ARKIT, range(ARKIT.num_channels))
        named = {part: {ARKIT.names[p] for p in places} for part, places in parts.items()}
        assert named["head_y"] == {"head_y"}
        assert "browInnerUp" in named["brows"] and "cheekSquintLeft" in named["upper face"]
        # What is said decides how far the mouth goes, and blinks are all or nothing.
        assert not {"jawOpen", "mouthPucker", "eyeBlinkLeft"} & set.union(*named.values())

    def test_of_flame_only_the_head_has_dynamics(self) -> None:
        layout = flame_layout(50)
        parts = parts_of(layout, range(layout.num_channels))
        assert list(parts) == ["head_x", "head_y", "head_z"]
        assert not parts_of(layout, range(50))

    def test_twice_as_far_is_as_quick(self) -> None:
        spread, pace = measure(waves(size=6.0)) - measure(waves(size=3.0))
        assert spread == pytest.approx(np.log(2), abs=0.01)
        assert pace == pytest.approx(0.0, abs=0.01)

    def test_twice_as_quick_is_as_far(self) -> None:
        spread, pace = measure(waves(rate=0.2)) - measure(waves(rate=0.1))
        assert spread == pytest.approx(0.0, abs=0.02)
        assert pace == pytest.approx(np.log(2), abs=0.05)

    def test_where_it_rests_makes_no_difference(self) -> None:
        torch.testing.assert_close(measure(waves() + 5.0), measure(waves()), atol=1e-4, rtol=0)

    def test_frames_outside_the_mask_do_not_count(self) -> None:
        mask = everything(120)
        spoiled = torch.where(mask[..., None], waves(), torch.full_like(waves(), 50.0))
        of_part = dynamics().measured(waves()[:, :120], torch.ones(1, 120, dtype=torch.bool))
        torch.testing.assert_close(measure(spoiled, mask), of_part[0, 0])


class TestSteering:
    @pytest.mark.parametrize(("spread", "pace"), [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.3), (0.2, -0.1)])
    def test_it_arrives(self, spread: float, pace: float) -> None:
        told = torch.tensor([spread, pace])
        steered = dynamics().steered(waves(), everything(), (measure(waves()) + told)[None, None])
        torch.testing.assert_close(measure(steered), measure(waves()) + told, atol=0.02, rtol=0)

    def test_what_is_as_expected_stays(self) -> None:
        steered = dynamics().steered(waves(), everything(), measure(waves())[None, None])
        torch.testing.assert_close(steered, waves(), atol=1e-4, rtol=0)

    def test_mean_pose_and_other_channels_stay(self) -> None:
        steered = dynamics().steered(waves(), everything(), torch.full((1, 1, 2), 0.5))
        torch.testing.assert_close(steered[..., 3], waves()[..., 3])
        torch.testing.assert_close(steered.mean(dim=1), waves().mean(dim=1), atol=0.05, rtol=0)

    def test_what_rests_goes_on_resting(self) -> None:
        still = torch.full((1, FRAMES, 4), 0.7)
        steered = dynamics().steered(still, everything(), torch.full((1, 1, 2), 1.0))
        torch.testing.assert_close(steered, still)

    def test_nothing_is_changed_beyond_measure(self) -> None:
        steered = dynamics().steered(waves(), everything(), torch.full((1, 1, 2), 9.0))
        moved, before = ((some - some.mean(dim=1)).abs().max() for some in (steered, waves()))
        assert moved < 3.5 * before


def styled_network(expected: float = 0.0) -> DiffPoseTalkNetwork:
    """Expects the same of everybody."""
    torch.manual_seed(0)
    network = LONG.build(flame_space()).eval()
    parts = parts_of(network.space.layout, network.columns)
    network.dynamics = Dynamics(parts, LONG.style_width)
    torch.nn.init.zeros_(network.dynamics.expectation.linear.weight)
    torch.nn.init.constant_(network.dynamics.expectation.linear.bias, expected)
    return network


class TestPerforming:
    def spread(self, expected: float, style: np.ndarray | None, sampling: Sampling) -> float:
        network = styled_network(expected)
        (take,) = perform(network, [heard(60)], [style], [1], sampling)
        return float(take[:, network.head_columns].std(axis=0).mean())

    def test_who_is_expected_to_move_more_does(self) -> None:
        less, more = (self.spread(e, some_style(), QUICKLY) for e in (-2.0, 0.0))
        assert more > 1.3 * less

    def test_of_nobody_nothing_is_expected(self) -> None:
        less, more = (self.spread(e, None, QUICKLY) for e in (-2.0, 0.0))
        assert more == less

    def test_it_can_be_left_out(self) -> None:
        plain = replace(QUICKLY, calibrated=False)
        less, more = (self.spread(e, some_style(), plain) for e in (-2.0, 0.0))
        assert more == less
        assert not PUBLISHED.calibrated

    def test_takes_come_out_the_same_alone(self) -> None:
        network = styled_network()
        sounds, styles = [heard(150), heard(70, seed=1)], [some_style(), None]
        both = perform(network, sounds, styles, [1, 2], QUICKLY)
        for i in (0, 1):
            alone = perform(network, [sounds[i]], [styles[i]], [i + 1], QUICKLY)
            np.testing.assert_allclose(both[i], alone[0], atol=1e-4)


STYLED = replace(LONG, style_movement=True)


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
        assert network.dynamics is not None and network.habits is not None
        styles = [style_of(network.style_encoder, moving(size, 7)) for size in (0.05, 0.2)]
        less, more = network.dynamics.expected(torch.from_numpy(np.stack(styles)))
        head = [network.dynamics.parts.index(f"head_{axis}") for axis in "xyz"]
        np.testing.assert_allclose((more - less)[head, 0], np.log(4), atol=0.4)

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
            style = Style(tuple(style_of(method.network.style_encoder, person.motion).tolist()))
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
        assert METHODS.get("diffposetalk").load(tmp_path / "face").network.dynamics is not None

    def test_it_comes_along_when_weights_are_packed(
        self, crowd: Corpus, face: Path, tmp_path: Path
    ) -> None:
        path = api.calibrate_weights(face, crowd.folder)
        assert tmp_path / "out" / path.name in api.pack_weights(face, tmp_path / "out")
        network = METHODS.get("diffposetalk").load(tmp_path / "out").network
        assert network.dynamics is not None
        card = (tmp_path / "out" / "card.md").read_text()
        assert "measured on corpus `crowd`" in card

    def test_from_the_command_line(
        self, crowd: Corpus, face: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = face / "calibration.npz"
        path.unlink(missing_ok=True)
        assert main(["weights", "calibrate", str(face), "--corpus", str(crowd.folder)]) == 0
        assert capsys.readouterr().out.strip() == str(path) and path.is_file()

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
