"""How long nothing is shown when the database dies: until it is started again, or a standby is promoted."""

from __future__ import annotations

import contextlib
import functools
import signal
import time
from typing import TYPE_CHECKING

from benchmarks.cluster import Cluster, cluster, nodes_over, scratch_folder
from benchmarks.drive import drive
from benchmarks.engine import Engine
from benchmarks.load.jobs import FanOut
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.measures.setups import SHARED, contact, each_setup, rows_or_reason
from benchmarks.results import row_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from benchmarks.measures.setups import Setup
    from benchmarks.results import Row, Setting
    from benchmarks.servers.base import Server

__all__ = ["NODES_RECOVERY"]

STREAMING_SECONDS = 20.0
"""Time limit for a standby to follow, in seconds. Source: chosen; usually it takes less than one."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=200.0, help="lines a second, on both nodes")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long people talk, the fault within")
    parser.add_argument("--faults", nargs="+", default=list(_FAULTS), choices=list(_FAULTS), help="what happens")
    parser.add_argument("--rounds", type=int, default=5, help="how often each happens")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    def run(fault: str, server: Server, _setup: Setup, setting: Setting) -> Iterable[Row]:
        rows = functools.partial(_rows, fault, server, bench.scratch, {"fault": fault, **setting}, options)
        return rows_or_reason("nodes-recovery", server, {"fault": fault, **setting}, rows)

    return [
        task
        for fault in options.faults
        for task in each_setup(fault, 2 * options.seconds + 8, [SHARED], bench, options, functools.partial(run, fault))
    ]


def _rows(fault: str, server: Server, scratch: Path, setting: Setting, options: argparse.Namespace) -> Iterator[Row]:
    assert server.checkout is not None  # noqa: S101 - `each_setup` takes no others
    with _FAULTS[fault](server.checkout, scratch) as (running, strike):
        job = FanOut(
            **contact(running, "plain"),
            members=4,
            senders=2,
            rates=(options.rate, options.rate),
            seconds=options.seconds,
            drain_seconds=20.0,
            stalled_seconds=10.0,
        )
        down_seconds = 0.0
        for stage, figures in enumerate(drive(job)):
            if stage == 0 and "refused" not in figures:
                # The first stage has warmed up; the second one has begun.
                time.sleep(2.0)
                start = time.perf_counter()
                strike()
                down_seconds = time.perf_counter() - start
            else:
                yield row_of("nodes-recovery", server.name, setting, figures | {"down_seconds": down_seconds})


@contextlib.contextmanager
def _restart(checkout: Path, scratch: Path) -> Iterator[tuple[Cluster, Callable[[], None]]]:
    """The database is killed, and started again at once."""
    with cluster(SHARED.nodes, checkout, scratch) as running:
        engine = running.engine
        assert engine is not None  # noqa: S101 - two nodes have one

        def strike() -> None:
            engine.stop(signal.SIGKILL)
            engine.start()

        yield running, strike


@contextlib.contextmanager
def _promotion(checkout: Path, scratch: Path) -> Iterator[tuple[Cluster, Callable[[], None]]]:
    """The database is killed, and its synchronous standby becomes the primary at once."""
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(Engine(scratch_folder(stack, scratch) / "engine", fsync=True))
        primary.create("chat")
        standby = Engine(scratch_folder(stack, scratch) / "engine", fsync=True)
        stack.callback(standby.remove)
        standby.follow(primary)
        _make_synchronous(primary)
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        store = f"postgresql://chat@{hosts}/chat?target_session_attrs=read-write"
        folder = scratch_folder(stack, scratch)

        def strike() -> None:
            primary.stop(signal.SIGKILL)
            standby.promote()

        yield Cluster(nodes_over(stack, store, SHARED.nodes, checkout, folder), primary), strike


def _make_synchronous(primary: Engine) -> None:
    """From now on a commit waits for the standby; returns when that follows."""
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.sql("SELECT pg_reload_conf()")
    until = time.monotonic() + STREAMING_SECONDS
    while primary.sql("SELECT sync_state FROM pg_stat_replication") != "sync" and time.monotonic() < until:
        time.sleep(0.05)


_FAULTS = {"killed and restarted": _restart, "killed, standby promoted": _promotion}

NODES_RECOVERY = Measure(
    "nodes-recovery",
    "The database dies while people talk",
    _arguments,
    _tasks,
    (
        Column("database away, s", "down_seconds", 2),
        Column("nothing shown for, ms", "longest_gap_ms"),
        Column("lost", "lost"),
        Column("doubled", "doubled"),
        Column("outstanding", "outstanding"),
    ),
)
