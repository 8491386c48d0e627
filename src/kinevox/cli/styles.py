"""`kinevox styles`: the named styles of a method, how they are made, and the style of a clip."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from rich.table import Table
from tyro.conf import Positional, arg

from kinevox import api
from kinevox.cli._console import METHOD, TEXT, messages, print_json, progress_bar, results
from kinevox.errors import UnknownNameError


@dataclass(frozen=True)
class List:
    """List the named styles of a method."""

    method: METHOD = api.DEFAULT_METHOD
    """How motion is made."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        names = list(api.styles(self.method))
        if self.json:
            print_json(names)
        else:
            print(*names, sep="\n")
        return 0


@dataclass(frozen=True)
class Show:
    """Print what a style is: how much somebody moves, and how."""

    name: Annotated[Positional[str], arg(metavar="NAME|FILE")]
    """One of `kinevox styles list`, a style file, or a clip."""
    method: METHOD = api.DEFAULT_METHOD
    """How motion is made."""
    json: bool = False
    """Print all that a name stands for as JSON. Of articulate that can be edited and given to
    --style, as a file *.style.json."""

    def run(self) -> int:
        if self.json:
            known = api.styles(self.method)
            if self.name not in known:
                raise UnknownNameError("style", self.name, known)
            print_json(asdict(known[self.name]))
            return 0
        told = api.describe_style(self.name, method=self.method)
        width = max(map(len, told))
        print(*(f"{name:{width}}  {value}" for name, value in told.items()), sep="\n")
        return 0


@dataclass(frozen=True)
class Extract:
    """Read the style of one person from clips: motion of any format, or videos."""

    clips: Annotated[Positional[tuple[Path, ...]], arg(metavar="CLIP [CLIP ...]")]
    """Motion files or videos of one person; half a minute tells most."""
    out: Annotated[Path | None, arg(aliases=("-o",), metavar="FILE", help_behavior_hint="")] = None
    """Style file to write: my.style.json for articulate, my.style for diffposetalk; then: kinevox
    animate SPEECH --style FILE."""
    method: METHOD = api.DEFAULT_METHOD
    """The method that the style is for."""
    audio: TEXT = None
    """The sound of the clip, or a pattern such as sound/{name}.wav; by default that of the video,
    or a recording of the same name beside the clip."""
    transcript: TEXT = None
    """What is said, a text file, or a pattern such as lines/{name}.txt."""
    source_head: Annotated[TEXT, arg(metavar="HEAD")] = None
    """The head that the motion was made for, when it is not ARKit's: flame:FILE."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        with progress_bar() as progress:
            extracted = api.extract_style(
                self.clips,
                self.out,
                method=self.method,
                audio=self.audio,
                transcript=self.transcript,
                source_head=self.source_head,
                progress=progress,
            )
        style, certainty = extracted.style, extracted.certainty
        if self.json or not (certainty or self.out):
            told = {"style": asdict(style), "certainty": certainty, "output": self.out}
            print_json(told)
            return 0
        table = Table("factor", "value", "certainty", box=None)
        for name, share in certainty.items():
            table.add_row(name, f"{getattr(style, name):g}", f"{share:.0%}")
        if certainty:
            (results if self.out is None else messages).print(table)
        if self.out is not None:
            print(self.out)
        return 0


@dataclass(frozen=True)
class Make:
    """Make the named styles of a method that reads styles from motion, by acting them."""

    corpus: Annotated[str, arg(metavar="FOLDER|NAME")]
    """A corpus, or the name of one in the cache; styles are acted to its training recordings."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="FOLDER")]
    """Folder of the style files; in `styles` beside weights they can be named."""
    method: Annotated[str, arg(metavar="METHOD")] = "diffposetalk"
    """The method that the styles are for; diffposetalk:RUN has weights of your own."""

    def run(self) -> int:
        with progress_bar() as progress:
            paths = api.make_styles(self.corpus, self.out, method=self.method, progress=progress)
        print(*paths, sep="\n")
        return 0


COMMAND = {"list": List, "show": Show, "extract": Extract, "make": Make}
