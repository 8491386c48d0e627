"""Phone times as JSON: our own form, written and read; the Montreal Forced Aligner's and
Rhubarb's, read."""

from __future__ import annotations

import json
from pathlib import Path

from kinevox.errors import MotionError
from kinevox.files import written_whole
from kinevox.phones._base import Phones, Word
from kinevox.phones._labels import to_arpabet
from kinevox.phones._tidy import contiguous, intervals_of

_RHUBARB = {
    "A": "M",
    "B": "IH",
    "C": "EH",
    "D": "AA",
    "E": "AO",
    "F": "UW",
    "G": "F",
    "H": "L",
    "X": "SIL",
}
"""A phone that makes each of Rhubarb's mouth shapes."""


def read(path: Path) -> Phones:
    """Phones of a JSON file.

    Raises:
        MotionError: not JSON, or none of the known forms.
    """
    try:
        return from_json(Path(path).read_text(encoding="utf-8-sig"))
    except MotionError as error:
        raise MotionError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise MotionError(
            f"{path} is not phone times in JSON ({error!r}). Expected "
            '{"phones": [{"label": "AA", "start": 0.0, "end": 0.1}, ...], "words": [...]}.'
        ) from error


def write(phones: Phones, path: Path) -> None:
    """Writes our own form."""
    with written_whole(path) as temporary:
        temporary.write_text(to_json(phones) + "\n", encoding="utf-8")


def to_json(phones: Phones) -> str:
    """One line of JSON; times in full precision."""
    return json.dumps(
        {
            "origin": phones.origin,
            "phones": [
                {"label": label, "start": start, "end": end}
                for label, start, end in intervals_of(phones)
            ],
            "words": [{"text": w.text, "start": w.start, "end": w.end} for w in phones.words],
        }
    )


def from_json(text: str | bytes) -> Phones:
    """Phones of any of the known forms."""
    data = json.loads(text)
    words: list[Word] = []
    origin = "given"
    if "mouthCues" in data:
        rows = [(_RHUBARB[cue["value"]], cue["start"], cue["end"]) for cue in data["mouthCues"]]
    elif "tiers" in data:
        tiers = {name.lower().rpartition(" - ")[2]: tier for name, tier in data["tiers"].items()}
        rows = [(label, start, end) for start, end, label in tiers["phones"]["entries"]]
        entries = tiers.get("words", {"entries": []})["entries"]
        words = [Word(label, float(start), float(end)) for start, end, label in entries if label]
    else:
        rows = [(phone["label"], phone["start"], phone["end"]) for phone in data["phones"]]
        words = [
            Word(word["text"], float(word["start"]), float(word["end"]))
            for word in data.get("words", [])
        ]
        origin = str(data.get("origin", "given"))
    labels = to_arpabet([str(label) for label, _, _ in rows])
    times = [(float(start), float(end)) for _, start, end in rows]
    seconds = max([end for _, end in times], default=0.0)
    intervals = [(label, *span) for label, span in zip(labels, times, strict=True)]
    return contiguous(intervals, max(seconds, float(data.get("end", 0.0))), words, origin)
