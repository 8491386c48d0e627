"""Motion is edited by channel names, cut in seconds, and written in any format."""

from pathlib import Path

import numpy as np

from kinevox import animate, convert

SPEECH = Path(__file__).with_name("speech.flac")

(motion,) = animate(SPEECH)
opening = motion.cut(0.0, 4.0)

# Half the head movement, and a wink that is deepest at 3.5 s.
wink = np.exp(-(((opening.times - 3.5) / 0.1) ** 2))
edited = opening.with_channels(
    eyeBlinkLeft=np.maximum(opening["eyeBlinkLeft"], wink),
    **{name: 0.5 * opening[name] for name in ("head_x", "head_y", "head_z")},
)

convert(edited, "out/wink.csv", fps=60)
convert(edited, "out/wink.npz")
