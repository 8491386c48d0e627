"""The `kinevox` command: finds the sub-command, runs it, turns errors into one line.

Only the chosen command's file is imported, so `kinevox --help` answers at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from kinevox import __version__
from kinevox.errors import ConfigError, KinevoxError, UnknownNameError

COMMANDS = {
    "animate": "Speech to animated faces: GLB, USD, CSV, JSON, npz, MP4",
    "render": "A motion file to video",
    "capture": "A video of a face to motion, or a folder of them",
    "convert": "Motion from one format, frame rate or head to another",
    "bench": "How fast, how large: time and memory of every stage",
    "train": "Train a network, or go on with a training",
    "evaluate": "Methods compared on a corpus: every metric, with intervals",
    "card": "The model card of trained weights",
    "weights": "Pack trained weights to give away, convert released ones",
    "corpus": "Make, convert, check and look at training data",
    "styles": "List, show, extract and make styles",
    "doctor": "Check this machine, and say what to do",
    "cite": "BibTeX of what a run uses",
}

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes beside 0: something could not be done, the call is wrong, stopped by Ctrl-C."""

_HELP = """\
usage: kinevox COMMAND [OPTIONS]

Voice in, motion out: speech to the motion of a face.

Commands:
{commands}

Examples:
  kinevox animate speech.wav -o face.glb -o face.mp4
  kinevox animate lines/*.wav -o 'out/{{name}}.csv' --style lively --takes 3
  kinevox render face.csv --audio speech.wav -o face.mp4
  kinevox capture me.mp4 -o me.npz --preview check.mp4
  kinevox styles extract me.npz --method articulate -o my.style.json
  kinevox convert face.csv -o face.usda --fps 30

`kinevox COMMAND --help` lists the options of a command.
Everywhere: --debug shows the traceback of an error. `kinevox --version` prints {version}.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in ("-h", "--help", "help"):
        width = max(map(len, COMMANDS))
        listing = "\n".join(f"  {name:{width}}  {text}" for name, text in COMMANDS.items())
        print(_HELP.format(commands=listing, version=__version__), end="")
        return 0 if words else USAGE
    if words[0] == "--version":
        print(f"kinevox {__version__}")
        return 0
    try:
        return _run(words[0], words[1:])
    except KeyboardInterrupt:
        print("stopped; files that were finished stay", file=sys.stderr)
        return INTERRUPTED
    except (KinevoxError, OSError) as error:
        if debug:
            raise
        print("error:", str(error).replace("\n", " "), file=sys.stderr)
        return USAGE if isinstance(error, ConfigError | UnknownNameError) else FAILED


def _run(name: str, arguments: Sequence[str]) -> int:
    if name not in COMMANDS:
        raise UnknownNameError("command", name, COMMANDS)
    command = importlib.import_module(f"kinevox.cli.{name}")
    import tyro

    options: dict[str, Any] = {
        "prog": f"kinevox {name}",
        "args": arguments,
        "config": (tyro.conf.FlagCreatePairsOff,),
    }
    if isinstance(command.COMMAND, dict):
        chosen = tyro.extras.subcommand_cli_from_dict(command.COMMAND, **options)
    else:
        chosen: Any = tyro.cli(command.COMMAND, **options)
    return chosen.run()


if __name__ == "__main__":
    sys.exit(main())
