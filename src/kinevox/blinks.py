"""Lids that shut, or stay open.

A blink is all or nothing: lids that begin to close nearly always meet (Evinger et al. 1991). What
is drawn from noise is often half a blink, since a network that cannot know when somebody blinks
draws something between. So the lids' quick movements say when, and how slowly; how far is certain.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from kinevox.motion import Motion
from kinevox.strengths import BLINKS

SHUT = 0.95
"""Weight at which lids meet."""
CLOSING, MEETING, OPENING = 0.1, 0.04, 0.2
"""Phases of a blink of the usual speed [s]; lids close twice as fast as they open."""
SPEEDS = (0.7, 1.6)
"""Most blinks are quick, some take more than twice as long; so much of the usual time."""
LONGEST = 0.8
"""Lids that are down for longer do not blink [s]."""
APART = 0.4
"""Time from one blink to the next, at least [s]."""
STIRRED = 0.05
"""Lids that are down for a moment by less are at rest; as a weight."""
BEGUN = 0.3
"""Lids that close further than that blink, where nothing is known of how often; as a weight."""
_SQUINTS = ("eyeSquintLeft", "eyeSquintRight")
_STILL = 1e-4
"""Lids that move by less say nothing of what moves with them [weight squared]."""


def count_blinks(motion: Motion) -> int:
    """How often the lids close for a moment."""
    return int((_moments(motion)[1] >= BEGUN).sum())


def blinking(motion: Motion) -> Bool[np.ndarray, " frames"]:
    """When lids are down for a moment, or on their way, in layout `arkit`."""
    return _quick_lids(motion).mean(axis=1) > STIRRED


def whole_blinks(
    motion: Motion, count: int | None = None, free: Bool[np.ndarray, " frames"] | None = None
) -> Motion:
    """The motion with lids that shut in a blink, or stay where they are; layout `arkit`.

    A blink that the ends of the motion would cut is left out.

    Args:
        count: How many blinks there shall be: the moments at which lids close most. Else each that
            has begun.
        free: Frames in which there may be one; all by default.
    """
    if not motion.num_frames:
        return motion
    places, heights, speeds = _moments(motion)
    uncut = _uncut(places, motion, free)
    places, heights, speeds = places[uncut], heights[uncut], speeds[uncut]
    chosen = np.argsort(-heights, kind="stable")[:count] if count is not None else heights >= BEGUN
    shut, frames = np.zeros(motion.num_frames), np.arange(motion.num_frames)
    reach = int(SPEEDS[1] * (MEETING + OPENING) * motion.fps) + 1
    for place, speed in zip(places[chosen], speeds[chosen], strict=True):
        near = slice(max(place - reach, 0), place + reach + 1)
        blink = _blink((frames[near] - place) / motion.fps / speed)
        shut[near] = np.maximum(shut[near], blink)
    quick, changed = _quick_lids(motion), {}
    for lid, squint, own in zip(BLINKS, _SQUINTS, quick.T, strict=True):
        rest = motion[lid] - own
        # Where lids do not blink after all, what was squeezed along with them is not either.
        squeezed = motion[squint] - motion[squint].mean()
        along = (squeezed * (own - own.mean())).mean() / (own.var() + _STILL)
        changed[lid] = rest + shut * np.maximum(SHUT - rest, 0)
        changed[squint] = np.clip(motion[squint] - along * (1 - shut) * own, 0, 1)
    return motion.with_channels(**changed)


def _moments(motion: Motion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames at which lids are down most, how far [weight], and how long against the usual."""
    from scipy.signal import find_peaks  # takes half a second to import

    quick = np.pad(_quick_lids(motion).mean(axis=1), 1)
    apart, usual = APART * motion.fps, (CLOSING / 2 + MEETING + OPENING / 2) * motion.fps
    places, found = find_peaks(quick, distance=apart, width=0)
    return places - 1, quick[places], np.clip(found["widths"] / usual, *SPEEDS)


def _uncut(
    places: Int[np.ndarray, " blinks"], motion: Motion, free: Bool[np.ndarray, " frames"] | None
) -> Bool[np.ndarray, " blinks"]:
    """Whether all of a blink of the usual speed lies where there may be one."""
    before, after = CLOSING * motion.fps, (MEETING + OPENING) * motion.fps
    inside = (before <= places) & (places <= motion.num_frames - after)
    if free is None:
        return inside
    taken = np.concatenate([[0], np.cumsum(~free)])
    starts = np.ceil(places - before).astype(int).clip(0)
    ends = np.floor(places + after).astype(int).clip(0, motion.num_frames)
    return inside & (taken[ends] == taken[starts])


def _quick_lids(motion: Motion) -> Float[np.ndarray, "frames 2"]:
    """How far each lid is down for a moment, beyond where it is for longer, in layout `arkit`."""
    from scipy.ndimage import grey_opening

    frames = 2 * round(LONGEST * motion.fps / 2) + 1
    lids = np.stack([motion[name] for name in BLINKS], axis=1)
    return lids - grey_opening(lids, size=(frames, 1), mode="nearest")


def _blink(times: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    """Closure around a blink at time 0 [s], from 0 to 1 with no edge."""
    middle = MEETING / 2
    share = np.minimum(1 + (times + middle) / CLOSING, 1 + (middle - times) / OPENING)
    return (1 - np.cos(np.pi * np.clip(share, 0, 1))) / 2
