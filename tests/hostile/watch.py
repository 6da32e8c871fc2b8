"""What a daemon costs, as the system and a bystander see it: memory, processor time, delay."""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.hostile.crowd import request
from tests.live.callers import POLL_SECONDS
from tests.live.daemon import PATIENCE_SECONDS

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from tests.live.daemon import Daemon

__all__ = ["BACK_BYTES", "BOUND_BYTES", "Memory", "Pings", "cpu_seconds", "percentile", "settle"]

BOUND_BYTES = 256 << 20
"""Memory that 1,000 hostile peers may cost together, above an idle daemon. Source: docs/operations.md."""

BACK_BYTES = 64 << 20
"""Memory that may be left when they are gone: what malloc and warm caches keep. Source: docs/operations.md."""

GIVE_UP_FACTOR = 2
"""At so many times the bound a test adds no more peers: the figure is clear, and the machine is spared."""

BACK_SECONDS = 15.0
"""Time for memory to be given back after the peers have left."""

QUIET_WINDOW_SECONDS = 0.15
QUIET_SHARE = 0.15
"""A daemon that uses less than this share of a core in the window above has done what it was asked."""


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    assert values, "nothing was measured"
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def cpu_seconds(daemon: Daemon) -> float:
    """Processor time of all its threads. Source: the kernel's Documentation/scheduler/sched-stats."""
    tasks = Path(f"/proc/{daemon.process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def settle(daemon: Daemon, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until the daemon rests, or for so long: what it was asked is done, or it never will be."""
    deadline = time.monotonic() + seconds
    before, then = cpu_seconds(daemon), time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(QUIET_WINDOW_SECONDS)
        used, now = cpu_seconds(daemon), time.monotonic()
        if used - before < QUIET_SHARE * (now - then):
            return
        before, then = used, now


class Memory:
    """What a daemon's memory grows by, from now on.

    Args:
        daemon: Idle.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._idle_bytes = daemon.rss_bytes
        # Begins the high-water mark anew. Source: proc(5), ``clear_refs``.
        Path(f"/proc/{daemon.process.pid}/clear_refs").write_text("5")

    @property
    def grown_bytes(self) -> int:
        """What it uses now, above idle."""
        return self._daemon.rss_bytes - self._idle_bytes

    @property
    def peak_bytes(self) -> int:
        """The most that it has used, above idle. Source: proc(5), ``VmHWM``."""
        status = Path(f"/proc/{self._daemon.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024 - self._idle_bytes

    @property
    def is_hopeless(self) -> bool:
        """Whether the bound is broken so far that no more peers are needed to show it."""
        return self.peak_bytes > GIVE_UP_FACTOR * BOUND_BYTES

    def wait_until_back(self) -> None:
        """Wait until what was used is given back, or for `BACK_SECONDS`."""
        deadline = time.monotonic() + BACK_SECONDS
        while self.grown_bytes > BACK_BYTES and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def check(self, what: str) -> None:
        """Hold what was used against the bound, and what is still used against what may be left.

        Raises:
            AssertionError: It is more; the sentence has both figures.
        """
        self.wait_until_back()
        peak, left = self.peak_bytes >> 20, self.grown_bytes >> 20
        told = f"{what}: at most +{peak} MiB (bound {BOUND_BYTES >> 20}), then +{left} MiB (bound {BACK_BYTES >> 20})"
        print(told)
        assert peak <= BOUND_BYTES >> 20, told
        assert left <= BACK_BYTES >> 20, told


class Pings:
    """A bystander in no room who pings at a steady pace, from a thread, whether the last was answered or not.

    So a daemon that stands still for a second delays all the pings of that second, and each counts.

    Args:
        daemon: Whom to ask.
        every_seconds: The pace; with a ``--rate`` it must keep to it.
    """

    def __init__(self, daemon: Daemon, every_seconds: float = 0.01) -> None:
        self._every_seconds = every_seconds
        self._socket = socket.create_connection(("127.0.0.1", daemon.port), PATIENCE_SECONDS)
        self._socket.sendall(f"{request('hello', name=f'pings{os.getpid()}')}\n".encode())
        self._due: dict[int, float] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seconds: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Wait for the last answers; what is not answered by then counts with the time that it has waited."""
        self._stopping = True
        self._thread.join()
        self._socket.close()

    @property
    def p99_seconds(self) -> float:
        """99 of 100 are answered in this time."""
        return percentile(self.seconds, 0.99)

    @override
    def __str__(self) -> str:
        p50, slowest = percentile(self.seconds, 0.5), max(self.seconds)
        return f"{len(self.seconds)} pings: p50 {p50:.3f} s, p99 {self.p99_seconds:.3f} s, slowest {slowest:.3f} s"

    def _run(self) -> None:
        rest, number, next_due = b"", 0, time.monotonic()
        deadline = float("inf")
        while not self._stopping or (self._due and time.monotonic() < deadline):
            now = time.monotonic()
            if self._stopping:
                deadline = min(deadline, now + PATIENCE_SECONDS)
                next_due = now + PATIENCE_SECONDS
            elif now >= next_due:
                self._due[number] = next_due
                self._socket.sendall(f"{request('ping', id=number)}\n".encode())
                number += 1
                next_due += self._every_seconds
                continue
            if select.select([self._socket], [], [], min(POLL_SECONDS, max(0.0, next_due - now)))[0]:
                data = self._socket.recv(1 << 16)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                self._take(lines)
        self.seconds += [time.monotonic() - due for due in self._due.values()]

    def _take(self, lines: list[bytes]) -> None:
        now = time.monotonic()
        for line in lines:
            message = json.loads(line) if line.startswith(b"{") else {}
            if message.get("type") == "pong":
                self.seconds.append(now - self._due.pop(message["re"]))
