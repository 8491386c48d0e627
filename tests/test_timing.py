"""Stages add up, and nobody pays for them unless somebody listens."""

from __future__ import annotations

import threading
import time

import pytest

from kinevox.timing import OTHER, Spent, clocks, stage, timed


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_stages_add_up_to_the_whole() -> None:
    start = clocks()[0]
    with timed() as spent:
        busy(0.02)
        with stage("outer"):
            busy(0.02)
            with stage("inner"):
                busy(0.04)
            busy(0.02)
        with stage("inner"):
            busy(0.02)
    whole = clocks()[0] - start
    assert list(spent) == [OTHER, "outer", "inner"]
    assert sum(one.wall for one in spent.values()) == pytest.approx(whole, rel=0.05, abs=2e-3)
    # An inner stage is taken off the outer one, and a stage entered again goes on.
    assert spent["outer"].wall >= 0.04 and spent["inner"].wall >= 0.06
    assert spent["outer"].wall + spent["inner"].wall <= whole - 0.02


def test_sleep_costs_no_processor() -> None:
    with timed() as spent, stage("sleep"):
        time.sleep(0.1)
    assert spent["sleep"].wall >= 0.1 > 0.05 > spent["sleep"].cpu


def test_without_a_listener_nothing_is_kept() -> None:
    with timed() as spent:
        pass
    with stage("late"):
        pass
    assert list(spent) == [OTHER]


def test_an_error_closes_its_stages() -> None:
    with timed() as spent:
        with pytest.raises(ValueError), stage("outer"), stage("inner"):
            raise ValueError
        busy(0.01)
    assert spent[OTHER].wall >= 0.01


def test_a_listener_inside_a_listener_takes_over() -> None:
    with timed() as outer, stage("a"):
        with timed() as inner, stage("b"):
            pass
        with stage("c"):
            pass
    assert list(inner) == [OTHER, "b"] and list(outer) == [OTHER, "a", "c"]


def test_other_threads_are_not_listened_to() -> None:
    def work() -> None:
        with stage("elsewhere"):
            pass

    with timed() as spent:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert spent == {OTHER: Spent(spent[OTHER].wall, spent[OTHER].cpu)}
