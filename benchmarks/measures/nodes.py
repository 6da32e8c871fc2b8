"""Two nodes over a database beside one: how late a line is, what a delivery costs, how fast a crowd comes in.

All of it runs on one machine: where that has two cores, the nodes, the database and the load generator share them, and
only processor time and proportions say something about nodes that have a core each.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.jobs import Arrivals, FanOut
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.measures.setups import SETUPS, contact, each_setup, rows_of
from benchmarks.results import OFFERED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from benchmarks.cluster import Cluster
    from benchmarks.measures.setups import Setup
    from benchmarks.results import Figures, Row, Setting
    from benchmarks.servers.base import Server

__all__ = ["NODES_CROWD", "NODES_FANOUT", "NODES_PAIR"]

SHARES = (
    Column("nodes' core %", "server_core_percent"),
    Column("database's core %", "engine_core_percent"),
    Column("generator's core %", "generator_core_percent"),
)


# -- a line between two people ------------------------------------------------------------------


def _pair_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=500.0, help="lines a second")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each round counts")
    parser.add_argument("--rounds", type=int, default=5, help="how often each setup has its turn")


def _pair_tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    def run(server: Server, setup: Setup, setting: Setting) -> Iterable[Row]:
        def job(running: Cluster) -> FanOut:
            return FanOut(
                **contact(running, "plain"), members=2, senders=1, rates=(options.rate,), seconds=options.seconds
            )

        return rows_of("nodes-pair", server, setup, bench.scratch, job, lambda _: setting)

    return each_setup("a line between two", options.seconds + 6, SETUPS, bench, options, run)


NODES_PAIR = Measure(
    "nodes-pair",
    "A line between two people; where there are two nodes, on both",
    _pair_arguments,
    _pair_tasks,
    (Column("p50 ms", "p50_ms", 2), Column("p99 ms", "p99_ms", 2), Column("lines/s", "lines_per_second"), *SHARES),
)


# -- one room -----------------------------------------------------------------------------------


def _fanout_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=1000, help="people in the room, spread over the nodes")
    parser.add_argument("--rate", type=float, nargs="+", default=[20.0, 200.0, 2000.0], help="lines a second")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each rate counts")
    parser.add_argument("--rounds", type=int, default=3, help="how often each setup has its turn")


def _fanout_tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    def run(server: Server, setup: Setup, setting: Setting) -> Iterable[Row]:
        def job(running: Cluster) -> FanOut:
            return FanOut(
                **contact(running, "plain"),
                members=options.members,
                rates=tuple(options.rate),
                seconds=options.seconds,
            )

        def setting_of(figures: Figures) -> Setting:
            return {OFFERED: int(figures.get("offered_lines_per_second", 0)), **setting}

        return rows_of("nodes-fanout", server, setup, bench.scratch, job, setting_of)

    seconds = 10 + (options.seconds + 1) * len(options.rate)
    return each_setup(f"one room of {options.members:,}", seconds, SETUPS, bench, options, run)


NODES_FANOUT = Measure(
    "nodes-fanout",
    "One room, its members spread over the nodes",
    _fanout_arguments,
    _fanout_tasks,
    (
        Column("lines/s", "lines_per_second"),
        Column("deliveries per core-second of the nodes", "deliveries_per_core_second"),
        Column("p50 ms", "p50_ms", 1),
        Column("p99 ms", "p99_ms", 1),
        *SHARES,
    ),
)


# -- a crowd ------------------------------------------------------------------------------------


def _crowd_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=10_000, help="how many come")
    parser.add_argument("--rooms", type=int, nargs="+", default=[100, 1], help="into how many rooms")
    parser.add_argument("--dialect", default="json", choices=["plain", "json"], help="how they speak")
    parser.add_argument("--idle", type=float, default=0.0, help="seconds to watch the nodes when all are in")
    parser.add_argument("--rounds", type=int, default=1, help="how often each setup has its turn")


def _crowd_tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    def run(rooms: int, server: Server, setup: Setup, setting: Setting) -> Iterable[Row]:
        def job(running: Cluster) -> Arrivals:
            return Arrivals(
                **contact(running, options.dialect),
                people=options.people,
                rooms=rooms,
                idle_seconds=options.idle,
            )

        whole = {"people": options.people, "rooms": rooms, **setting}
        return rows_of("nodes-crowd", server, setup, bench.scratch, job, lambda _: whole)

    return [
        task
        for rooms in options.rooms
        for task in each_setup(
            f"{options.people:,} people come into {rooms} rooms",
            20 + options.idle,
            SETUPS,
            bench,
            options,
            functools.partial(run, rooms),
        )
    ]


NODES_CROWD = Measure(
    "nodes-crowd",
    "10,000 people come to all nodes",
    _crowd_arguments,
    _crowd_tasks,
    (
        Column("all in, s", "seconds", 1),
        Column("settled, s", "settled_seconds", 1),
        Column("kB a member", "bytes_per_member", 1, 0.001),
        *SHARES,
        Column("idle: nodes' core %", "idle_server_core_percent", 1),
        Column("idle: database's core %", "idle_engine_core_percent", 1),
        Column("idle: wake-ups/s", "idle_wake_ups_per_second"),
    ),
)
