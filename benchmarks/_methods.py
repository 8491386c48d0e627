"""Methods and styles as the scripts about real speakers take them on the command line."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _shared import machine

from kinevox.api._styles import style_of
from kinevox.methods import Method, load_method
from kinevox.motion import Motion
from kinevox.seeds import seed_for
from kinevox.speech import Speech


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--method`, `--style`, `--seed` and `-o`."""
    parser.add_argument(
        "--method", default="articulate", help="e.g. articulate, diffposetalk:RUN@steps=4"
    )
    parser.add_argument("--style", default=None, help="a name, a style file, or a clip")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, help="file .md to write too")


@dataclass(frozen=True)
class Performer:
    """A method that performs in one style, each recording with noise of its own."""

    name: str
    method: Method
    style: Any
    seed: int

    def __call__(self, name: str, speech: Speech, fps: float) -> Motion:
        seed = seed_for(name, self.seed)
        return self.method.generate(speech, self.style, seed=seed, fps=fps)

    def described(self, words: bool) -> str:
        """Who performs, and what it goes by."""
        told = words and getattr(self.method, "takes_words", False)
        given = "told the words" if told else "hears the sound alone"
        return f"{self.name}, {given}, seed {self.seed}"


def performer(options: argparse.Namespace) -> Performer:
    """What the options ask for.

    Raises:
        KinevoxError: no such method, weights or style.
    """
    method = load_method(options.method)
    style = style_of(method, options.style, None)
    told = options.method + (f" in style {Path(options.style).name}" if options.style else "")
    return Performer(told, method, style, options.seed)


def publish(title: str, rows: Sequence[tuple[str, str]], notes: str, out: Path | None) -> None:
    """Prints lines of name and value; as Markdown, with the command, where a file is given."""
    print(machine())
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}s}  {value}")
    if out is None:
        return
    command = shlex.join(["python", *sys.argv])
    lines = [f"# {title}", "", "```", command, "```", "", f"{machine()}.", ""]
    lines += ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)]
    out.write_text("\n".join([*lines, "", notes]) + "\n", encoding="utf-8")
