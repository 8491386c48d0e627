"""Whole recordings, window by window.

Windows lie on a fixed grid from the start of the recording. Each knows the last frames before it
and begins within the one before: over the overlap every prediction on the way from noise to motion
is pulled towards what is there already, strongly at first and less and less, so the rest of the
window grows out of it and no seam shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from kinevox.diffusion.guidance import PLAIN, Branch, Guidance
from kinevox.diffusion.samplers import Denoise, Draw, ancestral, ddim, dpm_solver, draws
from kinevox.diffusion.schedules import schedule
from kinevox.errors import ConfigError, MotionError, UnknownNameError
from kinevox.known import Known
from kinevox.methods._base import SamplingOptions
from kinevox.methods.diffposetalk.channels import mouth_columns, normalized, restored
from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork

Sampler = Literal["dpm-solver", "ddim", "ancestral"]


FOLLOWED = Guidance(sound=1.5, style=1.0, mode="style-first", interval=(0.5, 1.0))
"""Where heads and brows of `base` move as much as people of the validation split do; guidance in
the second half of the way makes heads tremble and changes nothing else."""


@dataclass(frozen=True)
class Sampling:
    """How motion is drawn from the network."""

    sampler: Sampler = "dpm-solver"
    """`ancestral` takes all steps that the network was trained with."""
    steps: int = 12
    """Calls of the network per window, for the other samplers."""
    guidance: Guidance = FOLLOWED
    """How strongly sound and style are followed; published: 1.15 and 3."""
    mouth_noise: float = 0.6
    """How much of the noise jaw, lips and tongue grow from; published: 1. What is said decides
    where they go, and the rest of their spread is doubt about what was heard."""
    flexibility: float = 0.0
    """Of `ancestral`."""
    overlap: int = 10
    """Frames that a window shares with the one before; published: 0."""
    same_noise: bool = False
    """Start every window from the same noise, as published; windows then look more alike."""
    silence_behind: bool = False
    """Hear silence behind the end of the recording, as published, rather than nothing."""
    bf16: bool = False
    """Compute in bfloat16."""
    steady_head: bool = True
    """Take out of the head's turns what is quicker than heads are."""
    close_in_silence: bool = True
    """Close the mouth where nobody speaks, in layout `arkit`."""
    close_lips: bool = True
    """Close the lips on p, b and m, as they are given or heard, in layout `arkit`."""

    def changed(self, options: SamplingOptions) -> Sampling:
        """With what was chosen in place of its own.

        Raises:
            ConfigError: a choice is out of its range.
        """
        if options.steps is not None and options.steps < 1:
            raise ConfigError(f"steps is {options.steps}; at least one is needed.")
        if options.sampler is not None and options.sampler not in get_args(Sampler):
            raise UnknownNameError("sampler", options.sampler, get_args(Sampler))
        if options.mouth_noise is not None and not 0 <= options.mouth_noise <= 1:
            raise ConfigError(
                f"mouth_noise is {options.mouth_noise}; expected 0 (none) to 1 (as trained)."
            )
        scales = _chosen(
            sound=options.audio_scale,
            style=options.style_scale,
            interval=options.guidance_interval,
        )
        guidance = replace(self.guidance, **scales)
        if guidance.branches == (PLAIN,):
            guidance = guidance.plain
        chosen = _chosen(
            steps=options.steps,
            bf16=options.bf16,
            close_in_silence=options.close_in_silence,
            sampler=options.sampler,
            mouth_noise=options.mouth_noise,
        )
        return replace(self, guidance=guidance, **chosen)


def _chosen(**choices: Any) -> dict[str, Any]:
    return {name: choice for name, choice in choices.items() if choice is not None}


def usual_sampling(config: DiffPoseTalkConfig) -> Sampling:
    """How a network draws unless told otherwise: as it was trained to."""
    if not config.taught_by:
        return Sampling()
    return Sampling("ddim", config.few_steps, FOLLOWED.plain)


PUBLISHED = Sampling(
    "ancestral",
    guidance=Guidance(),
    mouth_noise=1.0,
    overlap=0,
    same_noise=True,
    silence_behind=True,
    steady_head=False,
    close_in_silence=False,
    close_lips=False,
)
"""As in the authors' demo."""


@dataclass(frozen=True, eq=False)
class Given:
    """All that a window is made from."""

    sound: Float[Tensor, "batch window width"]
    present: Float[Tensor, "batch window"]
    context_motion: Float[Tensor, "batch context channels"]
    context_sound: Float[Tensor, "batch context width"]
    style: Float[Tensor, "batch style"]
    """The null style for those that have none."""
    identity: Float[Tensor, "batch identity"] | None = None


class Held(NamedTuple):
    """Normalized motion that is known of a window, and how firmly, from 0 (free) to 1."""

    values: Float[Tensor, "batch window channels"]
    weights: Float[Tensor, "#batch window #channels"]

    def of(self, rows: Tensor, window: slice) -> Held:
        """Some samples, and some frames."""
        return Held(self.values[rows, window], self.weights[rows, window])


Noise = Callable[[int], tuple[Tensor, Draw]]
"""For a window by number: the noise it starts from, and a source of more."""


@torch.inference_mode()
def perform(
    network: DiffPoseTalkNetwork,
    features: Sequence[Float[Tensor, "_ features"]],
    styles: Sequence[Float[np.ndarray, " style"] | None],
    seeds: Sequence[int],
    sampling: Sampling,
    *,
    lengths: Sequence[int] | None = None,
    identity: Float[Tensor, "batch identity"] | None = None,
    noise: Noise | None = None,
    known: Sequence[Known | None] | None = None,
) -> list[Float[np.ndarray, "_ channels"]]:
    """Motion for several recordings, or takes of one, side by side.

    Each has its own noise, so it comes out the same alone.

    Args:
        features: Of each recording, one per frame.
        styles: Of each; None where there is none.
        seeds: Of each.
        lengths: Of each [frames]; features behind are heard, but belong to nothing.
        noise: In place of what follows from the seeds.
        known: Of each, what its motion grows around, on the network's clock.

    Raises:
        ConfigError: the overlap leaves no room for the context.
        MotionError: what is known is in another layout, or of another length.
    """
    config, device = network.config, network.null_style.device
    stride = config.window - sampling.overlap
    if sampling.overlap < 0 or stride < config.context:
        raise ConfigError(
            f"overlap is {sampling.overlap}; of a window of {config.window} frames at least the "
            f"context of {config.context} must be new."
        )
    lengths = lengths or [len(some) for some in features]
    total = window_starts(max(lengths), network, sampling)[-1] + config.window
    heard = torch.stack(
        [torch.cat([f, f.new_zeros(max(total - len(f), 0), f.shape[1])])[:total] for f in features]
    ).to(device)
    present = torch.arange(total, device=device) < torch.tensor(lengths, device=device)[:, None]
    style = torch.stack(
        [
            network.null_style if vector is None else torch.as_tensor(vector).to(device)
            for vector in styles
        ]
    )
    guidance = sampling.guidance
    if all(vector is None for vector in styles) and guidance.sound is not None:
        # Without a style there is nothing between the branches with and without it.
        guidance = replace(guidance, style=None)
    noise = noise or _noise(network, seeds, sampling)
    made = heard.new_zeros(len(features), total, len(network.columns))
    held = None if known is None else _held(network, known, lengths, total)
    motion, sound = network.begins(len(features))
    for number, start in enumerate(window_starts(max(lengths), network, sampling)):
        window, before = slice(start, start + config.window), slice(start - config.context, start)
        if start:
            motion, sound = made[:, before], network.sound(heard[:, before])
        given = Given(
            network.sound(heard[:, window]),
            present[:, window].to(heard.dtype),
            motion,
            sound,
            style,
            identity,
        )
        # Those that ended before are not computed any more.
        rows = torch.tensor(
            [i for i, length in enumerate(lengths) if _reaches(length, start, sampling)]
        )
        if held is not None:
            # Nor those of which all is known here.
            free = ((held.weights[:, window] < 1).any(dim=2) & present[:, window]).any(dim=1)
            done, rows = rows[~free[rows]], rows[free[rows]]
            made[done, window] = held.values[done, window]
            if not len(rows):
                continue
        anchors = []
        if start:
            anchors.append(ramp(made[rows, start : start + sampling.overlap], config.window))
        if held is not None:
            anchors.append(held.of(rows, window))
        beginning, draw = noise(number)
        made[rows, window] = sample_window(
            network,
            _rows(given, rows),
            sampling,
            guidance,
            beginning[rows],
            lambda draw=draw, rows=rows: draw()[rows],
            anchors,
        )
    takes = []
    for values, length in zip(made, lengths, strict=True):
        take = values[:length].cpu().numpy()
        if sampling.steady_head:
            take[:, network.head_columns] = steadied(take[:, network.head_columns])
        takes.append(restored(network.space, network.columns, take))
    return takes


def steadied(turns: Float[np.ndarray, "frames axes"]) -> Float[np.ndarray, "frames axes"]:
    """Turns of a head without what alternates from frame to frame.

    A head has mass: of people's turns next to nothing is quicker than 8 Hz, but what is drawn from
    noise keeps some of it, and it shows as a tremble. At 25 fps this half-band filter keeps 90 % at
    4.7 Hz, half of 8 Hz and nothing at 12.5 Hz; it delays nothing.
    """
    reach = len(_HALF_BAND) // 2
    padded = np.pad(turns, ((reach, reach), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, len(_HALF_BAND), axis=0)
    return views @ _HALF_BAND


_HALF_BAND = np.array([-1, 4, 10, 4, -1], np.float32) / 16


def window_starts(frames: int, network: DiffPoseTalkNetwork, sampling: Sampling) -> list[int]:
    """First frames of the windows of a recording."""
    stride = network.config.window - sampling.overlap
    return list(range(0, max(frames - sampling.overlap, 1), stride))


def sample_window(
    network: DiffPoseTalkNetwork,
    given: Given,
    sampling: Sampling,
    guidance: Guidance,
    start: Float[Tensor, "batch window channels"],
    draw: Draw,
    held: Sequence[Held] = (),
) -> Float[Tensor, "batch window channels"]:
    """One window of normalized motion.

    Args:
        start: Noise.
        held: What is known of it already; what comes later wins.
    """
    config = network.config
    levels = schedule(config.schedule, config.steps)
    denoise = guided(network, given, guidance, sampling.bf16)
    for known in held:
        denoise = pulled(denoise, known)
    if sampling.sampler == "ancestral":
        return ancestral(denoise, start, levels, draw, flexibility=sampling.flexibility)
    if sampling.sampler == "ddim":
        return ddim(denoise, start, levels, sampling.steps)
    return dpm_solver(denoise, start, levels, sampling.steps)


def guided(
    network: DiffPoseTalkNetwork, given: Given, guidance: Guidance, bf16: bool = False
) -> Denoise:
    """The network as samplers want it: guided at the noise levels where guidance acts."""
    denoise = _asked(network, given, guidance, bf16)
    if not guidance.limited:
        return denoise
    plain, steps = _asked(network, given, guidance.plain, bf16), network.config.steps
    return lambda x, t: (denoise if guidance.acts(t / steps) else plain)(x, t)


def _asked(network: DiffPoseTalkNetwork, given: Given, guidance: Guidance, bf16: bool) -> Denoise:
    """The network with all branches of guidance in one call, the sound digested once."""
    branches, batch = guidance.branches, len(given.style)
    count = len(branches)

    def stacked(known: Callable[[Branch], bool]) -> Tensor:
        flags = torch.tensor([known(branch) for branch in branches], device=given.style.device)
        return flags.repeat_interleave(batch)

    def repeated(part: Tensor) -> Tensor:
        return part.repeat(count, *[1] * (part.ndim - 1))

    style = network.styled(repeated(given.style), stacked(lambda branch: branch.style))
    identity = None if given.identity is None else repeated(given.identity)
    person = network.persons(style, identity)
    sound = network.sounding(repeated(given.sound), stacked(lambda branch: branch.sound))
    context, present = repeated(given.context_motion), repeated(given.present)
    device = given.style.device.type
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        whole = torch.cat([repeated(given.context_sound), sound], dim=1)
        heard = network.denoiser.listen(whole)

    def denoise(x: Tensor, t: int) -> Tensor:
        step = torch.full((count * batch,), t, device=x.device)
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            made = network.denoiser(repeated(x), step, person, context, present, heard)
        window = made[:, network.config.context :].float()
        return guidance(lambda branches: window.unflatten(0, (count, batch)))

    return denoise


def pulled(denoise: Denoise, known: Held) -> Denoise:
    """A denoiser whose predictions are drawn towards what is known."""
    return lambda x, t: torch.lerp(denoise(x, t), known.values, known.weights)


def ramp(before: Float[Tensor, "batch overlap channels"], window: int) -> Held:
    """The first frames of a window as they are already: the first of them most, then less."""
    count = before.shape[1]
    falling = 1 - torch.arange(1, count + 1, device=before.device) / (count + 1)
    rest = (0, 0, 0, window - count)
    weights = falling[None, :, None].to(before)
    return Held(functional.pad(before, rest), functional.pad(weights, rest))


def _held(
    network: DiffPoseTalkNetwork,
    known: Sequence[Known | None],
    lengths: Sequence[int],
    total: int,
) -> Held | None:
    """What is known of all frames of all samples."""
    if all(one is None for one in known):
        return None
    space, columns = network.space, network.columns
    values = torch.zeros(len(known), total, len(columns))
    weights = torch.zeros(len(known), total, len(columns))
    for row, (one, length) in enumerate(zip(known, lengths, strict=True)):
        if one is None:
            continue
        motion = one.motion
        if motion.layout != space.layout or motion.num_frames != length:
            raise MotionError(
                f"What is known has {motion.num_frames} frames in layout '{motion.layout.name}'; "
                f"the performance has {length} in layout '{space.layout.name}'."
            )
        values[row, :length] = torch.from_numpy(normalized(space, columns, motion.values))
        weights[row, :length] = torch.from_numpy(one.weights[:, columns].astype(np.float32))
    device = network.null_style.device
    return Held(values.to(device), weights.to(device))


def _noise(network: DiffPoseTalkNetwork, seeds: Sequence[int], sampling: Sampling) -> Noise:
    """Noise that follows from the seed and the number of the window alone."""
    shape, device = (network.config.window, len(network.columns)), network.null_style.device
    size = torch.ones(shape[1], device=device)
    size[mouth_columns(network.space.layout, network.columns)] = sampling.mouth_noise

    def of_window(window: int) -> Draw:
        draw = draws([_generator(seed, window) for seed in seeds], shape, device)
        return lambda: size * draw()

    def noise(window: int) -> tuple[Tensor, Draw]:
        draw = of_window(window)
        start = draw()
        if sampling.same_noise and window:
            start = of_window(0)()
        return start, draw

    return noise


def _generator(seed: int, window: int) -> Generator:
    word = np.random.SeedSequence([seed, window]).generate_state(1, np.uint64)[0]
    return Generator().manual_seed(int(word >> np.uint64(1)))


def _reaches(frames: int, start: int, sampling: Sampling) -> bool:
    """Whether a recording of this length has new frames in a window."""
    return start == 0 or frames > start + sampling.overlap


def _rows(given: Given, rows: Tensor) -> Given:
    """Some samples of a batch."""
    parts = {name: part[rows] for name, part in vars(given).items() if part is not None}
    return Given(**parts)
