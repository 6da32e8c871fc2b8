"""Lines that nothing can be batched with: many small rooms with one in flight in each, and a lone pair."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.jobs import PingPong
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import ROUND

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Row
    from benchmarks.servers.base import Running, Server

__all__ = ["PAIR", "ROOMS"]


def _arguments(rooms: int, members: int, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rooms", type=int, default=rooms, help="how many rooms")
    parser.add_argument("--members", type=int, default=members, help="people in each")
    parser.add_argument("--seconds", type=float, default=1.2, help="how long each round counts")
    parser.add_argument("--text-bytes", type=int, default=32, help="length of each text")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server has its turn")


def _tasks(name: str, bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(
            f"{name}, round {turn + 1}: {server.name}",
            3 + options.seconds,
            functools.partial(_rows, name, bench, server, turn, options),
        )
        for turn in range(options.rounds)
        for server in bench.servers
    ]


def _rows(name: str, bench: Bench, server: Server, turn: int, options: argparse.Namespace) -> Iterator[Row]:
    def job_for(started: Running) -> PingPong:
        return PingPong(
            *started.contact,
            rooms=options.rooms,
            members=options.members,
            seconds=options.seconds,
            text_bytes=options.text_bytes,
        )

    setting = {"rooms": options.rooms, "members": options.members, ROUND: turn}
    return bench.rows(name, server, job_for, lambda _figures: setting)


ROOMS = Measure(
    "rooms",
    "500 rooms of 4, one line in flight in each",
    functools.partial(_arguments, 500, 4),
    functools.partial(_tasks, "rooms"),
    (
        Column("deliveries per core-second", "deliveries_per_core_second"),
        Column("lines per core-second", "lines_per_core_second"),
        Column("deliveries/s", "deliveries_per_second"),
        Column("p50 ms", "p50_ms", 1),
        Column("p99 ms", "p99_ms", 1),
        Column("server's core %", "server_core_percent"),
        Column("generator's core %", "generator_core_percent"),
    ),
    "deliveries_per_core_second",
)
PAIR = Measure(
    "pair",
    "A lone pair: from saying a line until both have it",
    functools.partial(_arguments, 1, 2),
    functools.partial(_tasks, "pair"),
    (
        Column("p50 ms", "p50_ms", 3),
        Column("p99 ms", "p99_ms", 3),
        Column("lines/s", "lines_per_second"),
        Column("server's core %", "server_core_percent"),
    ),
)
