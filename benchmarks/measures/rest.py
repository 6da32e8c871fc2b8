"""Twenty lines a second to a thousand members: nothing can be batched, so the cost of one copy decides."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.jobs import FanOut
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import ROUND

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Row
    from benchmarks.servers.base import Running, Server

__all__ = ["REST"]

COLUMNS = (
    Column("deliveries per core-second", "deliveries_per_core_second"),
    Column("p50 ms", "p50_ms", 1),
    Column("p99 ms", "p99_ms", 1),
    Column("server's core %", "server_core_percent"),
    Column("generator's core %", "generator_core_percent"),
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=1000, help="people in the room")
    parser.add_argument("--rate", type=float, default=20.0, help="lines a second")
    parser.add_argument("--seconds", type=float, default=2.5, help="how long each round counts")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server has its turn")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(
            f"at rest, round {turn + 1}: {server.name}",
            4 + options.seconds,
            functools.partial(_rows, bench, server, turn, options),
        )
        for turn in range(options.rounds)
        for server in bench.servers
    ]


def _rows(bench: Bench, server: Server, turn: int, options: argparse.Namespace) -> Iterator[Row]:
    def job_for(started: Running) -> FanOut:
        return FanOut(
            *started.contact,
            members=options.members,
            rates=(options.rate,),
            seconds=options.seconds,
            warm_seconds=0.5,
        )

    return bench.rows("rest", server, job_for, lambda _figures: {"members": options.members, ROUND: turn})


REST = Measure(
    "rest", "At rest: 20 lines a second to 1,000 members", _arguments, _tasks, COLUMNS, "deliveries_per_core_second"
)
