"""A long time at half load, with people coming and going: memory must stay flat and nothing be lost."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.drive import drive
from benchmarks.load.jobs import Churn, FanOut
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.processes import resident_bytes
from benchmarks.results import Row, row_of
from benchmarks.servers.base import Missing, ServerError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.servers.base import Running, Server

__all__ = ["SOAK"]

STAGE_SECONDS = 5.0
MARGIN_SECONDS = 60.0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=500, help="people who stay")
    parser.add_argument("--rate", type=float, default=5000.0, help="lines a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long; 600 for a real soak")
    parser.add_argument("--coming", type=float, default=20.0, help="people who come, and go, a second")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(f"soak: {server.name}", options.seconds * 1.1, functools.partial(_rows, bench, server, options))
        for server in bench.servers
        if server.checkout and server.dialect == "plain"
    ]


def _rows(bench: Bench, server: Server, options: argparse.Namespace) -> Iterator[Row]:
    try:
        with bench.running(server) as started, ThreadPoolExecutor(1) as others:
            limit = options.seconds * 1.5 + MARGIN_SECONDS
            coming = Churn(*started.contact, per_second=options.coming, seconds=options.seconds)
            guests = others.submit(lambda: list(drive(coming, limit_seconds=limit)))
            yield from _stages(started, options, limit)
            for figures in guests.result():
                yield row_of("soak", started.server.name, {"at": "guests"}, figures)
            yield _log_row(started)
    except (Missing, ServerError) as reason:
        yield Row("soak", server.name, {}, note=str(reason))


def _stages(started: Running, options: argparse.Namespace, limit: float) -> Iterator[Row]:
    stages = max(1, round(options.seconds / STAGE_SECONDS))
    job = FanOut(
        *started.contact,
        members=options.members,
        rates=(options.rate,) * stages,
        seconds=STAGE_SECONDS,
        warm_seconds=0,
    )
    weights: list[int] = []
    for stage, figures in enumerate(drive(job, limit_seconds=limit)):
        weights.append(resident_bytes(started.pid or 0))
        # The first sixth is for warming up: a minute, if it lasts ten.
        base = weights[min(stage, stages // 6)]
        weight = {"resident_bytes": weights[-1], "growth_percent": 100 * (weights[-1] / base - 1) if base else 0.0}
        yield row_of("soak", started.server.name, {"at": f"{(stage + 1) * STAGE_SECONDS:.0f} s"}, figures | weight)


def _log_row(started: Running) -> Row:
    log = (started.folder / "server.log").read_text(errors="replace")
    errors = log.count("Traceback") + log.count("#error") + log.count("#critical")
    return Row("soak", started.server.name, {"at": "log"}, {"errors": errors})


SOAK = Measure(
    "soak",
    "Half load for a long time, people coming and going",
    _arguments,
    _tasks,
    (
        Column("deliveries/s", "deliveries_per_second"),
        Column("p99 ms", "p99_ms", 1),
        Column("server's core %", "server_core_percent"),
        Column("MB", "resident_bytes", 1, 1e-6),
        Column("growth %", "growth_percent", 1),
        Column("guests", "came"),
        Column("errors", "errors"),
    ),
)
