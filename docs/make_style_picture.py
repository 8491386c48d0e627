"""Draws docs/images/styles_METHOD.png: an instant of the example sentence in every named style.

python docs/make_style_picture.py [METHOD] [SECONDS]
"""

from __future__ import annotations

import sys
from pathlib import Path

from kinevox.api import animate, styles
from kinevox.heads import load_head
from kinevox.rendering.picture import contact_sheet
from kinevox.rendering.video import render_image

ROOT = Path(__file__).parents[1]
SPEECH = ROOT / "examples" / "speech.flac"
INSTANT = 2.52
"""Mouths are open there, and everybody looks at us [s]."""
NEAR = 6
"""Frames around the instant, of which the one with the widest eyes is drawn."""
COLUMNS = 5


def main() -> None:
    method = sys.argv[1] if len(sys.argv) > 1 else "diffposetalk"
    instant = float(sys.argv[2]) if len(sys.argv) > 2 else INSTANT
    head = load_head("anny")
    names = [name for name in styles(method) if name != "nobody"]
    pictures = []
    for name in names:
        (motion,) = animate(SPEECH, method=method, style=name)
        frame = round(instant * motion.fps)
        # Takes of one seed tend to blink together; nobody should in a picture.
        near = range(frame - NEAR, frame + NEAR + 1)
        frame = near[motion["eyeBlinkLeft"][near.start : near.stop].argmin()]
        pictures.append(render_image(head, motion, frame, size=(300, 300)))
    out = ROOT / "docs" / "images" / f"styles_{method.partition(':')[0]}.png"
    contact_sheet(pictures, names, COLUMNS, out)


if __name__ == "__main__":
    main()
