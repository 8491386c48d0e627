"""Whole recordings, window by window.

Windows lie on a fixed grid from the start of the recording. Each knows the last frames before it
and begins within the one before: over the overlap every prediction on the way from noise to motion
is pulled towards what is there already, strongly at first and less and less, so the rest of the
window grows out of it and no seam shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from kinevox.diffusion.samplers import Draw, draws
from kinevox.errors import ConfigError, MotionError
from kinevox.known import Known
from kinevox.methods.diffposetalk.channels import mouth_columns, normalized, restored
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.sampling import Sampling
from kinevox.methods.diffposetalk.window import Given, Held, ramp, sample_window

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
            [i for i, length in enumerate(lengths) if _reaches(length, start, sampling)],
            device=device,
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
            given.of(rows),
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
    """Turns of a head without what is quicker than heads are.

    A head has mass: of people's turns little is quicker than 3 Hz and next to nothing quicker than
    8 Hz, but what is drawn from noise keeps some of it, and it shows as a tremble. At 25 fps this
    filter keeps 96 % at 1.5 Hz, 86 % at 3 Hz, half at 6.25 Hz and nothing at 12.5 Hz; it delays
    nothing.
    """
    reach = len(_BINOMIAL) // 2
    padded = np.pad(turns, ((reach, reach), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, len(_BINOMIAL), axis=0)
    return views @ _BINOMIAL


_BINOMIAL = np.array([1, 2, 1], np.float32) / 4


def window_starts(frames: int, network: DiffPoseTalkNetwork, sampling: Sampling) -> list[int]:
    """First frames of the windows of a recording."""
    stride = network.config.window - sampling.overlap
    return list(range(0, max(frames - sampling.overlap, 1), stride))


def window_borders(frames: int, network: DiffPoseTalkNetwork, sampling: Sampling) -> list[int]:
    """Where each window but the first begins, and where it goes on without the one before."""
    starts = window_starts(frames, network, sampling)[1:]
    found = {start + late for start in starts for late in (0, sampling.overlap)}
    return sorted(border for border in found if border < frames)


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
