"""`kinevox animate`: speech to animated faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from rich.table import Table
from rich.text import Text
from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import METHOD, OUTPUTS, TEXT, messages, print_json, progress_bar
from kinevox.cli.main import FAILED
from kinevox.errors import ConfigError


def animate(
    speech: Annotated[
        Positional[tuple[Path, ...]], arg(metavar="SPEECH...", help_behavior_hint="")
    ],
    /,
    out: OUTPUTS = (),
    method: METHOD = api.DEFAULT_METHOD,
    style: Annotated[TEXT, arg(metavar="NAME|FILE")] = None,
    head: str = api.DEFAULT_HEAD,
    fps: float = 25.0,
    seed: int = 0,
    takes: int = 1,
    transcript: Annotated[TEXT, arg(metavar="TEXT|FILE")] = None,
    phones: Annotated[TEXT, arg(metavar="FILE")] = None,
    json: bool = False,
) -> int:
    """Turn speech into the motion of a face.

    Args:
        speech: Recordings: any file with sound in it.
        out: File to write; its suffix is the format. Give -o again for more. For many recordings
            use a pattern such as 'out/{name}.csv', or a folder, which receives 'NAME.glb'. Without
            -o the file is called 'NAME.glb'.
        method: How motion is made.
        style: A name from `kinevox styles list`, or a style file.
        head: anny, anny:age=0.9,gender=0, or a model file such as avatar.glb.
        fps: Frames per second.
        seed: Another seed is another natural take; the same seed is the same take.
        takes: How many takes of each recording, with seeds counting up.
        transcript: What is said, or a .txt file; for many recordings a pattern, for example
            lines/{name}.txt. Without it phones are recognised by ear.
        phones: TextGrid, CTM or JSON file with phone times; a pattern as above.
        json: Print the result as JSON.
    """
    if not speech:
        raise ConfigError("No recording given. Try: kinevox animate speech.wav -o face.glb")
    with progress_bar() as progress:
        batch = api.animate_all(
            speech,
            out=out or ("{name}.glb",),
            method=method,
            style=style,
            head=head,
            fps=fps,
            seed=seed,
            takes=takes,
            transcript=transcript,
            phones=phones,
            progress=progress,
        )
    if json:
        print_json(_summary(batch))
    else:
        for take in batch.takes:
            for output in take.outputs:
                print(output)
        _report_failures(batch, len(speech))
    return FAILED if batch.failures else 0


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


COMMAND = animate
