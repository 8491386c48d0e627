"""Lettering and sheets of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from kinevox.errors import ConfigError, MissingExtraError
from kinevox.files import written_whole

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

INK = (236, 238, 240)
PAPER = (24, 26, 29)


class Caption:
    """A line of text laid over the lower edge of a picture, drawn once."""

    def __init__(self, text: str, size: tuple[int, int]):
        from PIL import Image, ImageDraw

        width, height = size
        pixels = max(round(height / 26), 12)
        letters = font(pixels)
        rows = pixels * 2
        mask = Image.new("L", (width, rows), 0)
        draw = ImageDraw.Draw(mask)
        draw.text((width / 2, rows / 2), _fitted(text, letters, 0.94 * width), 255, letters, "mm")
        shade = np.linspace(0, 0.45, rows)[:, None, None]
        ink = np.asarray(mask, dtype=np.float32)[..., None] / 255
        self._keep = ((1 - shade) * (1 - ink)).astype(np.float32)
        self._add: Float[np.ndarray, "rows width 3"] = ink * np.array(INK, np.float32)
        self._rows = slice(height - rows, height)

    def stamp(self, picture: UInt8[np.ndarray, "height width 3"]) -> None:
        """Writes the text into the picture."""
        under = picture[self._rows]
        picture[self._rows] = (under * self._keep + self._add).astype(np.uint8)


def contact_sheet(
    images: Sequence[UInt8[np.ndarray, "height width 3"]],
    labels: Sequence[str],
    columns: int,
    path: Path,
) -> None:
    """Saves labelled pictures of one size as a grid.

    Raises:
        ConfigError: nothing to show, sizes differ, or labels and pictures do not match.
    """
    sizes = sorted({image.shape[1::-1] for image in images})
    if len(sizes) != 1 or len(images) != len(labels):
        raise ConfigError(
            f"A contact sheet needs pictures of one size with a label each; got {len(images)} "
            f"pictures of sizes {sizes} and {len(labels)} labels."
        )
    if columns < 1:
        raise ConfigError(f"A contact sheet of {columns} columns; at least 1 is needed.")
    from PIL import Image

    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = np.full((rows * height, min(columns, len(images)) * width, 3), PAPER, np.uint8)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = divmod(place, columns)
        cell = image.copy()
        if label:
            Caption(label, (width, height)).stamp(cell)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = cell
    with written_whole(Path(path)) as temporary:
        Image.fromarray(sheet).save(temporary)


def font(pixels: int) -> FreeTypeFont | ImageFont:
    """Pillow's own typeface, so that no font of the system is needed."""
    try:
        from PIL import ImageFont
    except ImportError:
        raise MissingExtraError("Lettering", "render") from None
    return ImageFont.load_default(pixels)


def _fitted(text: str, letters: FreeTypeFont | ImageFont, width: float) -> str:
    """The text, shortened with dots where it is wider than the picture."""
    if letters.getlength(text) <= width:
        return text
    while text and letters.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
