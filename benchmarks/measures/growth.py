"""What grows with the number of members, and what must not grow with the length of the log."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fill import BIG
from benchmarks.load.jobs import FanOut
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.measures.fanout import COLUMNS, LADDER, MOST_COPIES_PER_SECOND
from benchmarks.processes import raise_file_limit
from benchmarks.results import OFFERED, Row
from benchmarks.servers.base import Missing, ServerError, running
from benchmarks.servers.chatroom import python_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Figures, Setting
    from benchmarks.servers.base import Running, Server

__all__ = ["GROWTH", "LOG"]

REPEATS = 50
FILL_EVENTS_PER_SECOND = 50_000


def _growth_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, nargs="+", default=[300, 3000, 9000], help="people in the room")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each rate counts")


def _growth_tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    most = raise_file_limit() - 200
    return [
        Task(
            f"fan-out to {members:,}: {server.name}",
            10,
            functools.partial(_growth_rows, bench, server, members, options.seconds),
        )
        for members in options.members
        for server in bench.servers
        if members <= most and server.checkout and server.dialect == "plain"
    ]


def _growth_rows(bench: Bench, server: Server, members: int, seconds: float) -> Iterator[Row]:
    rates = tuple(rate for rate in LADDER if 1_000_000 <= rate * members <= MOST_COPIES_PER_SECOND)

    def job_for(started: Running) -> FanOut:
        return FanOut(*started.contact, members=members, rates=rates, seconds=seconds, climbing=True)

    def setting_of(figures: Figures) -> Setting:
        return {"members": members, OFFERED: int(figures.get("offered_lines_per_second", 0))}

    return bench.rows("growth", server, job_for, setting_of)


def _log_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 1_000_000], help="how long the log is")
    parser.add_argument("--rooms", type=int, default=10_000, help="how many rooms besides the big one")


def _log_tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    return [
        Task(
            f"a log of {events:,} events: {server.name}",
            3 + events / FILL_EVENTS_PER_SECOND,
            functools.partial(_log_rows, bench, server, server.checkout, events, options.rooms),
        )
        for events in options.events
        for server in bench.servers
        if server.checkout and server.dialect == "plain"
    ]


def _log_rows(bench: Bench, server: Server, checkout: Path, events: int, rooms: int) -> Iterator[Row]:
    setting: Setting = {"events": events, "rooms": rooms}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=bench.scratch) as name:
        folder = Path(name)
        fill = ["-m", "benchmarks.fill", str(folder / "chatroom.db"), str(rooms), str(events)]
        try:
            # Each checkout fills its own store: the schema may have changed.
            subprocess.run([python_of(checkout), *fill], check=True, cwd=checkout)  # noqa: S603 - our own module
            with running(server, keep=folder) as started:
                yield Row("log", server.name, setting, _visit(started))
        except (subprocess.CalledProcessError, Missing, ServerError, OSError) as error:
            yield Row("log", server.name, setting, note=str(error))


def _visit(started: Running) -> Figures:
    with contextlib.closing(_Visitor(started.port)) as visitor:
        last = visitor.ask(op="join", room=BIG)["seq"]
        middle = last // 2
        return {
            "start_seconds": started.start_seconds,
            "join_ms": visitor.milliseconds(op="join", room=BIG),
            "page_ms": visitor.milliseconds(op="history", room=BIG, before=middle, limit=500),
            "resume_ms": visitor.milliseconds(op="join", room=BIG, after=last - 100),
            "rooms_ms": visitor.milliseconds(op="rooms"),
        }


class _Visitor:
    """Somebody who speaks JSON lines and waits for each answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")
        self._asked = 0
        self.ask(op="hello", name="visitor")

    def ask(self, **question: Any) -> dict[str, Any]:
        """Ask, and wait for the answer and for all that was sent before the answer to a ping after it."""
        self._asked += 1
        self._send(question | {"id": self._asked})
        self._send({"op": "ping", "id": -self._asked})
        answer = self._until(self._asked)
        self._until(-self._asked)
        return answer

    def milliseconds(self, **question: Any) -> float:
        """How long that takes: the median of many."""
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            self.ask(**question)
            times.append(time.perf_counter() - start)
        return 1000 * statistics.median(times)

    def _send(self, question: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(question).encode() + b"\n")

    def _until(self, number: int) -> dict[str, Any]:
        for line in self._lines:
            if line.startswith(b"{"):
                answer: dict[str, Any] = json.loads(line)
                if answer.get("re") == number:
                    return answer
        raise ServerError("the server closed the connection")

    def close(self) -> None:
        """Go."""
        self._lines.close()
        self._socket.close()


GROWTH = Measure("growth", "More members", _growth_arguments, _growth_tasks, COLUMNS, climbs=True)
LOG = Measure(
    "log",
    "A longer log",
    _log_arguments,
    _log_tasks,
    (
        Column("start-up s", "start_seconds", 2),
        Column("join ms", "join_ms", 2),
        Column("a page of 500 ms", "page_ms", 2),
        Column("resume 100 ms", "resume_ms", 2),
        Column("list of rooms ms", "rooms_ms", 2),
    ),
)
