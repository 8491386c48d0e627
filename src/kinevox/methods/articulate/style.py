"""How a performer speaks: explicit style factors, named presets, and their files.

Every factor has a neutral value and a range; a factor means the same for every recording, so a
style can be named, edited by hand, measured and drawn at random.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from kinevox.errors import ConfigError, UnknownNameError
from kinevox.files import written_whole

SUFFIX = ".style.json"
"""Ending of a style file."""


def _factor(neutral: float, low: float, high: float) -> Any:
    return field(default=neutral, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class StyleFactors:
    """One way of speaking. Defaults are a relaxed, friendly speaker.

    Raises:
        ConfigError: a factor lies outside its range; all such factors are listed at once.
    """

    jaw_gain: float = _factor(1.0, 0.3, 1.8)
    """How far the jaw moves (the jaw axis of JALI)."""
    lip_gain: float = _factor(1.0, 0.3, 1.8)
    """How far the lips move by themselves (the lip axis of JALI)."""
    rounding: float = _factor(1.0, 0.3, 1.6)
    """How strongly lips round and protrude."""
    mumble: float = _factor(0.0, 0.0, 1.0)
    """Smears articulation: 0 crisp, 1 barely moving. Closures still close."""
    lip_press: float = _factor(0.35, 0.0, 1.0)
    """How hard the lips press together on p, b and m."""
    lip_parting: float = _factor(0.0, 0.0, 4.0)
    """Lips rest this far apart in pauses [mm]."""
    smile: float = _factor(0.08, -0.5, 0.7)
    """Raised corners of the mouth; negative is a frown."""
    asymmetry: float = _factor(0.0, -1.0, 1.0)
    """Which side does more: 1 only the character's left, -1 only the right."""
    squint: float = _factor(0.0, 0.0, 0.7)
    """Narrowed eyes."""
    brow_height: float = _factor(0.0, -0.6, 0.6)
    """Resting brows: positive raised, negative lowered."""
    brow_activity: float = _factor(1.0, 0.0, 2.5)
    """How much the brows mark accents."""
    blink_rate: float = _factor(17.0, 0.0, 50.0)
    """Blinks per minute."""
    gaze_wander: float = _factor(1.0, 0.0, 3.0)
    """How far the eyes leave the listener."""
    head_amplitude: float = _factor(1.0, 0.0, 2.5)
    """How far the head moves."""
    head_tempo: float = _factor(1.0, 0.5, 2.0)
    """How quickly it moves."""
    nod_on_accent: float = _factor(1.0, 0.0, 2.5)
    """How much the head nods on stressed syllables."""
    pitch_bias: float = _factor(0.0, -0.25, 0.25)
    """Resting head pitch [rad]; positive looks down."""
    yaw_bias: float = _factor(0.0, -0.35, 0.35)
    """Resting head yaw [rad]; positive turns to the character's left."""
    tilt_bias: float = _factor(0.0, -0.25, 0.25)
    """Resting head roll [rad]; positive tilts to the character's right."""

    def __post_init__(self) -> None:
        wrong = [
            f"{item.name} is {getattr(self, item.name)!r}, allowed "
            f"{item.metadata['low']} to {item.metadata['high']}"
            for item in fields(self)
            if not item.metadata["low"] <= getattr(self, item.name) <= item.metadata["high"]
        ]
        if wrong:
            raise ConfigError("Style factors out of range: " + "; ".join(wrong) + ".")


STYLE_FACTORS: dict[str, tuple[float, float]] = {
    item.name: (item.metadata["low"], item.metadata["high"]) for item in fields(StyleFactors)
}
"""Every factor with its range."""

PRESETS: dict[str, StyleFactors] = {
    "neutral": StyleFactors(),
    "calm": StyleFactors(
        jaw_gain=0.85, head_amplitude=0.6, head_tempo=0.75, brow_activity=0.5, blink_rate=11.0,
        nod_on_accent=0.6, gaze_wander=0.6,
    ),
    "lively": StyleFactors(
        jaw_gain=1.2, lip_gain=1.2, smile=0.2, brow_activity=1.9, head_amplitude=1.4,
        head_tempo=1.2, nod_on_accent=1.5, gaze_wander=1.3, blink_rate=22.0,
    ),
    "cheerful": StyleFactors(
        jaw_gain=1.1, lip_gain=1.2, smile=0.5, squint=0.12, brow_height=0.15, brow_activity=1.4,
        head_amplitude=1.3, head_tempo=1.15, tilt_bias=0.06,
    ),
    "sad": StyleFactors(
        jaw_gain=0.7, lip_gain=0.75, smile=-0.35, brow_height=0.25, brow_activity=0.4,
        head_amplitude=0.6, head_tempo=0.65, nod_on_accent=0.5, pitch_bias=0.13, tilt_bias=0.05,
        blink_rate=20.0, gaze_wander=1.4,
    ),
    "stern": StyleFactors(
        jaw_gain=0.9, lip_gain=1.1, lip_press=0.8, smile=-0.2, squint=0.25, brow_height=-0.45,
        brow_activity=0.7, head_amplitude=0.7, nod_on_accent=1.5, pitch_bias=0.05, blink_rate=8.0,
        gaze_wander=0.3,
    ),
    "mumbling": StyleFactors(
        jaw_gain=0.6, lip_gain=0.6, rounding=0.7, mumble=0.65, lip_press=0.15,
        head_amplitude=0.7, brow_activity=0.4, pitch_bias=0.07, gaze_wander=1.6,
    ),
    "precise": StyleFactors(
        jaw_gain=1.25, lip_gain=1.4, rounding=1.35, lip_press=0.7, head_amplitude=0.8,
        nod_on_accent=1.2,
    ),
    "newsreader": StyleFactors(
        jaw_gain=1.05, lip_gain=1.1, smile=0.1, head_amplitude=0.75, head_tempo=0.9,
        nod_on_accent=1.9, brow_activity=1.1, gaze_wander=0.2, blink_rate=14.0,
    ),
    "storyteller": StyleFactors(
        jaw_gain=1.2, lip_gain=1.15, rounding=1.2, smile=0.15, brow_height=0.1,
        brow_activity=2.2, head_amplitude=1.8, head_tempo=0.85, tilt_bias=-0.05, gaze_wander=1.5,
    ),
    "nervous": StyleFactors(
        jaw_gain=0.85, lip_press=0.6, asymmetry=0.2, brow_height=0.3, brow_activity=1.2,
        head_amplitude=0.9, head_tempo=1.8, nod_on_accent=0.6, gaze_wander=2.4, blink_rate=36.0,
    ),
    "sleepy": StyleFactors(
        jaw_gain=0.7, lip_gain=0.7, mumble=0.35, squint=0.55, brow_height=-0.1,
        brow_activity=0.3, head_amplitude=0.8, head_tempo=0.5, nod_on_accent=0.4, pitch_bias=0.1,
        blink_rate=26.0, lip_parting=1.0,
    ),
    "wry": StyleFactors(
        smile=0.25, asymmetry=0.7, squint=0.15, brow_height=0.05, brow_activity=1.3,
        tilt_bias=0.09, yaw_bias=-0.1, head_amplitude=0.9,
    ),
}  # fmt: skip
"""Named styles. `neutral` is the default."""


def load_style(source: str | Path | None) -> StyleFactors:
    """A preset by name, or factors from a JSON file; None is `neutral`.

    Factors missing from a file keep their neutral value.

    Raises:
        UnknownNameError: neither a preset nor an existing file, or an unknown factor.
        ConfigError: the file is not a JSON object of numbers within their ranges.
    """
    if source is None:
        return PRESETS["neutral"]
    if str(source) in PRESETS:
        return PRESETS[str(source)]
    path = Path(source)
    if not path.is_file():
        raise UnknownNameError("style", str(source), PRESETS, files=f"a file *{SUFFIX}")
    try:
        factors = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigError(
            f"{path} is not JSON ({error}). A style file holds factors such as "
            '{"smile": 0.3}; `kinevox styles show neutral --json` prints one to start from.'
        ) from None
    if not isinstance(factors, dict):
        raise ConfigError(f"{path} holds a {type(factors).__name__}; expected factors by name.")
    known = [item.name for item in fields(StyleFactors)]
    for name in factors:
        if name not in known:
            raise UnknownNameError(f"style factor in {path}", name, known)
        if isinstance(factors[name], bool) or not isinstance(factors[name], int | float):
            raise ConfigError(f"{path}: '{name}' is {factors[name]!r}; expected a number.")
    return StyleFactors(**{name: float(value) for name, value in factors.items()})


def mixed(styles: Sequence[StyleFactors], weights: Sequence[float]) -> StyleFactors:
    """Every factor between those of these styles, by weights that add up to 1."""
    factors = {}
    for item in fields(StyleFactors):
        values = [getattr(style, item.name) for style in styles]
        mean = sum(weight * value for weight, value in zip(weights, values, strict=True))
        # Rounding must not leave the range.
        factors[item.name] = min(max(mean, min(values)), max(values))
    return StyleFactors(**factors)


def save_style(style: StyleFactors, path: str | Path) -> None:
    """Writes all factors as JSON."""
    with written_whole(Path(path)) as temporary:
        temporary.write_text(json.dumps(asdict(style), indent=2) + "\n", encoding="utf-8")
