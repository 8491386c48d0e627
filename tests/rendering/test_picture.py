"""Lettering and contact sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_motion, vowel

from kinevox.errors import ConfigError
from kinevox.motion import Motion, flame_layout
from kinevox.rendering.curves import PAGE_SECONDS, CurveStrip
from kinevox.rendering.picture import Caption, contact_sheet

pytest.importorskip("PIL", reason="Lettering needs the extra 'render'.")


def test_contact_sheet_places_pictures_in_rows(tmp_path: Path) -> None:
    from PIL import Image

    cells = [np.full((60, 80, 3), 40 * k, np.uint8) for k in range(1, 6)]
    contact_sheet(cells, [""] * 5, 3, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (120, 240, 3)
    assert [sheet[30, x, 0] for x in (40, 120, 200)] == [40, 80, 120]
    assert [sheet[90, x, 0] for x in (40, 120)] == [160, 200]


@pytest.mark.parametrize(
    ("shapes", "labels", "columns"),
    [([], 0, 2), ([(4, 4, 3), (4, 6, 3)], 2, 2), ([(4, 4, 3)], 2, 1), ([(64, 64, 3)], 1, 0)],
)
def test_contact_sheet_says_what_does_not_fit(
    tmp_path: Path, shapes: list, labels: int, columns: int
) -> None:
    cells = [np.zeros(shape, np.uint8) for shape in shapes]
    with pytest.raises(ConfigError, match="contact sheet"):
        contact_sheet(cells, ["x"] * labels, columns, tmp_path / "sheet.png")


@pytest.mark.parametrize("text", ["calm", "a very long label that no narrow picture can hold"])
def test_caption_stays_inside_and_is_bright(text: str) -> None:
    picture = np.full((200, 160, 3), 90, np.uint8)
    Caption(text, (160, 200)).stamp(picture)
    assert (picture[:150] == 90).all()
    assert picture[150:].max() > 200
    assert (picture[176:, :2] <= 90).all() and (picture[176:, -2:] <= 90).all()


def test_cursor_moves_and_pages_turn() -> None:
    strip = CurveStrip(toy_motion(300), vowel(12), (320, 120))
    start, later, turned = (strip.draw(t).astype(int) for t in (0.0, 2.0, PAGE_SECONDS + 0.5))
    assert start.shape == (120, 320, 3)
    columns = np.flatnonzero(np.abs(later - start)[:90].max(axis=(0, 2)) > 30)
    assert 1 <= len(columns) <= 4
    assert (np.abs(turned - start).max(axis=-1) > 30).mean() > 0.02


def test_other_layouts_show_their_liveliest_channels() -> None:
    layout = flame_layout()
    values = np.zeros((50, layout.num_channels), np.float32)
    values[:, layout.index("jaw_x")] = np.sin(np.arange(50))
    strip = CurveStrip(Motion(values, layout=layout), None, (320, 120))
    assert strip.draw(0.0).std() > 5
