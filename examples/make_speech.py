"""Speaks examples/speech.txt with an offline voice into examples/speech.flac.

Run once, when the sentence changes: `python examples/make_speech.py`. It needs the `flite`
command (Debian package flite). The result is committed, so nobody else has to run this.
"""

import subprocess
import tempfile
import wave
from pathlib import Path

import av
import numpy as np

HERE = Path(__file__).parent
VOICE = "slt"


def main() -> None:
    text = (HERE / "speech.txt").read_text().strip()
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "speech.wav"
        subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", spoken], check=True)
        with wave.open(str(spoken)) as sound:
            rate = sound.getframerate()
            samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16)

    target = HERE / "speech.flac"
    with av.open(str(target), "w") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    print(f"{target}: {len(samples) / rate:.2f} s, {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
