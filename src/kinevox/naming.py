"""Where results go: file names for every recording, take and format of one call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kinevox.errors import ConfigError
from kinevox.export import exporter_for

FOLDER_FORMAT = ".glb"
"""What a folder given as an output receives."""


def plan_outputs(
    sources: Sequence[Path], outputs: Sequence[str | Path], takes: int = 1
) -> list[list[tuple[Path, ...]]]:
    """Output files for each source and each of its takes, checked before any work starts.

    An output is a file (`face.glb`), a folder (`out/`, which receives `{name}.glb`) or a pattern
    with `{name}` (the source without its suffix) and `{take}` (from 1). Later takes of a pattern
    without `{take}` are called `_take2`, `_take3`, ...

    Raises:
        ConfigError: two results would share a file, a result would replace a source, or a pattern
            has other names in braces.
        UnknownNameError: no format has that suffix.
        MotionError: the format cannot be written.
    """
    patterns = [_pattern(output) for output in outputs]
    for pattern in patterns:
        exporter_for(Path(pattern).name, writing=True)
    plan = [
        [tuple(_fill(p, source, take) for p in patterns) for take in range(1, takes + 1)]
        for source in sources
    ]
    _check(sources, [path for rows in plan for row in rows for path in row])
    return plan


def _pattern(output: str | Path) -> str:
    text = str(output)
    unknown = sorted(set(re.findall(r"\{\w*\}", text)) - {"{name}", "{take}"})
    if unknown:
        raise ConfigError(
            f"{text} contains {', '.join(unknown)}; what can be filled in is {{name}}, the "
            "recording, and {take}, from 1."
        )
    if text.endswith(("/", "\\")) or Path(text).is_dir():
        return str(Path(text) / f"{{name}}{FOLDER_FORMAT}")
    return text


def _fill(pattern: str, source: Path, take: int) -> Path:
    filled = pattern.replace("{name}", source.stem).replace("{take}", str(take))
    if take == 1 or "{take}" in pattern:
        return Path(filled)
    path = Path(filled)
    suffixes = exporter_for(path)[1].suffixes
    suffix = max((s for s in suffixes if path.name.lower().endswith(s)), key=len)
    return path.with_name(f"{path.name[: -len(suffix)]}_take{take}{path.name[-len(suffix) :]}")


def _check(sources: Sequence[Path], paths: Sequence[Path]) -> None:
    counts = Counter(path.resolve() for path in paths)
    shared = sorted({path.name for path in paths if counts[path.resolve()] > 1})
    if shared:
        raise ConfigError(
            f"Several results would be written to {', '.join(shared)}. "
            "Use a pattern such as 'out/{name}.glb', and give recordings different names."
        )
    inputs = {source.resolve() for source in sources}
    replaced = sorted({str(path) for path in paths if path.resolve() in inputs})
    if replaced:
        raise ConfigError(
            f"{', '.join(replaced)} would be replaced by its own result. Name another output."
        )
