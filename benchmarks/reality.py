"""Do performers move like people? Captured talkers against performers, one measure after another.

    kinevox corpus make video --source VIDEOS --speakers benchmarks/reality_speakers.csv -o CAPTURED
    python benchmarks/reality.py CAPTURED --performers performers --out docs/results/reality

Columns: talkers that rules may be tuned on (s26, s31 and nine others of GRID); the held-out talker
(s1), and with --tracked clips of his of which there are landmarks only; drawn performers who speak
the very sentences of the first column; and the corpus `performers`. Each cell holds the 10, 50 and
90 % quantiles; beside it stands how far the column is from the first: D of Kolmogorov and Smirnov
(0 alike, 1 disjoint), and W, the Wasserstein distance in interquartile ranges of the first. What
people differ by among themselves, D and W of the held-out talker, is as near as performers can be
expected to come.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from _faces import MEASURES, Values, look, pooled
from _shared import machine, shared_folder
from rich.progress import track
from scipy.stats import ks_2samp, wasserstein_distance

from kinevox.audio.read import read_audio
from kinevox.capture import Landmarks, Shot
from kinevox.capture.fit import fit
from kinevox.data import Corpus
from kinevox.data.corpora._cast import sample_style
from kinevox.heads import HEADS, Head
from kinevox.methods.articulate import METHOD
from kinevox.speech import Speech
from kinevox.timebase import FPS

HELD_OUT = "s1"
PERFORMERS_EACH = 10
"""Performers drawn for each sentence."""
CORPUS_CLIPS = 400

_DIGITS = dict(
    zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True)
)
_LETTERS = {letter: letter for letter in "abcdefghijklmnopqrstuvwxy"} | {"z": "zed"}
SPELLED = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    _LETTERS,
    _DIGITS,
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
"""Words of GRID by place and letter."""

NOTES = (
    "GRID is six-word commands, read in a booth with the head held still. Its heads are shown, but "
    "nothing is tuned to them: performers keep to the published sizes.",
    "A pixel is 1.4 mm on these faces, so gaps below a millimeter and weights that hardly move the "
    "lips are guesses of the fit; frames are 40 ms apart, so blinks have few.",
    "Pictures were looked at: talker 26 has a moustache, under which the tracker sets the edges of "
    "the lips about a third too far apart; on the other faces they are where they should be.",
    "Jaw against lips is the fit's division of one opening between several weights.",
)

PUBLISHED = {
    "head yaw": "2.9 (1), 9.8 (2), 3.8 (3)",
    "head pitch": "2.2 (1), 6.8 (2), 3.0 (3)",
    "head roll": "1.8 (1), 6.9 (2), 2.4 (3)",
    "head speed": "median 14, 95 % 38 (3)",
    "blinks": "rest 17, talking 26, reading 4.5 (4)",
}
SOURCES = (
    "(1) standard deviations a public DiffPoseTalk normalises with, (2) those of UniLS's talking "
    "corpus, centred per clip, (3) 728 frames of one speaker published with AD-NeRF, (4) means of "
    "Bentivoglio et al. 1997"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("captured", help="corpus of captured GRID talkers")
    parser.add_argument("--performers", default="performers", help="corpus, or its name")
    parser.add_argument(
        "--tracked", type=int, default=0, help="fit every Nth clip of the landmarks of s1 as well"
    )
    parser.add_argument("--out", type=Path, help="base name of the .md and .json to write")
    options = parser.parse_args()

    head = HEADS.get("anny")()
    captured = Corpus.open(options.captured)
    held_out = captured.index["speaker"] == HELD_OUT
    real = captured.select(~held_out)
    columns: dict[str, Values] = {
        "people": pooled(of_corpus(head, real, "People")),
        "held out": pooled(of_corpus(head, captured.select(held_out), "Held out")),
    }
    if options.tracked:
        columns["held out, other clips"] = pooled(of_landmarks(head, options.tracked))
    columns["performers, same sentences"] = pooled(same_sentences(head, real))
    if options.performers:
        acted = Corpus.open(options.performers)
        chosen = np.linspace(0, len(acted) - 1, min(CORPUS_CLIPS, len(acted))).astype(int)
        columns["performers"] = pooled(of_corpus(head, acted.select(chosen), "Performers"))
    command = " ".join(["python", "benchmarks/reality.py", *sys.argv[1:]])
    text = "\n".join(page(columns, command, real)) + "\n"
    print(text)
    if options.out:
        options.out.with_suffix(".md").write_text(text, encoding="utf-8")
        results = {"command": command, "machine": machine(), "measures": as_json(columns)}
        options.out.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


def of_corpus(head: Head, corpus: Corpus, told: str) -> list[Values]:
    return [
        look(head, record.motion, record.speech.samples)
        for record in track(corpus, told, total=len(corpus), transient=True)
    ]


def of_landmarks(head: Head, every: int) -> list[Values]:
    """Clips of the held-out talker of which there are landmarks and sound, but no pictures."""
    folder = shared_folder("landmarks") / "grid_s1"
    clips = json.loads((folder / "manifest.json").read_text())[::every]
    rows = []
    with np.load(folder / "landmarks_delta.npz", allow_pickle=False) as store:
        ids, size = store["ids"].astype(int), tuple(int(side) for side in store["size"])
        for clip in track(clips, "Landmarks", transient=True):
            points = store[clip["clip"]].cumsum(axis=0, dtype=np.int64) / 64
            seen = Landmarks(
                np.arange(len(points)) / FPS, points, ids, size, (Shot(0, len(points)),)
            )
            samples = read_audio(folder / f"{clip['clip']}.ogg")
            rows.append(look(head, fit(seen, fps=FPS).motion, samples))
    return rows


def same_sentences(head: Head, real: Corpus) -> list[Values]:
    """Drawn performers say what was said, at the same times."""
    rng = np.random.default_rng(0)
    rows = []
    for record in track(real, "Same sentences", total=len(real), transient=True):
        speech = Speech(record.speech.samples, transcript=sentence(record.metadata["file"]))
        for seed in range(PERFORMERS_EACH):
            motion = METHOD.generate(speech, sample_style(rng), seed=seed, fps=record.motion.fps)
            rows.append(look(head, motion, speech.samples))
    return rows


def sentence(file: str) -> str:
    """What a GRID talker says, which the last six letters of the file's name spell."""
    return " ".join(spelled[letter] for spelled, letter in zip(SPELLED, file[-6:], strict=True))


def distances(people: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """D of Kolmogorov and Smirnov, and W in interquartile ranges of the first."""
    if len(people) < 3 or len(others) < 3:
        return np.nan, np.nan
    low, high = np.percentile(people, [25, 75])
    spread = max(high - low, 1e-9)
    return (
        float(ks_2samp(people, others).statistic),
        float(wasserstein_distance(people, others)) / spread,
    )


def page(columns: dict[str, Values], command: str, real: Corpus) -> list[str]:
    """Markdown."""
    names = list(columns)
    heads = ["", "unit", names[0]]
    for name in names[1:]:
        heads += [name, "D", "W"]
    lines = ["# Performers and people", "", "```", command, "```", ""]
    lines += [
        f"{machine()}. {len(real)} clips of {len(set(real.index['speaker'].tolist()))} talkers in "
        "the first column. Quantiles 10, 50, 90 %; D and W against the first column.",
        "",
        *(f"- {note}" for note in NOTES),
        "",
        "| " + " | ".join([*heads, "published"]) + " |",
        "|" + " --- |" * (len(heads) + 1),
    ]
    for measure in MEASURES:
        people = columns[names[0]][measure.name]
        cells = [measure.name, measure.unit, quantiles(people)]
        for name in names[1:]:
            values = columns[name][measure.name]
            cells += [quantiles(values), *(f"{x:.2f}" for x in distances(people, values))]
        lines.append("| " + " | ".join([*cells, PUBLISHED.get(measure.name, "")]) + " |")
    lines += ["", *(f"- **{m.name}**: {m.told}." for m in MEASURES), "", f"Published: {SOURCES}."]
    return lines


def quantiles(values: np.ndarray) -> str:
    if not len(values):
        return "-"
    return " ".join(f"{q:.3g}" for q in np.percentile(values, [10, 50, 90]))


def as_json(columns: dict[str, Values]) -> dict[str, dict[str, dict[str, float | None]]]:
    people = columns["people"]
    found = {}
    for measure in MEASURES:
        found[measure.name] = {}
        for name, values in columns.items():
            v = values[measure.name]
            row = (
                {f"q{q}": float(np.percentile(v, q)) for q in (5, 10, 25, 50, 75, 90, 95)}
                if len(v)
                else {}
            )
            d, w = distances(people[measure.name], v)
            found[measure.name][name] = {
                "count": len(v),
                "mean": float(v.mean()) if len(v) else None,
                **row,
                "ks": d if np.isfinite(d) else None,
                "wasserstein_iqr": w if np.isfinite(w) else None,
            }
    return found


if __name__ == "__main__":
    main()
