"""The same sentence in several styles: how much jaw, smile and head each of them has."""

from pathlib import Path

import numpy as np

from kinevox import animate

SPEECH = Path(__file__).with_name("speech.flac")

print(f"{'style':12} {'jaw':>5} {'smile':>6} {'head [degrees]':>15}")
for style in ("neutral", "lively", "sad", "mumbling"):
    (motion,) = animate(SPEECH, style=style)
    jaw, smile = motion["jawOpen"].mean(), motion["mouthSmileLeft"].mean()
    sway = np.degrees(motion.group("head").std(axis=0)).mean()
    print(f"{style:12} {jaw:5.2f} {smile:6.2f} {sway:15.1f}")
