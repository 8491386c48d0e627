"""CTM: one line a phone or word with recording, channel, start, duration and label."""

from __future__ import annotations

from pathlib import Path

from kinevox.errors import MotionError
from kinevox.phones._base import Phones, Word
from kinevox.phones._labels import to_arpabet
from kinevox.phones._tidy import contiguous
from kinevox.phones.pronounce import phones_of_words


def read(path: Path) -> Phones:
    """Phones of a CTM of one recording; labels that are not phones are taken as words.

    Raises:
        MotionError: a line that is not CTM, several recordings, or nothing at all.
    """
    rows: list[tuple[str, float, float]] = []
    recordings = set()
    for number, line in enumerate(Path(path).read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(";;"):
            continue
        try:
            recording, channel, start, duration, label, *_ = line.split()
            rows.append((label, float(start), float(start) + float(duration)))
        except ValueError:
            raise MotionError(
                f"{path}, line {number} is '{line.strip()[:60]}'; expected "
                "'RECORDING CHANNEL START DURATION LABEL', times in seconds."
            ) from None
        recordings.add((recording, channel))
    if len(recordings) != 1:
        raise MotionError(
            f"{path} holds {len(recordings)} recordings or channels; expected one. "
            "Write the lines of one recording to a file of their own."
        )
    seconds = max(end for _, _, end in rows)
    try:
        labels = to_arpabet([label for label, _, _ in rows])
    except MotionError:
        return phones_of_words([Word(*row) for row in rows], seconds)
    times = [(start, end) for _, start, end in rows]
    return contiguous([(label, *span) for label, span in zip(labels, times, strict=True)], seconds)
