"""Seconds only, and no word about time: whether anything is lost, doubled or reordered, or anyone let go."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.jobs import Arrivals, FanOut, PingPong
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import OFFERED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from benchmarks.load.jobs import Job
    from benchmarks.results import Row
    from benchmarks.servers.base import Running, Server

__all__ = ["SMOKE"]


def _fan_out(started: Running) -> Job:
    return FanOut(*started.contact, members=60, senders=5, rates=(20, 500, 3000), seconds=0.7, warm_seconds=0.1)


def _rooms(started: Running) -> Job:
    return PingPong(*started.contact, rooms=10, members=4, seconds=0.5, warm_seconds=0.1)


def _arrivals(started: Running) -> Job:
    return Arrivals(*started.contact, people=200, rooms=10, limit_seconds=20)


_JOBS: dict[str, Callable[[Running], Job]] = {"fan-out": _fan_out, "rooms": _rooms, "arrivals": _arrivals}


def _tasks(bench: Bench, _options: argparse.Namespace) -> list[Task]:
    return [
        Task(f"{name}: {server.name}", 4, functools.partial(_rows, bench, server, name))
        for server in bench.servers
        for name in _JOBS
    ]


def _rows(bench: Bench, server: Server, name: str) -> Iterator[Row]:
    return bench.rows("smoke", server, _JOBS[name], lambda figures: {"job": name} | _rate(figures))


def _rate(figures: dict[str, float | int | str | bool]) -> dict[str, float | int | str]:
    return {OFFERED: figures["offered_lines_per_second"]} if "offered_lines_per_second" in figures else {}


SMOKE = Measure(
    "smoke",
    "Nothing lost, doubled or reordered",
    lambda _parser: None,
    _tasks,
    (Column("said", "said"), Column("samples", "samples"), Column("people", "people")),
)
