"""Every recording has random numbers of its own, which follow from its name."""

from __future__ import annotations

from kinevox.seeds import seed_for


def test_recordings_differ_and_so_do_seeds() -> None:
    lines = {seed_for(f"line{k}", seed) for k in range(50) for seed in range(20)}
    assert len(lines) == 1000


def test_it_is_the_same_everywhere() -> None:
    assert seed_for("line", 3) == 3518114147
    assert 0 <= seed_for("päivää", 2**40) < 2**32
