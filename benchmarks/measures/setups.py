"""Ways of running this project's daemon that are measured beside each other: one node, or several over a database."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.cluster import cluster
from benchmarks.drive import drive
from benchmarks.engine import EngineError
from benchmarks.measures.base import Task
from benchmarks.results import ROUND, Row, row_of
from benchmarks.servers.base import Missing, ServerError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.cluster import Cluster
    from benchmarks.load.jobs import Job
    from benchmarks.measures.base import Bench
    from benchmarks.results import Figures, Setting
    from benchmarks.servers.base import Server

__all__ = ["SETUPS", "SHARED", "Setup", "contact", "each_setup", "rows_of", "rows_or_reason"]

NEWCOMERS = 40
"""How many newcomers a node takes at a time: less than its listen backlog. Source: as `servers.chatroom`."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One way.

    Attributes:
        store: Where the log is.
        nodes: How many daemons.
    """

    store: str
    nodes: int

    @property
    def setting(self) -> Setting:
        """What tells its rows from those of the others."""
        return {"store": self.store, "nodes": self.nodes}


SHARED = Setup("postgresql", 2)
SETUPS = (Setup("sqlite", 1), Setup("postgresql", 1), SHARED)


def contact(running: Cluster, dialect: str) -> dict[str, Any]:
    """How all nodes are reached: the first fields of every job."""
    first, *others = running.nodes
    return {
        "port": first.port,
        "dialect": dialect,
        "pid": first.pid,
        "at_once": NEWCOMERS * len(running.nodes),
        "other_ports": tuple(node.port for node in others),
        "other_pids": tuple(node.pid for node in others),
        "engine_pid": running.engine_pid,
    }


def each_setup(
    label: str,
    seconds: float,
    setups: Sequence[Setup],
    bench: Bench,
    options: argparse.Namespace,
    run: Callable[[Server, Setup, Setting], Iterable[Row]],
) -> list[Task]:
    """Tasks in which the setups take turns, round after round.

    Args:
        label: What is measured.
        seconds: About how long each takes.
        setups: The ways.
        bench: Whose daemons.
        options: Say how many rounds.
        run: Measures one, whose rows have this setting.
    """
    return [
        Task(
            f"{label}, {setup.nodes} over {setup.store}, round {turn + 1}: {server.name}",
            seconds,
            functools.partial(run, server, setup, {**setup.setting, ROUND: turn}),
        )
        for turn in range(options.rounds)
        for setup in setups
        for server in bench.servers
        if server.checkout and server.dialect == "plain"
    ]


def rows_of(
    measure: str,
    server: Server,
    setup: Setup,
    scratch: Path,
    job_for: Callable[[Cluster], Job],
    setting_of: Callable[[Figures], Setting],
) -> Iterator[Row]:
    """Run the nodes and one job on them; as `Bench.rows`."""

    def rows() -> Iterator[Row]:
        assert server.checkout is not None  # noqa: S101 - `each_setup` takes no others
        shared = setup.store != "sqlite"
        with cluster(setup.nodes, server.checkout, scratch, is_shared=shared) as running:
            for figures in drive(job_for(running)):
                yield row_of(measure, server.name, setting_of(figures), figures)

    return rows_or_reason(measure, server, setup.setting, rows)


def rows_or_reason(measure: str, server: Server, setting: Setting, rows: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """The rows, or one that says why something did not start."""
    try:
        yield from rows()
    except (Missing, ServerError, EngineError) as reason:
        yield Row(measure, server.name, setting, note=str(reason))
