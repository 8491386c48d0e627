"""`kinevox animate`: speech to animated faces."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Annotated, Any

from rich.table import Table
from rich.text import Text
from tyro.conf import OmitArgPrefixes, Positional, arg

from kinevox import api
from kinevox.cli._console import (
    FILES,
    HEAD,
    METHOD,
    NUMBER,
    OUTPUTS,
    TEXT,
    WHOLE,
    WORDS,
    messages,
    print_json,
    progress_bar,
)
from kinevox.cli._words import pose, span
from kinevox.cli.main import FAILED
from kinevox.errors import ConfigError


@dataclass(frozen=True)
class Sampling:
    """How learned methods draw motion from noise; the defaults are the method's own."""

    steps: WHOLE = None
    """Sampling steps: fewer are faster, more make takes differ more. The method's own suffice."""
    audio_scale: NUMBER = None
    """How strongly the sound is followed; 1 is as trained."""
    style_scale: NUMBER = None
    """How strongly the style is followed; 1 is as trained, 3 is clearly more."""
    guidance_interval: Annotated[TEXT, arg(metavar="LOW:HIGH")] = None
    """Noise levels at which these two act, from 0 (clean) to 1 (noise). Seldom of use: it is for
    networks of your own that tremble with strong guidance."""
    mouth_noise: NUMBER = None
    """How much jaw and lips vary from take to take: 1 is as trained, 0 is the likeliest way to say
    it, and diffposetalk's own is 0.05."""
    bf16: bool = False
    """Compute in bfloat16: faster where the processor knows it, and nearly the same."""

    close_in_silence: Annotated[bool, arg(help_behavior_hint="")] = True
    """Leave the mouth as it was drawn where nobody speaks; by default it closes there."""

    def options(self) -> dict[str, Any]:
        interval = self.guidance_interval
        limits = None if interval is None else span(interval, "--guidance-interval")
        return vars(self) | {"guidance_interval": limits}


@dataclass(frozen=True)
class Strength:
    """More or less of a part: 1 is as performed, 0 nothing."""

    mouth: float = 1.0
    """Jaw and lips; closed lips stay closed."""
    upper_face: float = 1.0
    """Brows, cheeks, nose and squints."""
    head_motion: float = 1.0
    """How far the head leaves its mean pose of the take."""
    blinks: float = 1.0
    """How far the lids close."""


@dataclass(frozen=True)
class Edits:
    """Changes of a take that is nearly right, and poses to pass through."""

    take: Annotated[TEXT, arg(metavar="FILE")] = None
    """A take of this recording of which a part is made anew."""
    regenerate: Annotated[WORDS, arg(metavar="START:END")] = ()
    """Range of the take that is made anew [s], such as 2.0:3.5 or 8: for all behind; all other
    frames stay bit for bit. Repeatable."""
    pose: Annotated[WORDS, arg(metavar="TIME=POSE")] = ()
    """Pose at a time: 1.2=smile.npz, clip.npz@0.8 or jawOpen:0.3,jawLeft:0.1. Repeatable."""

    def options(self) -> dict[str, Any]:
        return {
            "take": self.take,
            "regenerate": tuple(span(word, "--regenerate") for word in self.regenerate),
            "poses": tuple(map(pose, self.pose)),
        }


@dataclass(frozen=True)
class Animate:
    """Turn speech into the motion of a face."""

    speech: Annotated[Positional[FILES], arg(metavar="SPEECH...")]
    """Recordings: any file with sound in it."""
    out: Annotated[OUTPUTS, arg(help_behavior_hint="(default: {name}.glb)")] = ()
    """File to write; the suffix is the format. Repeat it for more, 'out/{name}.csv' for many
    recordings, 'out/{name}_{take}.csv' for takes, which are called NAME_take2 otherwise."""
    method: METHOD = api.DEFAULT_METHOD
    """How motion is made."""
    style: Annotated[TEXT, arg(metavar="NAME|FILE")] = None
    """A name from `kinevox styles list`, a style file, a clip whose style is taken, or a mixture:
    calm:0.3,mine.style:0.7."""
    head: HEAD = api.DEFAULT_HEAD
    """anny, anny:age=0.9,gender=0, or a file of yours, such as avatar.glb with ARKit's names."""
    fps: float = 25.0
    """Frames per second."""
    seed: int = 0
    """Another seed is another take; the same one is the same take of a recording of this name, with
    glances and blinks at the same moments in every style."""
    takes: int = 1
    """How many takes of each recording, with seeds counting up."""
    transcript: Annotated[TEXT, arg(metavar="TEXT|FILE")] = None
    """What is said, or a .txt file, 'lines/{name}.txt' for many; without it, phones by ear."""
    phones: Annotated[TEXT, arg(metavar="FILE")] = None
    """TextGrid, CTM or JSON file with phone times, 'lines/{name}.TextGrid' for many."""
    json: bool = False
    """Print the result as JSON."""
    strength: OmitArgPrefixes[Strength] = field(default_factory=Strength)
    edit: OmitArgPrefixes[Edits] = field(default_factory=Edits)
    sampling: OmitArgPrefixes[Sampling] = field(default_factory=Sampling)

    def run(self) -> int:
        if not self.speech:
            raise ConfigError("No recording given. Try: kinevox animate speech.wav -o face.glb")
        # A second thread makes it a quarter quicker. But where others work too, threads that wait
        # for each other make it ten times slower.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        with progress_bar() as progress:
            batch = api.animate_all(
                self.speech,
                out=self.out or ("{name}.glb",),
                method=self.method,
                style=self.style,
                head=self.head,
                fps=self.fps,
                seed=self.seed,
                takes=self.takes,
                transcript=self.transcript,
                phones=self.phones,
                progress=progress,
                **vars(self.strength),
                **self.edit.options(),
                **self.sampling.options(),
            )
        if self.json:
            print_json(_summary(batch))
        else:
            for take in batch.takes:
                for output in take.outputs:
                    print(output)
            _report_failures(batch, len(self.speech))
        return FAILED if batch.failures else 0


COMMAND = Animate


def _summary(batch: api.Batch) -> dict[str, list[dict[str, object]]]:
    return {
        "takes": [
            {
                "source": take.source,
                "take": take.number,
                "seed": take.seed,
                "fps": take.motion.fps,
                "frames": take.motion.num_frames,
                "outputs": take.outputs,
            }
            for take in batch.takes
        ],
        "failures": [
            {"source": failure.source, "output": failure.output, "error": str(failure.error)}
            for failure in batch.failures
        ],
    }


def _report_failures(batch: api.Batch, count: int) -> None:
    if not batch.failures:
        return
    if count == 1:
        for failure in batch.failures:
            messages.print(f"error: {failure.error}", markup=False, soft_wrap=True)
        return
    table = Table("recording", "file", "error", box=None)
    for failure in batch.failures:
        output = "" if failure.output is None else failure.output.name
        table.add_row(*map(Text, (str(failure.source), output, str(failure.error))))
    failed = len({failure.source for failure in batch.failures})
    messages.print(f"{failed} of {count} recordings failed, at least in part:")
    messages.print(table)
