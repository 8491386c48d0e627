"""Trained weights made ready to be given away: half precision, no paths of this machine, a card."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from kinevox.audio.encoders import load_encoder
from kinevox.audio.encoders.speech import WEIGHTS as SPEECH_WEIGHTS
from kinevox.errors import AssetError
from kinevox.files import written_whole
from kinevox.training._base import Trainable
from kinevox.training.card import write_card
from kinevox.training.checkpoint import (
    CALIBRATION,
    read_checkpoint,
    read_header,
    write_checkpoint,
)
from kinevox.training.origin import ORIGINS, history
from kinevox.training.run import run_folder

ENCODER = "encoder"
"""Folder beside the weights with the speech encoder that belongs to them."""
STYLES = "styles"
"""Folder beside the weights with named styles."""
_OWN = ("format", "version", "network", "space", "weights")
"""Entries of a header that writing a checkpoint makes anew."""


def pack(run: Path, out: Path, results: Path | None = None) -> list[Path]:
    """Writes a checkpoint in half precision, with all it needs and its card.

    A speech encoder of one's own comes along in a folder `encoder`, unless it is the one of the
    package, whose digest is noted (`hears`). Named styles beside the weights come along too, and
    what they let expect; older ones in `out` are removed, as they may belong to other weights.

    Args:
        run: Folder of a training or of a checkpoint.
        results: JSON of `kinevox evaluate`, for the card.

    Returns:
        The files.

    Raises:
        AssetError: there is no checkpoint, or it was not trained here.
        ConfigError: the results are not readable.
    """
    from kinevox.methods import trainables

    place, header = read_header(run)
    name, known = header["network"]["name"], trainables()
    if name not in known or "code" not in header:
        raise AssetError(f"{place} was not trained by `kinevox train`; it is not ours to pack.")
    if place.resolve() == out.resolve():
        raise AssetError(f"{out} is where the weights are. Give another folder.")
    trained = read_checkpoint(place, known[name])
    stage = _without_paths(trained.stage, place, out)
    facts = {key: value for key, value in header.items() if key not in _OWN}
    if earlier := history(header):
        facts["earlier"] = earlier
    if getattr(stage, "encoder", None) == "speech" and not (out / ENCODER).is_dir():
        facts["hears"] = load_encoder("speech").digest
    write_checkpoint(out, stage, trained.space, trained.network, facts, half=True)
    shutil.rmtree(out / STYLES, ignore_errors=True)
    if (place / STYLES).is_dir():
        shutil.copytree(place / STYLES, out / STYLES)
    if (place / CALIBRATION).is_file():
        shutil.copyfile(place / CALIBRATION, out / CALIBRATION)
    write_card(out, results)
    return sorted(path for path in out.rglob("*") if path.is_file())


def _without_paths(stage: Trainable, place: Path, out: Path) -> Trainable:
    """The configuration without names that mean something on this machine only."""
    names = vars(stage)
    # Their weights are inside; the names are told for the record.
    for field in ORIGINS:
        if run := names.get(field):
            stage = replace(stage, **{field: Path(run).name})  # type: ignore[type-var]
    if "encoder" in names:
        family = _bring_encoder(names["encoder"], place, out)
        stage = replace(stage, encoder=family)  # type: ignore[type-var]
    return stage


def _bring_encoder(name: str, place: Path, out: Path) -> str:
    """Puts a speech encoder of one's own beside the weights; the name it then has."""
    shutil.rmtree(out / ENCODER, ignore_errors=True)
    family, _, weights = name.partition(":")
    source = place / ENCODER
    if not source.is_dir():
        if not weights or not run_folder(weights).exists():
            # Without weights, or with those of a hub, the name means the same everywhere.
            return name
        if family == "speech" and SPEECH_WEIGHTS.is_file():
            if load_encoder(name).digest == load_encoder(family).digest:
                return family
        source = run_folder(weights)
    if family == "speech":
        file = source / SPEECH_WEIGHTS.name if source.is_dir() else source
        with written_whole(out / ENCODER / SPEECH_WEIGHTS.name) as temporary:
            shutil.copyfile(file, temporary)
    else:
        shutil.copytree(source, out / ENCODER)
    return family
