"""Peers that take and do not read, or send too fast: the daemon's memory, and the pings of those who do nothing.

Only this project's daemons: the attacks ask for history, which the other servers do not have.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.load.attacks import ATTACKS
from benchmarks.load.jobs import Hostile
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.servers.chatroom import with_rate

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Figures, Row, Setting
    from benchmarks.servers.base import Running, Server

__all__ = ["HOSTILE"]


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", type=int, default=1000, help="how many do it at the same time")
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=list(ATTACKS), help="what they do")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(f"{ATTACKS[attack].title}: {server.name}", 20, functools.partial(_rows, bench, server, attack, options))
        for attack in options.attacks
        for server in bench.servers
        if server.checkout and server.dialect == "plain"
    ]


def _rows(bench: Bench, server: Server, attack: str, options: argparse.Namespace) -> Iterator[Row]:
    peers = min(options.peers, ATTACKS[attack].most_peers)

    def job_for(started: Running) -> Hostile:
        return Hostile(*started.contact, attack=attack, peers=peers)

    def setting_of(_figures: Figures) -> Setting:
        return {"peers": peers, "what they do": ATTACKS[attack].title}

    return bench.rows("hostile", with_rate(server, ATTACKS[attack].rate), job_for, setting_of)


HOSTILE = Measure(
    "hostile",
    "Peers that do not read, or send too fast: memory, and the pings of eight bystanders",
    _arguments,
    _tasks,
    (
        Column("MB idle", "idle_bytes", 1, 1e-6),
        Column("MB more with them in", "entered_bytes", 1, 1e-6),
        Column("MB more at most", "above_idle_bytes", 1, 1e-6),
        Column("MB more when they are gone", "left_over_bytes", 1, 1e-6),
        Column("ping p50 ms", "ping_p50_ms", 1),
        Column("ping p99 ms", "ping_p99_ms", 1),
        Column("ping at most ms", "ping_max_ms", 1),
        Column("peers let go", "let_go"),
        Column("seconds", "seconds", 1),
        Column("server's core %", "server_core_percent"),
        Column("generator's core %", "generator_core_percent"),
    ),
)
