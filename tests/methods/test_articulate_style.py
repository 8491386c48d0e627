"""Style factors: presets, ranges, files."""

from __future__ import annotations

import json

import pytest

from kinevox.errors import ConfigError, UnknownNameError
from kinevox.methods.articulate.style import PRESETS, StyleFactors, load_style, save_style


def test_a_dozen_presets_differ_from_one_another():
    assert len(PRESETS) >= 12
    assert len(set(PRESETS.values())) == len(PRESETS)


def test_files_round_trip(tmp_path):
    path = tmp_path / "mine.style.json"
    save_style(PRESETS["wry"], path)
    assert load_style(path) == PRESETS["wry"]


def test_missing_factors_are_neutral(tmp_path):
    path = tmp_path / "mine.style.json"
    path.write_text('{"smile": 0.4}')
    assert load_style(path) == StyleFactors(smile=0.4)


def test_all_factors_out_of_range_are_listed():
    with pytest.raises(ConfigError, match=r"jaw_gain.*0\.3 to 1\.8.*blink_rate"):
        StyleFactors(jaw_gain=9.0, blink_rate=-1.0)


def test_near_name_is_suggested():
    with pytest.raises(UnknownNameError, match="Did you mean 'cheerful'"):
        load_style("cheerfull")


@pytest.mark.parametrize("text", ["", "[1, 2]", "not json", '{"smile": "wide"}', '{"smile": null}'])
def test_broken_files_are_explained(tmp_path, text):
    path = tmp_path / "broken.style.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_style(path)


def test_unknown_factor_names_the_nearest(tmp_path):
    path = tmp_path / "mine.style.json"
    path.write_text(json.dumps({"smiles": 0.1}))
    with pytest.raises(UnknownNameError, match="Did you mean 'smile'"):
        load_style(path)
