"""Ten thousand people come: how long until each is in, and what each costs in memory while idle."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.jobs import Arrivals
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.processes import raise_file_limit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Row
    from benchmarks.servers.base import Running, Server

__all__ = ["CROWD"]

SPARE_FILES = 200
MOST_TOLD = 1000
"""How many may be in a room where each is told of each: half a million lines."""
COLUMNS = (
    Column("all in, s", "seconds", 1),
    Column("settled, s", "settled_seconds", 1),
    Column("kB a member", "bytes_per_member", 1, 0.001),
    Column("MB in all", "resident_bytes", 1, 1e-6),
    Column("server's core %", "server_core_percent"),
    Column("generator's core %", "generator_core_percent"),
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--people", type=int, nargs="+", default=[10_000], help="how many come: one number, or one for each of --rooms"
    )
    parser.add_argument("--rooms", type=int, nargs="+", default=[100, 1], help="into how many rooms")
    parser.add_argument("--at-once", type=int, help="how many may be on their way at the same time")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    most = raise_file_limit() - SPARE_FILES
    each = options.people * len(options.rooms) if len(options.people) == 1 else options.people
    return [
        Task(
            f"{people:,} people come into {rooms} rooms: {server.name}",
            15,
            functools.partial(_rows, bench, server, people, rooms, options.at_once),
        )
        for people, rooms in zip((min(most, people) for people in each), options.rooms, strict=True)
        for server in bench.servers
        if people / rooms <= MOST_TOLD or not _tells_everybody(server)
    ]


def _tells_everybody(server: Server) -> bool:
    """IRC tells every arrival to the whole room: 10,000 in one room are 50 million lines."""
    return server.dialect.startswith("irc")


def _rows(bench: Bench, server: Server, people: int, rooms: int, at_once: int | None) -> Iterator[Row]:
    def job_for(started: Running) -> Arrivals:
        port, dialect, pid, usual = started.contact
        return Arrivals(port, dialect, pid, at_once or usual, people=people, rooms=rooms)

    return bench.rows("crowd", server, job_for, lambda _figures: {"people": people, "rooms": rooms})


CROWD = Measure("crowd", "10,000 people come, and stay idle", _arguments, _tasks, COLUMNS)
