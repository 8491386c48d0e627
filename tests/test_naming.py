"""Names of results: every recording, take and format has its own, and no source is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinevox.errors import ConfigError, UnknownNameError
from kinevox.naming import plan_outputs

HI, YO = Path("in/hi.wav"), Path("in/yo.wav")


def names(*args, **options) -> list[list[list[str]]]:
    return [
        [[p.as_posix() for p in row] for row in rows] for rows in plan_outputs(*args, **options)
    ]


def test_one_recording_and_one_take_get_plain_names() -> None:
    assert names([HI], ["a.glb", "b.csv"]) == [[["a.glb", "b.csv"]]]


def test_later_takes_are_numbered_before_the_whole_suffix() -> None:
    assert names([HI], ["a.flame.npz"], takes=3) == [
        [["a.flame.npz"], ["a_take2.flame.npz"], ["a_take3.flame.npz"]]
    ]


def test_patterns() -> None:
    assert names([HI, YO], ["out/{name}-{take}.csv"], takes=2) == [
        [["out/hi-1.csv"], ["out/hi-2.csv"]],
        [["out/yo-1.csv"], ["out/yo-2.csv"]],
    ]


def test_what_cannot_be_filled_in_is_no_name() -> None:
    with pytest.raises(ConfigError, match=r"\{seed\}; what can be filled in is \{name\}"):
        plan_outputs([HI], ["out/{name}_{seed}.npz"])


def test_folders(tmp_path: Path) -> None:
    assert names([HI, YO], ["out/"]) == [[["out/hi.glb"]], [["out/yo.glb"]]]
    assert names([HI], [tmp_path]) == [[[f"{tmp_path.as_posix()}/hi.glb"]]]


@pytest.mark.parametrize(
    ("sources", "output"),
    [([HI, YO], "face.glb"), ([HI, Path("other/hi.mp3")], "out/{name}.glb")],
)
def test_results_never_share_a_file(sources: list[Path], output: str) -> None:
    with pytest.raises(ConfigError, match="Several results would be written"):
        plan_outputs(sources, [output])


def test_a_source_is_never_replaced() -> None:
    with pytest.raises(ConfigError, match="replaced by its own result"):
        plan_outputs([Path("in/x.glb")], ["in/../in/x.glb"])


def test_unknown_formats_are_refused_before_any_work() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        plan_outputs([HI], ["a.gbl"])
