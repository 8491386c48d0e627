"""Parity with the public DiffPoseTalk code, from its stored inputs, draws and outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_diffposetalk import (
    SAMPLED,
    SINGLE,
    Case,
    Hubert,
    affine_vertices,
    assert_close,
    space_of,
)

from kinevox.diffusion.guidance import Guidance, Threshold
from kinevox.methods.diffposetalk.config import PAPER, StyleConfig
from kinevox.methods.diffposetalk.denoiser import Denoiser
from kinevox.methods.diffposetalk.losses import window_terms
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.perform import perform
from kinevox.methods.diffposetalk.released import our_names
from kinevox.methods.diffposetalk.sampling import PUBLISHED, Sampling
from kinevox.methods.diffposetalk.style import StyleEncoder
from kinevox.methods.diffposetalk.style_training import nt_xent
from kinevox.methods.diffposetalk.training import (
    Before,
    Stretch,
    joined_terms,
    known_conditions,
    predict,
)
from kinevox.methods.diffposetalk.window import Given, sample_window

pytestmark = pytest.mark.shared


@pytest.fixture(params=["head_width1", "nohead_width3", "fixed_positions_nomask"])
def denoiser(request: pytest.FixtureRequest, shared_dir: Path) -> Case:
    return Case(shared_dir, f"denoiser_{request.param}")


def test_denoiser(denoiser: Case) -> None:
    config = denoiser.config()
    network = Denoiser(config, denoiser["in.motion"].shape[-1]).eval()
    known = our_names(denoiser.weights)
    network.load_state_dict({name.removeprefix("denoiser."): w for name, w in known.items()})
    person = [denoiser[f"in.{name}"] for name in ("shape", "style") if f"in.{name}" in denoiser]
    sound = torch.cat([denoiser["in.prev_audio_feat"], denoiser["in.audio_feat"]], dim=1)
    present = denoiser.tensors.get("in.indicator", torch.ones(3, config.window))
    with torch.no_grad():
        target = network(
            denoiser["in.motion"],
            denoiser["in.step"],
            torch.cat(person, dim=-1)[:, 0],
            denoiser["in.prev_motion"],
            present,
            network.listen(sound),
        )
        embedded = network.embedded(denoiser["in.step"])
    assert_close(embedded, denoiser["out.step_embedding"])
    assert_close(target, denoiser["out.target"])


def test_style_encoder(shared_dir: Path) -> None:
    case = Case(shared_dir, "style_encoder")
    fixed = ("jaw_y", "jaw_z")
    config = StyleConfig(width=32, heads=4, layers=2, movement=False, factors=(), fixed=fixed)
    weights = our_names(case.weights)
    motion, order = case["in.motion"], case["in.permutation"]
    published, correct = (
        StyleEncoder(replace(config, positions=kind), space_of()).eval()
        for kind in ("sinusoidal-published", "sinusoidal")
    )
    with torch.no_grad():
        for encoder in (published, correct):
            encoder.load_state_dict(weights)
        assert_close(published(motion), case["out.style"])
        assert_close(published(motion[:, :50]), case["out.style_50_frames"])
        assert_close(published(motion[:, order]), case["out.style_permuted"])
        assert_close(correct(motion), case["out.style_if_positions_were_correct"])
        permuted = case["out.style_permuted_if_positions_were_correct"]
        assert_close(correct(motion[:, order]), permuted)
        mask = torch.arange(100) < torch.tensor([[100], [50], [50]])
        masked = published(motion, mask)
    assert_close(masked[:1], case["out.style"][:1])


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_nt_xent(shared_dir: Path, temperature: float) -> None:
    case = Case(shared_dir, "nt_xent")
    one, other = (case[f"in.feature_{side}"].requires_grad_() for side in "ab")
    loss = nt_xent(one, other, temperature)
    loss.backward()
    assert_close(loss, case[f"out.loss_T{temperature}"])
    for side, vectors in (("a", one), ("b", other)):
        assert vectors.grad is not None
        assert_close(vectors.grad, case[f"out.grad_{side}_T{temperature}"], 1e-4)


TERMS = ("simple", "vertices", "velocity", "smooth")
TERMS += ("head_angle", "head_velocity", "head_smooth", "head_seam")


@pytest.mark.parametrize(
    "run",
    [
        "start_l2",
        "start_l2_trunc",
        "start_l2_trunc_short",
        "next_l2",
        "next_l2_trunc",
        "next_l1",
        "next_l2_no_constrain_prev",
        "next_l2_nohead_trunc",
    ],
)
def test_loss_terms(shared_dir: Path, run: str) -> None:
    case = Case(shared_dir, "loss_terms")
    options = case.facts["config"]["runs"][run]
    ends = case["in.end_idx_short" if "short" in run else "in.end_idx"]
    if "trunc" not in run:
        ends = torch.full_like(ends, 25)
    kept = [i for i in range(54) if not (options.get("no_head_pose") and 50 <= i < 53)]
    predicted = case["in.prediction"][..., kept].requires_grad_()
    terms = window_terms(
        predicted,
        case["in.motion_gt"][..., kept],
        torch.arange(25) < ends[:, None],
        None if options["start"] else case["in.prev_motion"][..., kept],
        vertices={"all": affine_vertices(case)},
        head=[] if options.get("no_head_pose") else [50, 51, 52],
        criterion=options.get("criterion", "l2"),
        constrain_context=not options.get("no_constrain_prev", False),
    )
    for name, expected in zip(TERMS, case[f"out.{run}"].tolist(), strict=True):
        # They leave out what has no frames; here it is 0.
        expected = expected if expected == expected else 0.0
        found = float(terms[name].detach()) if name in terms else 0.0
        assert found == pytest.approx(expected, rel=2e-5), name
    gradient = case.tensors.get(f"out.{run}.grad_prediction")
    if gradient is not None:
        weights = (1, PAPER.vertices, PAPER.velocity, PAPER.smooth, 0.05, 5, 0.5, 0.5)
        total = sum(w * terms[name] for w, name in zip(weights, TERMS, strict=True))
        assert isinstance(total, torch.Tensor)
        total.backward()
        assert predicted.grad is not None
        assert_close(predicted.grad, gradient, 10 * SINGLE)


@pytest.mark.parametrize("run", ["plain", "truncated"])
def test_train_step(shared_dir: Path, run: str) -> None:
    """A whole iteration, with HuBERT in the graph: styles, dropped conditions, loss, gradients."""
    case = Case(shared_dir, "train_step")
    network = trainable(case)
    hubert = Hubert(case)
    hubert.train_likediffposetalk()
    motion = torch.cat([case["in.exp"], case["in.pose"][..., :4]], dim=-1).split(25, dim=1)
    samples = case["in.audio_int16"] / 32768
    samples = samples.flatten(1) - samples.flatten(1).mean(dim=1, keepdim=True)
    samples = (samples / (samples.std(dim=1, keepdim=True) + 1e-5)).split(16_000, dim=1)
    ends = case["noise.end_idx"] if run == "truncated" else torch.full((2, 3), 25)
    with torch.no_grad():
        styles = [network.style_encoder(part) for part in motion]
        whole = hubert(samples[0], 25)
    for name, style in zip(("w1", "w2"), styles, strict=True):
        assert_close(style, case[f"out.style_{name}"])
    stretches: list[Stretch] = []
    for side in (0, 1):
        mask = torch.arange(25) < ends[side][:, None]
        features = hubert(samples[side] * mask.repeat_interleave(640, dim=1), 25)
        before = None
        if side:
            preceding = whole if run == "truncated" else stretches[0].features
            before = Before(motion[0][:, -10:], preceding[:, -10:].detach())
        stretches.append(
            Stretch(
                motion[side] * mask[..., None],
                features,
                mask,
                styles[1 - side],
                *known_conditions(case["noise.cfg_uniform"][side], network.config),
                case["noise.time_step"][side],
                case["noise.eps"][side],
                # The fixture's shapes are normalized already.
                case["in.shape"],
                before,
            )
        )
    made, follows = (predict(network, one, one.noised(network.config)) for one in stretches)
    vertices = {"all": affine_vertices(case)}
    terms = joined_terms(network, stretches[0], made, stretches[1], follows, vertices)
    loss = sum(network.config.loss_weights[name] * term for name, term in terms.items())
    assert isinstance(loss, torch.Tensor)
    loss.backward()

    names = ("noise", "vert", "vel", "smooth")
    names += ("head_angle", "head_vel", "head_smooth", "head_trans")
    for ours, theirs in zip(TERMS, names, strict=True):
        expected = float(case[f"out.{run}.{theirs}"])
        assert float(terms[ours].detach()) == pytest.approx(expected, rel=2e-5), theirs
    assert float(loss.detach()) == pytest.approx(float(case[f"out.{run}.loss"]), rel=2e-5)
    assert_close(made, case[f"out.{run}.prediction_w1"])
    check_gradients(case, run, network, hubert)


def trainable(case: Case) -> DiffPoseTalkNetwork:
    network = DiffPoseTalkNetwork(case.config(lips=0.0, head="stand-in"), space_of(case))
    theirs = case.weights
    state = our_names({k: v for k, v in theirs.items() if not k.startswith("style_encoder.")})
    style = {k.removeprefix("style_encoder."): v for k, v in theirs.items() if "style_enc" in k}
    state |= {f"style_encoder.{name}": value for name, value in our_names(style).items()}
    outcome = network.load_state_dict(state, strict=False)
    assert set(outcome.missing_keys) == {"identity_mean", "identity_std"}
    assert not outcome.unexpected_keys
    return network.train()


def check_gradients(case: Case, run: str, network: DiffPoseTalkNetwork, hubert: Hubert) -> None:
    """Norms of all gradients; those of parameters that we hold in two parts are put together."""
    theirs = {name: torch.full_like(w, i) for i, (name, w) in enumerate(case.weights.items())}
    listing = list(theirs)
    places = our_names({k: v for k, v in theirs.items() if not k.startswith("style_encoder.")})
    squares: dict[str, float] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            original = listing[int(places[name].flatten()[0])]
            square = float(parameter.grad.square().sum())
            squares[original] = squares.get(original, 0.0) + square
    for name, parameter in hubert.model.named_parameters():
        if parameter.grad is not None:
            squares[f"audio_encoder.{name}"] = float(parameter.grad.square().sum())
    expected = case[f"out.{run}.grad_norms"]
    names = case.facts["grad_norm_names"]
    assert set(names) == set(squares)
    found = torch.tensor([squares[name] ** 0.5 for name in names])
    assert_close(found, expected, 1e-4)


def test_sampling_with_guidance(shared_dir: Path) -> None:
    """Two windows of 20 steps with the stored draws, in all kinds of guidance."""
    case = Case(shared_dir, "sampling_cfg_two_windows")
    network = complete(case)
    for name, options in case.facts["config"]["variants"].items():
        sampling = sampling_of(options)
        style = case["in.style"]
        if name == "audio_only_without_style":
            style = network.null_style.detach().expand_as(style)
        first = window_of(case, network, "w1", style, *network.begins(2))
        steps = case["noise.z_w1"]
        with torch.no_grad():
            made = draw_window(network, first, sampling, case["noise.motion_at_T"], steps)
        stored = case.tensors.get(f"out.{name}.w1")
        if stored is None:
            assert_close(made[0], case[f"out.{name}.w1_item0"], SAMPLED)
            continue
        assert_close(made, stored, SAMPLED)
        if f"out.{name}.w2" in case:
            sound = case["in.audio_feat_w1"][:, -10:]
            second = window_of(case, network, "w2", style, made[:, -10:], sound)
            # They drew the same noise for the second window, with the two samples exchanged.
            with torch.no_grad():
                made = draw_window(
                    network, second, sampling, case["noise.motion_at_T"], steps[:, [1, 0]]
                )
            assert_close(made, case[f"out.{name}.w2"], SAMPLED)


def complete(case: Case) -> DiffPoseTalkNetwork:
    """The network without a style encoder, for styles that are given."""
    network = DiffPoseTalkNetwork(case.config(), space_of(case)).eval()
    outcome = network.load_state_dict(our_names(case.weights), strict=False)
    assert not outcome.unexpected_keys
    others = [name for name in outcome.missing_keys if not name.startswith("style_encoder.")]
    assert not set(others) - {"identity_mean", "identity_std", "sound.weight", "sound.bias"}
    return network


def window_of(case: Case, network: DiffPoseTalkNetwork, name: str, style, motion, sound) -> Given:
    present, heard = case[f"in.indicator_{name}"], case[f"in.audio_feat_{name}"]
    return Given(heard, present, motion, sound, style, case["in.shape"])


def sampling_of(options: dict) -> Sampling:
    scales = options["cfg_scale"]
    names = options.get("cfg_cond")
    names = ["audio", "style"] if names is None else names
    strengths = dict(zip(names, scales, strict=True))
    mode = "independent-published" if options.get("cfg_mode") else "incremental"
    threshold = options.get("dynamic_threshold")
    guidance = Guidance(
        strengths.get("audio"),
        strengths.get("style"),
        mode,
        Threshold(*threshold) if threshold else None,
    )
    return replace(PUBLISHED, guidance=guidance, flexibility=float(options.get("flexibility", 0)))


def draw_window(network, given: Given, sampling: Sampling, start, steps) -> torch.Tensor:
    noise = iter(steps)
    return sample_window(network, given, sampling, sampling.guidance, start, lambda: next(noise))


def test_pipeline(shared_dir: Path) -> None:
    """A waveform to FLAME coefficients: hearing, two windows, padding, statistics."""
    case = Case(shared_dir, "pipeline_end_to_end")
    network, hubert = complete(case), Hubert(case)
    for what in ("mean", "std"):
        getattr(network, f"identity_{what}").copy_(case[f"in.stats.shape_{what}"])
    samples = case["in.audio_int16"] / 32768
    samples = (samples - samples.mean()) / (samples.std() + 1e-5)
    samples = torch.nn.functional.pad(samples, (0, -len(samples) % 64_000))
    whole = hubert(samples[None], 200)[0]
    apart = hubert(samples.reshape(2, -1), 100).flatten(0, 1)
    threshold = Threshold(0.99, 1.0, 4.0)
    runs = {
        "default": (whole, Guidance(), 2),
        "threshold": (whole, Guidance(threshold=threshold), 2),
        "per_window_audio": (apart, Guidance(), 1),
    }
    for name, (features, guidance, takes) in runs.items():

        def noise(window: int, takes: int = takes):
            # The second window got the draws of the other sample.
            order = [1, 0] if window else [0, 1]
            steps = iter(case["noise.z"][:, order[:takes]])
            return case["noise.motion_at_T"][:takes], lambda: next(steps)

        motions = perform(
            network,
            [features.detach()] * takes,
            [case["in.style"].numpy()] * takes,
            [0] * takes,
            replace(PUBLISHED, guidance=guidance),
            lengths=[132] * takes,
            identity=case["in.shape"].expand(takes, -1),
            noise=noise,
        )
        values = torch.tensor(np.stack(motions))
        assert_close(values[..., :50], case[f"out.{name}.exp"], SAMPLED)
        assert_close(values[..., 50:], case[f"out.{name}.pose"], SAMPLED)
