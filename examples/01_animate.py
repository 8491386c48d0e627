"""One recording to an animated head and to curves for Unreal, Blender or Maya."""

from pathlib import Path

import kinevox

SPEECH = Path(__file__).with_name("speech.flac")

(motion,) = kinevox.animate(
    SPEECH,
    out=["out/face.glb", "out/face.csv"],
    style="cheerful",
)
print(f"{motion.num_frames} frames at {motion.fps:g} fps, layout {motion.layout.name}")
widest = motion["jawOpen"].argmax()
print(f"the jaw is widest at {motion.times[widest]:.2f} s: {motion['jawOpen'][widest]:.2f}")
