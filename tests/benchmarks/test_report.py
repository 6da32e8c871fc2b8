from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import Row, medians, row_of, wrongs

if TYPE_CHECKING:
    import argparse


def _row(server: str, turn: int, cost: float, **more: float) -> Row:
    return Row("rest", server, {"members": 10, "round": turn}, {"cost": cost, **more})


def _no_tasks(_bench: Bench, _options: argparse.Namespace) -> list[Task]:
    return []


MEASURE = Measure("rest", "At rest", lambda _parser: None, _no_tasks, (Column("cost", "cost"),), "cost")


def test_rounds_become_their_median() -> None:
    """One row for each server, with the middle figure and without the round."""
    (row,) = medians([_row("a", turn, cost) for turn, cost in enumerate((1.0, 9.0, 2.0))])
    assert row.figures == {"cost": 2.0}
    assert row.setting == {"members": 10}


def test_a_row_of_a_busy_generator_is_not_usable() -> None:
    """It says why, and another round of the same is preferred."""
    busy = row_of("rest", "a", {"round": 0}, {"cost": 1.0, "generator_core_percent": 95.0})
    good = row_of("rest", "a", {"round": 1}, {"cost": 2.0, "generator_core_percent": 50.0})
    assert not busy.usable
    assert "95 % busy" in busy.note
    assert medians([busy, good])[0].figures["cost"] == 2.0


def test_the_ratio_is_taken_within_a_round() -> None:
    """The floor of the same minute is what a figure is compared with."""
    rows = [_row("c-floor", 0, 100), _row("a", 0, 50), _row("c-floor", 1, 200), _row("a", 1, 100)]
    text = report.text([MEASURE], rows, {"processor": "a test"})
    assert "| a | 10 | 75 | 0.50 |  |" in text


def test_the_best_row_is_the_most_that_came_in_time() -> None:
    """More that came late, or that the server did not keep up with, does not count."""

    def row(rate: float, lines: float, p99: float) -> Row:
        figures = {"offered_lines_per_second": rate, "lines_per_second": lines, "p99_ms": p99}
        return Row("fanout", "a", {"members": 10}, {**figures, "deliveries_per_second": 10 * lines})

    rows = [row(100, 100, 5), row(200, 200, 50), row(300, 300, 500), row(400, 250, 50)]
    assert report.best_rows(rows) == [rows[1]]


def test_what_is_wrong_is_named() -> None:
    """Zeros are no wrongs."""
    assert wrongs(_row("a", 0, 1, lost=0, doubled=3)) == {"doubled": 3}


def test_the_data_can_be_read_by_anyone() -> None:
    """NaN is not JSON."""
    rows = json.loads(report.data([_row("a", 0, float("nan"))], {}))["rows"]
    assert rows[0]["figures"] == {"cost": None}
