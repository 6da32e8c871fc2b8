"""One room: how much is delivered, how late, at which cost, by members and offered load."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.jobs import FanOut
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import OFFERED, ROUND

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Figures, Row, Setting
    from benchmarks.servers.base import Running, Server

__all__ = ["COLUMNS", "FANOUT", "LADDER", "P99_LIMIT_MS"]

LADDER = (100, 500, 1000, 2000, 3000, 5000, 7000, 10_000, 20_000, 30_000, 50_000, 65_000, 80_000)
"""Lines a second, upwards until the server can't: its limit lies between the last two."""
P99_LIMIT_MS = 100.0
MOST_COPIES_PER_SECOND = 30_000_000
"""No server comes near; there is no use in offering more."""
COLUMNS = (
    Column("lines/s", "lines_per_second"),
    Column("deliveries/s", "deliveries_per_second"),
    Column("per core-second", "deliveries_per_core_second"),
    Column("p50 ms", "p50_ms", 1),
    Column("p99 ms", "p99_ms", 1),
    Column("server's core %", "server_core_percent"),
    Column("generator's core %", "generator_core_percent"),
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, nargs="+", default=[100, 1000], help="people in the room")
    parser.add_argument("--senders", type=int, default=10, help="how many of them talk")
    parser.add_argument("--rate", type=float, nargs="+", help="lines a second; by default ever more")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each rate counts")
    parser.add_argument("--text-bytes", type=int, default=32, help="length of each text")
    parser.add_argument("--rounds", type=int, default=1, help="how often each server has its turn")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(
            f"fan-out to {members:,}, round {turn + 1}: {server.name}",
            4 + 5 * options.seconds,
            functools.partial(_rows, bench, server, members, turn, options),
        )
        for members in options.members
        for turn in range(options.rounds)
        for server in bench.servers
    ]


def _rows(bench: Bench, server: Server, members: int, turn: int, options: argparse.Namespace) -> Iterator[Row]:
    ladder = [rate for rate in LADDER if rate * members <= MOST_COPIES_PER_SECOND]

    def job_for(started: Running) -> FanOut:
        return FanOut(
            *started.contact,
            members=members,
            senders=options.senders,
            rates=tuple(options.rate or ladder),
            seconds=options.seconds,
            warm_seconds=min(1.0, options.seconds / 3),
            text_bytes=options.text_bytes,
            p99_limit_ms=P99_LIMIT_MS,
            climbing=not options.rate,
        )

    def setting_of(figures: Figures) -> Setting:
        return {"members": members, OFFERED: int(figures.get("offered_lines_per_second", 0)), ROUND: turn}

    return bench.rows("fanout", server, job_for, setting_of)


FANOUT = Measure("fanout", "One room, ten of its members talk, ever faster", _arguments, _tasks, COLUMNS, climbs=True)
