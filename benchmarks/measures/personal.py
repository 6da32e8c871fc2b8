"""A busy room whose members have each asked for something of their own, and so may be shown other bytes each.

Only this project's daemons, in plain text: a bell and ignoring are commands of it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.jobs import FanOut
from benchmarks.load.manners import MANNERS
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import OFFERED, ROUND

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Figures, Row, Setting
    from benchmarks.servers.base import Running, Server

__all__ = ["PERSONAL"]

DRAIN_SECONDS = 30.0
"""How long lines may still be on their way, so that a delay of 20 s is measured and not cut off."""
STALLED_SECONDS = 10.0
"""A server that renders for everybody one by one is silent for seconds between two batches."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=1000, help="people in the room")
    parser.add_argument("--rate", type=float, nargs="+", default=[10_000.0], help="lines a second")
    parser.add_argument("--manners", nargs="+", choices=MANNERS, default=list(MANNERS), help="what is personal")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each counts")
    parser.add_argument("--text-bytes", type=int, default=64, help="length of each text")
    parser.add_argument("--rounds", type=int, default=1, help="how often each server has its turn")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(
            f"{manner}, {rate:,.0f} lines/s to {options.members:,}, round {turn + 1}: {server.name}",
            6 + 3 * options.seconds,
            functools.partial(_rows, bench, server, manner, rate, turn, options),
        )
        for turn in range(options.rounds)
        for rate in options.rate
        for manner in options.manners
        for server in bench.servers
        if server.checkout and server.dialect == "plain"
    ]


def _rows(
    bench: Bench, server: Server, manner: str, rate: float, turn: int, options: argparse.Namespace
) -> Iterator[Row]:
    def job_for(started: Running) -> FanOut:
        return FanOut(
            *started.contact,
            members=options.members,
            rates=(rate,),
            seconds=options.seconds,
            text_bytes=options.text_bytes,
            drain_seconds=DRAIN_SECONDS,
            stalled_seconds=STALLED_SECONDS,
            manner=manner,
        )

    def setting_of(_figures: Figures) -> Setting:
        return {"members": options.members, OFFERED: int(rate), "all have": manner, ROUND: turn}

    return bench.rows("personal", server, job_for, setting_of)


PERSONAL = Measure(
    "personal",
    "One room whose members all have a bell on, or each ignore somebody else",
    _arguments,
    _tasks,
    (
        Column("deliveries/s", "deliveries_per_second"),
        Column("p50 ms", "p50_ms", 1),
        Column("p99 ms", "p99_ms", 1),
        Column("complete", "complete"),
        Column("outstanding", "outstanding"),
        Column("lost", "lost"),
        Column("doubled", "doubled"),
        Column("reordered", "reordered"),
        Column("MB before", "resident_before_bytes", 1, 1e-6),
        Column("MB after", "resident_after_bytes", 1, 1e-6),
        Column("MB at most", "peak_bytes", 1, 1e-6),
        Column("server's core %", "server_core_percent"),
        Column("generator's core %", "generator_core_percent"),
    ),
)
