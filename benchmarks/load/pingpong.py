"""Many small rooms with one line in flight in each: nothing can be batched, so this is the cost of a line."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from benchmarks.checks import percentile
from benchmarks.dialects import spoken
from benchmarks.load.crowd import Crowd, names
from benchmarks.load.ears import MARK, marked
from benchmarks.processes import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.load.crowd import Seat
    from benchmarks.load.jobs import PingPong
    from benchmarks.results import Figures

__all__ = ["ping_pong"]

READ_BYTES = 4096
STALLED_SECONDS = 3.0


class _Room:
    """One room: who talks next, and how many copies of the line in flight are still to come.

    Attributes:
        delivered: Copies that came.
        missing: Copies of the line in flight that have not come yet.
        wrong: Copies that were not of the line in flight.
        delays: Seconds from saying each line until everybody had it, since `begin`.
        going: Whether another line is said when everybody has this one.
    """

    def __init__(self, job: PingPong, seats: Sequence[Seat]) -> None:
        self._lines = [seat.dialect.say(seat.room, marked(job.text_bytes)) for seat in seats]
        self._seats = seats
        self._number = 0
        self.delivered = self.missing = self.wrong = 0
        self.delays: list[float] = []
        self.going = True

    def say(self) -> None:
        """Somebody says the next line."""
        self._number += 1
        self._mark = b"%09d" % self._number
        turn = self._number % len(self._seats)
        self.missing = len(self._seats) - (not self._seats[turn].dialect.echoes)
        self._said_at = time.perf_counter()
        self._seats[turn].send(self._lines[turn] % self._number)

    def shown(self, data: bytes) -> None:
        """A member received this: a copy of the line, or an answer without a text."""
        numbers = MARK.findall(data)
        if numbers != [self._mark]:
            self.wrong += len(numbers)
            return
        self.delivered += 1
        self.missing -= 1
        if not self.missing:
            self.delays.append(time.perf_counter() - self._said_at)
            if self.going:
                self.say()


class _Member:
    """The ear of a member."""

    def __init__(self, seat: Seat, room: _Room) -> None:
        self._receive = seat.sock.recv
        self._room = room

    def read(self) -> int:
        """Tell the room."""
        data = self._receive(READ_BYTES)
        self._room.shown(data)
        return len(data)


def ping_pong(job: PingPong) -> Iterator[Figures]:
    """Fill the rooms and let them talk.

    Yields:
        The figures, once.

    Raises:
        CrowdError: if the rooms could not be filled.
    """
    crowd = Crowd(job.ports, spoken(job.dialect))
    # A room's people come one after the other, so that those of each dialect, and of each server, are in every room.
    people = [(name, f"r{n // job.members:05}") for n, name in enumerate(names(job.rooms * job.members))]
    try:
        seats = crowd.enter(people, at_once=job.at_once, seconds=60)
        crowd.settle()
        rooms = [_Room(job, seats[n : n + job.members]) for n in range(0, len(seats), job.members)]
        for n, seat in enumerate(seats):
            crowd.listen(seat, _Member(seat, rooms[n // job.members]))
        yield _talk(job, crowd, rooms) | {"closed": crowd.closed}
    finally:
        crowd.close()


def _talk(job: PingPong, crowd: Crowd, rooms: Sequence[_Room]) -> Figures:
    for room in rooms:
        room.say()
    _serve(crowd, job.warm_seconds)
    for room in rooms:
        room.delays.clear()
    start, before = Usage.now(job.pids, job.engine_pid), sum(room.delivered for room in rooms)
    _serve(crowd, job.seconds)
    used, delivered = Usage.now(job.pids, job.engine_pid).since(start), sum(room.delivered for room in rooms) - before
    delays = sorted(delay for room in rooms for delay in room.delays)
    _finish(crowd, rooms)
    figures: Figures = {
        "lines_per_second": len(delays) / used.at,
        "lines_per_core_second": len(delays) / used.server if used.server else math.nan,
    }
    return (
        figures
        | used.figures(delivered)
        | {
            "p50_ms": 1000 * percentile(delays, 0.5),
            "p99_ms": 1000 * percentile(delays, 0.99),
            "samples": len(delays),
            "lost": sum(room.missing for room in rooms),
            "wrong": sum(room.wrong for room in rooms),
        }
    )


def _serve(crowd: Crowd, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        crowd.serve(0.05)


def _finish(crowd: Crowd, rooms: Sequence[_Room]) -> None:
    """Let everybody have the last line."""
    for room in rooms:
        room.going = False
    until = time.perf_counter() + STALLED_SECONDS
    while any(room.missing for room in rooms) and time.perf_counter() < until:
        crowd.serve(0.05)
    crowd.serve(0.05)  # what is too much would come now
