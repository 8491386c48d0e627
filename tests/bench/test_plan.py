"""Plans unfold into cases, and what cannot be measured is refused before anything starts."""

from __future__ import annotations

import pytest

from kinevox.bench.plan import Plan, Setup, parse_setup, usable_cores
from kinevox.errors import ConfigError, UnknownNameError


def test_a_plan_is_every_combination() -> None:
    plan = Plan(lengths=(4, 60), threads=(1, 0), batch_sizes=(1, 8))
    told = [(case.clip_seconds, case.setup.threads, case.batch_size) for case in plan.cases()]
    everything = usable_cores()
    assert told == [
        (seconds, threads, lines)
        for seconds in (4, 60)
        for threads in (1, everything)
        for lines in (1, 8)
    ]


def test_the_command_holds_every_option() -> None:
    assert Plan(lengths=(4.0, 0.5e3), transcript=True).command() == (
        "kinevox bench --lengths 4 500 --methods articulate --threads 0 --batch-sizes 1 "
        "--transcript --repeats 5 --frames 100"
    )
    pair = (Setup(threads=1), Setup(style="calm", transcript=True))
    assert Plan(lengths=(10,), compare=pair).command() == (
        "kinevox bench --lengths 10 --compare "
        "method=articulate,fps=25.0,threads=1,transcript=no "
        "method=articulate,style=calm,fps=25.0,threads=0,transcript=yes --repeats 5"
    )


@pytest.mark.parametrize("setup", [Setup(), Setup("articulate", "calm", 29.97, 1, True)])
def test_a_setup_reads_what_it_writes(setup: Setup) -> None:
    assert parse_setup(str(setup)) == setup


def test_options_of_a_method_keep_their_commas() -> None:
    setup = parse_setup("method=diffposetalk:r@steps=4,sampler=ddim,threads=1")
    assert setup == Setup("diffposetalk:r@steps=4,sampler=ddim", threads=1)
    assert parse_setup(str(setup)) == setup
    Plan(compare=(setup, Setup("diffposetalk@steps=500")))


def test_everything_wrong_is_listed_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Plan(lengths=(0.1,), threads=(10_000,), batch_sizes=(0,), repeats=0, frames=-1)
    for word in ("length 0.1 s", "threads 10000", "batch of 0", "repeats", "frames"):
        assert word in str(caught.value)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="articulate"):
        Plan(methods=("articulat",))
    with pytest.raises(UnknownNameError, match="articulate"):
        Plan(compare=(Setup(), Setup(method="articulat")))
    with pytest.raises(UnknownNameError, match="threads"):
        parse_setup("thread=1")


@pytest.mark.parametrize("text", ["threads=two", "transcript=maybe", "fps="])
def test_unusable_values_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not understood"):
        parse_setup(text)
