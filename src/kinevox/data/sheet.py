"""A corpus at one glance: faces at loud moments, and the curves of some clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from kinevox.data.check import loudness_of, mouth_of
from kinevox.data.record import Record
from kinevox.data.store import Corpus
from kinevox.errors import AssetError, ConfigError
from kinevox.heads import Head

CELL = (360, 360)
"""Width and height of one picture [pixels]."""
COLUMNS = 6
FACES, STRIPS = 24, 6


def show_corpus(
    corpus: Corpus,
    head: Head,
    path: Path,
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> None:
    """Saves a contact sheet: a random choice of clips, every split and as many styles as fit.

    Raises:
        AssetError: the corpus has no clips.
        ConfigError: the head has another layout than the corpus.
        RenderError: the machine has no usable OpenGL.
    """
    from kinevox.rendering.picture import contact_sheet
    from kinevox.rendering.scene import Scene

    if not len(corpus):
        raise AssetError(f"Corpus '{corpus.name}' has no clips to show.")
    if head.layout != corpus.layout:
        raise ConfigError(
            f"Corpus '{corpus.name}' has layout '{corpus.layout.name}', head '{head.name}' has "
            f"layout '{head.layout.name}'. Give a head of that layout with --head."
        )
    chosen = _various(corpus, np.random.default_rng(seed))
    pictures, labels, strips, titles = [], [], [], []
    with Scene(head, CELL) as scene:
        for done, i in enumerate(chosen):
            record = corpus[i]
            pictures.append(_loud_face(record, head, scene))
            labels.append(f"{record.style}  {record.speaker}  {record.split}")
            if len(strips) < STRIPS:
                strips.append(_curves(record))
                titles.append(f"{record.id}  {record.style}")
            progress(f"Drawing {corpus.name}", done + 1, len(chosen))
    contact_sheet([*pictures, *strips], [*labels, *titles], COLUMNS, path)


def _various(corpus: Corpus, rng: np.random.Generator) -> list[int]:
    """Clips in random order, those of a style already shown last; splits take turns."""
    waiting: dict[str, list[int]] = {}
    seen: set[str] = set()
    later: dict[str, list[int]] = {}
    for i in rng.permutation(len(corpus)).tolist():
        split, style = str(corpus.index["split"][i]), str(corpus.index["style"][i])
        (later if style in seen else waiting).setdefault(split, []).append(i)
        seen.add(style)
    rows = [waiting.get(split, []) + later.get(split, []) for split in waiting]
    count = min(FACES, len(corpus))
    return [i for turn in range(count) for row in rows for i in row[turn : turn + 1]][:count]


def _loud_face(record: Record, head: Head, scene) -> UInt8[np.ndarray, "height width 3"]:
    """The most open mouth among the loud moments, which shows style and sync at once."""
    motion = record.motion
    loud = loudness_of(record.speech.samples, motion.num_frames, motion.fps)
    mouth = mouth_of(motion)
    frame = int(loud.argmax())
    if mouth is not None:
        frame = int(np.where(loud >= np.quantile(loud, 0.9), mouth, -1).argmax())
    one = motion.replace(values=motion.values[frame][None])
    return scene.draw(head.vertices(one, head_pose=False)[0], one.group("head")[0])


def _curves(record: Record) -> UInt8[np.ndarray, "height width 3"]:
    from kinevox.rendering.curves import CurveStrip

    width, height = CELL
    strip = CurveStrip(record.motion, record.speech.samples, (width, height - 28)).draw(0.0)
    return np.concatenate([strip, np.repeat(strip[-1:], 28, axis=0)])
