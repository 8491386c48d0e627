"""`kinevox train`: weights from a corpus."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from kinevox import api
from kinevox.audio.encoders.speech.config import SpeechConfig
from kinevox.cli._console import FILE, print_json, progress_bar
from kinevox.methods import trainables
from kinevox.training import Trainable, TrainingOptions
from kinevox.training.options import HEARING


@dataclass(frozen=True, kw_only=True)
class Train:
    """Where the data is and where the weights go; every network adds its options."""

    corpus: Annotated[str, arg(metavar="FOLDER|NAME")]
    """A corpus with the splits train and valid, or the name of one in the cache; `kinevox corpus
    make` makes one."""
    out: Annotated[FILE, arg(metavar="RUN", help_behavior_hint="(default: in the cache)")] = None
    """Folder of the run; the same call again goes on with it."""
    mix: Annotated[str | None, arg(metavar="FOLDER|NAME", help_behavior_hint="(default: none)")] = (
        None
    )
    """Another corpus, whose split train is learned from as well: captured people beside
    performers."""
    mix_every: Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: 10)")] = None
    """Of so many samples, one is of the corpus that is mixed in."""
    dry_run: bool = False
    """Print the full configuration as JSON and stop."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> int:
        chosen: Any = self
        with progress_bar() as progress:
            result = api.train(
                chosen.network,
                self.corpus,
                out=self.out,
                options=chosen.options,
                mix=self.mix,
                mix_every=self.mix_every,
                dry_run=self.dry_run,
                progress=progress,
            )
        if self.dry_run or self.json:
            print_json(result)
        else:
            print(Path(result["out"]) / "best")
        return 0


def _command(stage: Trainable) -> type:
    """`Train` with the options of one network."""
    added = [
        ("options", Annotated[TrainingOptions, arg(name="")], field(default=stage.training)),
        ("network", type(stage), field(default=stage)),
    ]
    about = {"__doc__": f"Train {stage.name}, or go on where the same training stopped."}
    return make_dataclass(
        "Train", added, bases=(Train,), frozen=True, kw_only=True, namespace=about
    )


@dataclass(frozen=True, kw_only=True)
class TrainSpeech:
    """Train the speech encoder, or go on where the same training stopped."""

    recordings: Annotated[Path, arg(metavar="FOLDER")]
    """Recordings of people with a manifest.csv, as for `kinevox corpus make performers`."""
    out: Annotated[FILE, arg(metavar="RUN", help_behavior_hint="(default: in the cache)")] = None
    """Folder of the run; the same call again goes on with it."""
    options: Annotated[TrainingOptions, arg(name="")] = HEARING
    network: SpeechConfig = field(default_factory=SpeechConfig)

    def run(self) -> int:
        with progress_bar() as progress:
            weights = api.train_speech(
                self.recordings,
                out=self.out,
                config=self.network,
                options=self.options,
                progress=progress,
            )
        print(weights)
        return 0


COMMAND = {name: _command(stage) for name, stage in trainables().items()} | {"speech": TrainSpeech}
