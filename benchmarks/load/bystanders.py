"""A few people who do nothing but ask the server, by a clock, whether it is still there."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from benchmarks.checks import percentile
from benchmarks.dialects import JsonLines
from benchmarks.load.crowd import Crowd

if TYPE_CHECKING:
    from benchmarks.load.crowd import Seat
    from benchmarks.results import Figures

__all__ = ["Bystanders"]

COUNT = 8
"""How many bystanders there are: together they ping often enough to see a stall of 20 ms."""
PINGS_PER_SECOND = 80
"""Pings of all bystanders together, a second: 10 of each, which a rate limit of 20 a second lets through."""
ANSWER_SECONDS = 15.0
"""How long the last pings may take; one that is not answered by then counts as lost."""
MOST_BYTES = 1 << 16


class Bystanders:
    """Connections that speak JSON lines; each is alone in a room of its own.

    A ping's delay counts from when it was due, so a stall of the server is not hidden.
    """

    def __init__(self, port: int) -> None:
        self._crowd = Crowd((port,), (JsonLines(),))
        self._seats: list[Seat] = []
        self._start = float("inf")
        self._sent = 0
        self._waiting: set[int] = set()
        self._delays: list[float] = []

    def enter(self) -> None:
        """Bring them in."""
        people = [(f"bystander{n}", f"quiet{n}") for n in range(COUNT)]
        self._seats = self._crowd.enter(people, at_once=COUNT, seconds=20)
        for seat in self._seats:
            self._crowd.listen(seat, _Pongs(seat, self))
        self._crowd.settle()

    def begin(self) -> None:
        """From now on pings are due."""
        self._start = time.perf_counter()

    def serve(self, timeout_seconds: float) -> None:
        """Send the pings that are due, wait at most so long, and take the answers."""
        due = int((time.perf_counter() - self._start) * PINGS_PER_SECOND)
        for number in range(self._sent, due):
            self._waiting.add(number)
            self._seats[number % COUNT].send(b'{"op":"ping","id":%d}\n' % number)
        self._sent = max(self._sent, due)
        self._crowd.serve(timeout_seconds)

    def heard(self, number: int) -> None:
        """This ping was answered."""
        self._waiting.discard(number)
        self._delays.append(self._age(number))

    def _age(self, number: int) -> float:
        """Seconds since the ping was due; it is sent a little later, as the loop comes round."""
        return time.perf_counter() - self._start - (number + 1) / PINGS_PER_SECOND

    def finish(self) -> Figures:
        """Wait for the last answers, and tell how late all of them were."""
        until = time.perf_counter() + ANSWER_SECONDS
        while self._waiting and time.perf_counter() < until:
            self._crowd.serve(0.01)
        delays = sorted([*self._delays, *map(self._age, self._waiting)])
        return {
            "ping_p50_ms": 1000 * percentile(delays, 0.5),
            "ping_p99_ms": 1000 * percentile(delays, 0.99),
            "ping_max_ms": 1000 * percentile(delays, 1),
            "samples": len(delays),
            "lost": len(self._waiting),
            "closed": self._crowd.closed,
        }

    def close(self) -> None:
        """They go."""
        self._crowd.close()


class _Pongs:
    """The ear of a bystander."""

    def __init__(self, seat: Seat, bystanders: Bystanders) -> None:
        self._receive = seat.sock.recv
        self._bystanders = bystanders
        self._rest = b""

    def read(self) -> int:
        """Tell of each answer."""
        data = self._receive(MOST_BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if said["type"] == "pong":
                self._bystanders.heard(said["re"])
        return len(data)
