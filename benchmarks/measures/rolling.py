"""A rolling restart: the nodes are stopped and started one after the other while people talk."""

from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.cluster import cluster
from benchmarks.drive import drive
from benchmarks.engine import EngineError
from benchmarks.load.jobs import Rolling
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import Row, row_of
from benchmarks.servers.base import Missing, ServerError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.cluster import Node
    from benchmarks.results import Figures
    from benchmarks.servers.base import Server

__all__ = ["ROLLING"]

MARGIN_SECONDS = 90.0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=1000, help="people, spread over the nodes")
    parser.add_argument("--rooms", type=int, default=1, help="rooms, people spread over them")
    parser.add_argument("--rate", type=float, default=200.0, help="lines a second")
    parser.add_argument("--pause", type=float, default=4.0, help="seconds before, between and after the restarts")
    parser.add_argument("--nodes", type=int, default=2, help="nodes over one PostgreSQL; 1 is one over SQLite")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(
            f"rolling restart: {server.name}",
            _talk_seconds(options) + 15,
            functools.partial(_rows, server, server.checkout, bench.scratch, options),
        )
        for server in bench.servers
        if server.checkout and server.dialect == "plain"
    ]


def _talk_seconds(options: argparse.Namespace) -> float:
    """A restart takes some 2 s: SIGTERM, the goodbyes, and the start of Python."""
    return float((options.pause + 2) * options.nodes + options.pause)


def _rows(server: Server, checkout: Path, scratch: Path, options: argparse.Namespace) -> Iterator[Row]:
    setting = {"nodes": options.nodes, "members": options.members, "rooms": options.rooms, "lines/s": options.rate}
    try:
        with cluster(options.nodes, checkout, scratch) as running, ThreadPoolExecutor(1) as others:
            restarts = None
            for figures in drive(_job(running.nodes, options), limit_seconds=_talk_seconds(options) + MARGIN_SECONDS):
                if "entered" in figures:
                    restarts = others.submit(_restart_all, running.nodes, options.pause)
                else:
                    more = restarts.result() if restarts else {}
                    yield row_of("rolling", server.name, setting, figures | more)
    except (Missing, ServerError, EngineError) as reason:
        yield Row("rolling", server.name, setting, note=str(reason))


def _job(nodes: Sequence[Node], options: argparse.Namespace) -> Rolling:
    first, *others = [node.port for node in nodes]
    return Rolling(
        first,
        "json",
        at_once=40,
        other_ports=tuple(others),
        members=options.members,
        rooms=options.rooms,
        rate=options.rate,
        seconds=_talk_seconds(options),
    )


def _restart_all(nodes: Sequence[Node], pause_seconds: float) -> Figures:
    stops, starts = [], []
    for node in nodes:
        time.sleep(pause_seconds)
        stops.append(node.stop())
        starts.append(node.start())
    faults = [line for node in nodes for line in node.faults]
    return {
        "stop_seconds": max(stops),
        "start_seconds": max(starts),
        "errors": len(faults),
        "first_error": faults[0] if faults else "",
    }


ROLLING = Measure(
    "rolling",
    "A rolling restart while people talk",
    _arguments,
    _tasks,
    (
        Column("said", "said"),
        Column("lost", "lost"),
        Column("doubled", "doubled"),
        Column("returns", "returns"),
        Column("resumed", "resumed"),
        Column("return p50 ms", "return_p50_ms"),
        Column("p99", "return_p99_ms"),
        Column("slowest", "return_max_ms"),
        Column("stop, s", "stop_seconds", 1),
        Column("errors", "errors"),
    ),
)
