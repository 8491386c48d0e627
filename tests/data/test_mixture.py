"""Corpora mixed in training: which windows are whose, and what cannot be mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_corpus import toy_corpus

from kinevox.data.mixture import Mixed, Mixture
from kinevox.data.normalize import motion_statistics
from kinevox.data.windows import Windows, WindowShape
from kinevox.errors import AssetError, ConfigError
from kinevox.motion import flame_layout


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Windows, Windows]:
    folders = (tmp_path_factory.mktemp(name) for name in ("most", "few"))
    most, few = (
        toy_corpus(f, clips=n).split("train") for f, n in zip(folders, (16, 8), strict=True)
    )
    statistics, shape = motion_statistics(most), WindowShape(40)
    return Windows(most, statistics, shape=shape), Windows(few, statistics, shape=shape, seed=1)


@pytest.mark.parametrize("every", [2, 3, 10])
def test_windows_of_both_come_in_their_order_and_none_is_left_out(
    both: tuple[Windows, Windows], every: int
) -> None:
    most, few = both
    mixture, of_most, of_few = Mixture(most, few, every), 0, 0
    for number in range(3 * every):
        if (number + 1) % every == 0:
            expected, of_few = few[of_few], of_few + 1
        else:
            expected, of_most = most[of_most], of_most + 1
        np.testing.assert_array_equal(mixture[number].motion, expected.motion)
        np.testing.assert_array_equal(mixture[number].samples, expected.samples)
    assert of_few == 3


def test_what_cannot_be_mixed(tmp_path: Path) -> None:
    faces = toy_corpus(tmp_path / "arkit", clips=4)
    other = toy_corpus(tmp_path / "flame", clips=4, layout=flame_layout(50))
    with pytest.raises(ConfigError, match=r"'flame' at 25 fps.*'arkit' at 25 fps"):
        Mixed(other, 10).check(faces)
    with pytest.raises(AssetError, match="no split 'train'"):
        Mixed(faces.split("valid"), 10).check(faces)
    with pytest.raises(ConfigError, match="One window in 1 "):
        Mixed(faces, 1)
