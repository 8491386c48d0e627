"""Model cards: what a checkpoint was trained on, how well it does, and what it is not for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kinevox.errors import AssetError, ConfigError
from kinevox.files import written_whole
from kinevox.training.checkpoint import CALIBRATION, read_header


def write_card(folder: Path, results: Path | None = None) -> Path:
    """Writes `card.md` beside a checkpoint.

    Args:
        folder: Of the checkpoint, or of the run that made it.
        results: JSON of `kinevox evaluate`. Without it, the scores are those of the validation
            during training.

    Raises:
        AssetError: there is no checkpoint, or it was not trained here.
        ConfigError: the results are not readable.
    """
    place, header = read_header(folder)
    if "code" not in header:
        raise AssetError(f"{place} was not trained by `kinevox train`, so it has no card of ours.")
    with written_whole(place / "card.md") as temporary:
        card = model_card(header, _read(results), _measured_on(place))
        temporary.write_text(card, encoding="utf-8")
    return place / "card.md"


def model_card(header: Mapping[str, Any], results: Mapping[str, Any], measured_on: str = "") -> str:
    """The card in Markdown.

    Args:
        header: Of the checkpoint.
        results: What `kinevox evaluate -o results.json` writes, or nothing.
        measured_on: The corpus whose people say what styles let expect of motion, if that is known.
    """
    network, training, data = header["network"], header["training"], header["data"]
    config = ", ".join(f"{name} {value}" for name, value in network["config"].items())
    parts = [
        f"# {network['name']}",
        f"Speech to motion, layout `{header['space']['layout']}`, {header['space']['fps']:g} fps. "
        f"Made by kinevox {header['kinevox']} (code {header['code']}). Configuration: {config}.",
        "## Data",
        *_data(data),
        *_mixed(data.get("mixed")),
        *([f"How people of a style move was measured on {measured_on}."] if measured_on else []),
        "## Training",
        _table(
            ("", ""),
            (
                ("samples seen", f"{training['samples_seen']:,}"),
                ("steps", f"{training['steps']:,}"),
                ("time", f"{training['hours']:.2f} h"),
                ("machine", training["machine"]),
                ("processes", training["processes"]),
                ("seed", training["seed"]),
            ),
        ),
        "Options:",
        _json(training["options"]),
        *_earlier(header.get("earlier", ())),
        "## Scores",
        *_scores(header, results),
        "## Limits",
        "\n".join(f"- {limit}" for limit in [*_limits(header), *results.get("limits", [])]),
    ]
    return "\n\n".join(parts) + "\n"


def _measured_on(place: Path) -> str:
    if not (place / CALIBRATION).is_file():
        return ""
    with np.load(place / CALIBRATION, allow_pickle=False) as stored:
        return str(stored["measured_on"])


def _data(data: Mapping[str, Any]) -> list[str]:
    made = data["made"]
    return [
        f"Corpus `{data['name']}` (digest {data['digest']}).",
        _table(
            ("split", "clips", "hours", "speakers", "styles"),
            ((split, *facts.values()) for split, facts in data["splits"].items()),
        ),
        _table(("licence", "hours"), data["hours_by_licence"].items()),
        _table(("language", "hours"), data["hours_by_language"].items()),
        *(["How it was made:", _json(made)] if made else []),
    ]


def _mixed(data: Mapping[str, Any] | None) -> list[str]:
    if not data:
        return []
    told = f"One sample in {data['every']} is of the split `train` of another corpus:"
    return [told, *_data(data)]


def _earlier(trainings: Sequence[Mapping[str, Any]]) -> list[str]:
    if not trainings:
        return []
    rows = (
        (
            one["run"],
            one["network"],
            one["corpus"],
            f"{one['samples_seen']:,}",
            f"{one['hours']:.2f}",
        )
        for one in trainings
    )
    return [
        "It began with weights of these trainings, each before those that it began with itself:",
        _table(("training", "network", "corpus", "samples seen", "hours"), rows),
    ]


def _scores(header: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    if not results:
        metrics = dict(header["metrics"])
        split, chosen_by = metrics.pop("split"), metrics.pop("decided_by")
        note = f"Validation during training, split `{split}`; {chosen_by} chose the checkpoint."
        return [note, _table(("score", "value"), ((k, f"{v:.4g}") for k, v in metrics.items()))]
    contestants = results["contestants"]
    names = list(dict.fromkeys(name for who in contestants.values() for name in who["scores"]))
    rows = []
    for name in names:
        scores = [who["scores"].get(name, {}) for who in contestants.values()]
        unit = next((score["unit"] for score in scores if score), "")
        rows.append((name, unit, *map(_cell, scores)))
    return [f"```\n{results['command']}\n```", _table(("score", "unit", *contestants), rows)]


def _cell(score: Mapping[str, Any]) -> str:
    """A value with its interval, where there is one."""
    if score.get("value") is None:
        return ""
    interval = [score.get("low"), score.get("high")]
    told = " ({:.4g} to {:.4g})".format(*interval) if None not in interval else ""
    return f"{score['value']:.4g}{told}"


def _limits(header: Mapping[str, Any]) -> list[str]:
    data = header["data"]
    train = data["splits"]["train"]
    languages = ", ".join(data["hours_by_language"])
    return [
        f"It has seen {train['styles']} styles and {train['speakers']} voices "
        f"(languages: {languages}); others may come out worse.",
        "It learned the motion of its corpus, with the corpus's faults; see Data for whose motion "
        "that is.",
    ]


def _table(heads: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _json(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2)}\n```"


def _read(results: Path | None) -> Mapping[str, Any]:
    if results is None:
        return {}
    try:
        read = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"The results {results} cannot be read as JSON ({error}).") from error
    if not isinstance(read, dict) or not {"command", "contestants"} <= read.keys():
        raise ConfigError(
            f"{results} holds no results of an evaluation. Make them with `kinevox evaluate -o "
            "results.json`."
        )
    return read
