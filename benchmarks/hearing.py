"""How well phones are heard without a transcript: the speech encoder against PocketSphinx.

    python benchmarks/hearing.py RECORDINGS [--encoder speech:RUN] [--split test] [--out FILE.md]

RECORDINGS is a folder with a manifest.csv. The frames of 10 ms that count are those of transcribed
English recordings of the split, whose speakers the encoder has not heard, and of speaking programs
whose voices it has not heard. What is right is the forced alignment, or what the program tells;
so errors of the alignment count as errors of the hearing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _shared import machine
from rich.progress import track

from kinevox.audio.encoders import load_encoder
from kinevox.audio.encoders.speech import Speech
from kinevox.audio.encoders.speech.learning import frame_scores, heard_phones
from kinevox.cache import cache_dir
from kinevox.data.phonetic.material import make_material
from kinevox.data.phonetic.pack import frame_labels
from kinevox.phones.recognize import recognize_phones


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--encoder", default="speech")
    parser.add_argument("--split", default="test")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    encoder = load_encoder(options.encoder)
    assert isinstance(encoder, Speech), "only the encoder of the package tells phones"
    parts = make_material(options.recordings, cache_dir("phonetic"), lambda *_: None)
    rows = []
    for group in ("real", "synthetic"):
        chosen = [
            (part, passage)
            for part in parts
            for passage in part.passages
            if (passage.split, passage.group) == (options.split, group)
        ]
        told: dict[str, list[np.ndarray]] = {"PocketSphinx": [], encoder.name: []}
        true = []
        for part, passage in track(chosen, description=group):
            samples, (labels, _) = part.samples(passage), part.labels(passage)
            heard = heard_phones(encoder.network, samples).argmax(-1).numpy()
            count = len(heard)
            told[encoder.name].append(heard)
            phones = recognize_phones(samples, workers=1)
            told["PocketSphinx"].append(frame_labels(phones, len(samples))[:count].astype(int))
            true.append(labels[:count])
        minutes = sum(map(len, true)) / 6000
        for name, frames in told.items():
            scores = frame_scores(np.concatenate(frames), np.concatenate(true))
            rows.append((group, f"{minutes:.1f}", name, scores))
    names = list(rows[0][3])
    lines = [
        f"Split `{options.split}`; {machine()}.",
        "",
        "| speech | minutes | heard by | " + " | ".join(n.replace("_", " ") for n in names) + " |",
        "| --- " * (3 + len(names)) + "|",
    ]
    for group, minutes, name, scores in rows:
        cells = " | ".join(f"{100 * scores[n]:.1f} %" for n in names)
        lines.append(f"| {group} | {minutes} | {name} | {cells} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
