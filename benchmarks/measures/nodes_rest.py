"""What nodes cost at rest: rooms that nobody is in, rooms where nobody speaks, and a node whose rooms are elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.cluster import cluster
from benchmarks.drive import drive
from benchmarks.load.jobs import Arrivals, FanOut
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.measures.setups import SETUPS, SHARED, contact, each_setup, rows_of, rows_or_reason
from benchmarks.processes import cpu_nanoseconds, sleeps
from benchmarks.results import Row, row_of
from benchmarks.traffic import Traffic

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.cluster import Cluster
    from benchmarks.engine import Engine
    from benchmarks.measures.setups import Setup
    from benchmarks.results import Figures, Setting
    from benchmarks.servers.base import Server

__all__ = ["NODES_AWAY", "NODES_REST"]

WARM_SECONDS = 3.0
"""Delay before a node at rest is watched, in seconds. Source: its first beat is 2 s after the start."""

_FILL = """
WITH made AS (INSERT INTO chat.rooms (name, seq, at) SELECT 'k' || n, 1, 1 FROM generate_series(1, {rooms}) n
              RETURNING id, name),
     keyed AS (INSERT INTO chat.alike (likeness, room) SELECT name, id FROM made)
INSERT INTO chat.events (room, seq, at, kind, who, text) SELECT id, 1, 1, 'say', 'ann', 'hello' FROM made
"""


def _watched(pids: Sequence[int], seconds: float) -> Figures:
    """What processes use while nothing is asked of them."""
    cpu, slept, start = sum(map(cpu_nanoseconds, pids)), sum(map(sleeps, pids)), time.perf_counter()
    time.sleep(seconds)
    passed = time.perf_counter() - start
    return {
        "core_percent": 1e-7 * (sum(map(cpu_nanoseconds, pids)) - cpu) / passed,
        "wake_ups_per_second": (sum(map(sleeps, pids)) - slept) / passed,
    }


# -- rooms at rest ------------------------------------------------------------------------------


def _rest_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rooms", type=int, default=10_000, help="rooms that are known, and rooms with one member")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the nodes are watched")
    parser.add_argument("--rounds", type=int, default=1, help="how often each setup has its turn")


def _rest_tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    def known(server: Server, setup: Setup, setting: Setting) -> Iterable[Row]:
        whole = {"rooms": options.rooms, "members": 0, **setting}

        def rows() -> Iterator[Row]:
            assert server.checkout is not None  # noqa: S101 - `each_setup` takes no others
            with cluster(setup.nodes, server.checkout, bench.scratch) as running:
                assert running.engine is not None  # noqa: S101 - two nodes have one
                running.engine.sql(_FILL.format(rooms=options.rooms), "chat")
                yield row_of("nodes-rest", server.name, whole, _at_rest(running, running.engine, options.seconds))

        return rows_or_reason("nodes-rest", server, whole, rows)

    def peopled(server: Server, setup: Setup, setting: Setting) -> Iterable[Row]:
        def job(running: Cluster) -> Arrivals:
            reached = contact(running, "json")
            return Arrivals(**reached, people=options.rooms, rooms=options.rooms, idle_seconds=options.seconds)

        whole = {"rooms": options.rooms, "members": options.rooms, **setting}
        return rows_of("nodes-rest", server, setup, bench.scratch, job, lambda _: whole)

    return [
        *each_setup("rooms known", options.seconds + 8, [SHARED], bench, options, known),
        *each_setup("rooms of one", options.seconds + 25, SETUPS, bench, options, peopled),
    ]


def _at_rest(running: Cluster, engine: Engine, seconds: float) -> Figures:
    time.sleep(WARM_SECONDS)
    nodes = [node.pid for node in running.nodes]
    backends = [
        int(pid) for pid in engine.sql("SELECT pid FROM pg_stat_activity WHERE datname = 'chat'", "postgres").split()
    ]
    cpu = sum(map(cpu_nanoseconds, backends))
    found = _watched(nodes, seconds)
    return {
        "idle_server_core_percent": found["core_percent"],
        "idle_engine_core_percent": 1e-7 * (sum(map(cpu_nanoseconds, backends)) - cpu) / seconds,
        "idle_wake_ups_per_second": found["wake_ups_per_second"],
    }


NODES_REST = Measure(
    "nodes-rest",
    "Rooms in which nothing happens",
    _rest_arguments,
    _rest_tasks,
    (
        Column("nodes' core %", "idle_server_core_percent", 2),
        Column("database's core %", "idle_engine_core_percent", 2),
        Column("nodes' wake-ups/s", "idle_wake_ups_per_second", 1),
        Column("MB in all", "resident_bytes", 1, 1e-6),
    ),
)


# -- a node whose rooms are elsewhere -----------------------------------------------------------


def _away_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=1000.0, help="lines a second at the other node")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long it is watched")
    parser.add_argument("--rounds", type=int, default=1, help="how often it is done")


def _away_tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    def run(server: Server, setup: Setup, setting: Setting) -> Iterable[Row]:
        def rows() -> Iterator[Row]:
            assert server.checkout is not None  # noqa: S101 - `each_setup` takes no others
            with cluster(setup.nodes, server.checkout, bench.scratch) as running:
                yield from _away(server, running, setting, options)

        return rows_or_reason("nodes-away", server, setting, rows)

    return each_setup("a node without rooms", options.seconds + 10, [SHARED], bench, options, run)


def _away(server: Server, running: Cluster, setting: Setting, options: argparse.Namespace) -> Iterator[Row]:
    """Two people talk on the first node; the second one is watched in the second stage, from its start."""
    rates, margin = (options.rate, options.rate), 1.0
    job = FanOut(
        running.nodes[0].port, "plain", running.nodes[0].pid, engine_pid=running.engine_pid,
        members=2, senders=1, rates=rates, seconds=options.seconds + 2 * margin,
    )  # fmt: skip
    engine = running.engine
    assert engine is not None  # noqa: S101 - two nodes have one
    for stage, figures in enumerate(drive(job)):
        if "refused" in figures:
            yield row_of("nodes-away", server.name, setting, figures)
        elif stage == 0:
            time.sleep(margin)
            found = _listening(running.nodes[1].pid, engine, options.seconds)
            yield row_of("nodes-away", server.name, {"lines/s": options.rate, **setting}, found)


def _listening(pid: int, engine: Engine, seconds: float) -> Figures:
    """What a node takes from the database, and what that costs both."""
    before = Traffic.of(pid, engine.port)
    places = ", ".join(map(str, before.ports))
    found = engine.sql(f"SELECT pid FROM pg_stat_activity WHERE client_port IN ({places})").split()  # noqa: S608
    backends = [int(backend) for backend in found]
    cpu, theirs = cpu_nanoseconds(pid), sum(map(cpu_nanoseconds, backends))
    watched = _watched([pid], seconds)
    went = Traffic.of(pid, engine.port).since(before)
    told = max(1, went.received_segments)
    return {
        "told_per_second": went.received_segments / seconds,
        "received_bytes_per_second": went.received_bytes / seconds,
        "asked_per_second": went.sent_segments / seconds,
        "asked_bytes_per_second": went.sent_bytes / seconds,
        "node_us_per_wake_up": 1e-3 * (cpu_nanoseconds(pid) - cpu) / told,
        "database_us_per_wake_up": 1e-3 * (sum(map(cpu_nanoseconds, backends)) - theirs) / told,
        **watched,
    }


NODES_AWAY = Measure(
    "nodes-away",
    "A node that nobody's room is on, while people talk on another",
    _away_arguments,
    _away_tasks,
    (
        Column("messages from the database /s", "told_per_second"),
        Column("bytes/s", "received_bytes_per_second"),
        Column("questions to it /s", "asked_per_second", 1),
        Column("their bytes/s", "asked_bytes_per_second"),
        Column("node: core %", "core_percent", 1),
        Column("node: µs a message", "node_us_per_wake_up", 1),
        Column("database: µs a message", "database_us_per_wake_up", 1),
    ),
)
