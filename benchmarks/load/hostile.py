"""Many peers who take and do not give, or one who gives too much: what it costs the server, and everybody else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.dialects import JsonLines
from benchmarks.load.attacks import ARCHIVE, ATTACKS, OWN, archived
from benchmarks.load.bystanders import Bystanders
from benchmarks.load.crowd import Crowd, CrowdError, names
from benchmarks.load.ears import Teller
from benchmarks.processes import Usage, resident_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.load.crowd import Seat
    from benchmarks.load.jobs import Hostile
    from benchmarks.results import Figures

__all__ = ["hostile"]

SEND_BYTES = 1 << 18
"""The most that one peer is given to send in one turn, in bytes, so that the bystanders keep their clock."""
WEIGH_SECONDS = 0.05
STEADY_SECONDS = 3.0
"""Memory that has not changed for so long is taken as what the attack costs, or what is left of it."""
STEADY_BYTES = 2 << 20
"""A change of memory that counts as none, in bytes: less than a thousandth of what is looked for."""


class _Scale:
    """The server's memory, weighed now and then.

    Attributes:
        peak: The most so far, in bytes.
        last: The newest, in bytes.
    """

    def __init__(self, pid: int | None) -> None:
        self._pid = pid or 0
        self._since = time.perf_counter()
        self._due = 0.0
        self._reference = self.peak = self.last = resident_bytes(self._pid)

    def weigh(self) -> float:
        """Weigh if it is time to; returns for how many seconds nothing has changed."""
        now = time.perf_counter()
        if now < self._due:
            return now - self._since
        self._due = now + WEIGH_SECONDS
        self.last = resident_bytes(self._pid)
        self.peak = max(self.peak, self.last)
        if abs(self.last - self._reference) > STEADY_BYTES:
            self._reference, self._since = self.last, now
        return now - self._since


class _Siege:
    """One attack, with the bystanders who feel it."""

    def __init__(self, job: Hostile, peers: Crowd, bystanders: Bystanders) -> None:
        self._job = job
        self._attack = ATTACKS[job.attack]
        self._peers = peers
        self._bystanders = bystanders
        self._unsent: list[tuple[Seat, memoryview]] = []
        self._tellers: list[Teller] = []

    def enter(self) -> list[Seat]:
        """Bring the peers in, and let the bystanders begin."""
        count = min(self._job.peers, self._attack.most_peers)
        rooms = [f"{OWN}{n}" if self._attack.room == OWN else self._attack.room for n in range(count)]
        people = list(zip(names(count), rooms, strict=True))
        seats = self._peers.enter(people, at_once=self._job.at_once, seconds=self._job.limit_seconds)
        self._peers.settle()
        return seats

    def demand(self, seats: Sequence[Seat]) -> None:
        """Everybody has something to send; those who do not read stop reading."""
        for seat in seats:
            self._unsent.append((seat, memoryview(self._attack.demand)))
            if self._attack.reads:
                self._tellers.append(Teller(seat))
                self._peers.listen(seat, self._tellers[-1])
            else:
                self._peers.deafen(seat)

    def serve(self) -> None:
        """One turn: send what goes, read what comes, ping."""
        for seat, rest in self._unsent:
            seat.flush()
            if not seat.backlog:
                seat.send(bytes(rest[:SEND_BYTES]))
        self._unsent = [(seat, rest if seat.backlog else rest[SEND_BYTES:]) for seat, rest in self._unsent]
        self._unsent = [(seat, rest) for seat, rest in self._unsent if rest or seat.backlog]
        self._peers.serve(0)
        self._bystanders.serve(0.001)

    def done(self) -> bool:
        """Whether all that is read has been read; always true of peers that do not read."""
        lines = self._attack.demand.count(b"\n")
        return all(teller.newlines >= lines for teller in self._tellers)


def hostile(job: Hostile) -> Iterator[Figures]:
    """Fill the archive, let the peers do what they do until the server's memory is steady, and let them go.

    Yields:
        The figures, once.

    Raises:
        CrowdError: if the archive could not be filled or the peers could not enter.
    """
    peers, bystanders = Crowd(job.ports, (ATTACKS[job.attack].dialect,)), Bystanders(job.port)
    siege = _Siege(job, peers, bystanders)
    try:
        idle = resident_bytes(job.pid or 0)
        if ATTACKS[job.attack].room == ARCHIVE:
            _fill_archive(job)
        bystanders.enter()
        seats = siege.enter()
        entered = resident_bytes(job.pid or 0)
        start = Usage.now(job.pids)
        bystanders.begin()
        siege.demand(seats)
        peak = _until_steady(job, siege.serve, siege.done).peak
        used = Usage.now(job.pids).since(start)
        pings = bystanders.finish()
        let_go = peers.closed
        peers.close()
        left = _until_steady(job, lambda: time.sleep(WEIGH_SECONDS)).last
        figures: Figures = {
            "idle_bytes": idle,
            "entered_bytes": entered - idle,
            "above_idle_bytes": peak - idle,
            "left_over_bytes": left - idle,
            "let_go": let_go,
            "seconds": used.at,
        }
        yield {**figures, **pings, **used.shares()}
    finally:
        peers.close()
        bystanders.close()


def _until_steady(job: Hostile, turn: Callable[[], None], done: Callable[[], bool] = lambda: True) -> _Scale:
    """Take turns until the server's memory no longer changes and all is done, or the time is over."""
    scale = _Scale(job.pid)
    until = time.perf_counter() + job.limit_seconds
    while time.perf_counter() < until:
        turn()
        if scale.weigh() > STEADY_SECONDS and done():
            break
    return scale


def _fill_archive(job: Hostile) -> None:
    """Somebody says the long lines, and goes when all of them are stored."""
    crowd = Crowd(job.ports, (JsonLines(),))
    try:
        (seat,) = crowd.enter([("archivist", ARCHIVE)], at_once=1, seconds=20)
        crowd.settle()
        lines = archived()
        teller = Teller(seat)
        crowd.listen(seat, teller)
        seat.send(lines)
        until = time.perf_counter() + job.limit_seconds
        while teller.newlines < 2 * lines.count(b"\n"):  # each is shown and answered
            seat.flush()
            crowd.serve(0.01)
            if crowd.closed or time.perf_counter() > until:
                raise CrowdError("the archive could not be filled")
    finally:
        crowd.close()
