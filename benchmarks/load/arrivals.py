"""People come: how long until each has its own answer, and what each costs in memory."""

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from typing import TYPE_CHECKING

from benchmarks.checks import Verdict
from benchmarks.dialects import LOBBY, Irc, spoken
from benchmarks.load.crowd import Crowd, names
from benchmarks.load.presence import told
from benchmarks.processes import Usage, resident_bytes, sleeps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.load.crowd import Seat
    from benchmarks.load.jobs import Arrivals, Churn, Job
    from benchmarks.results import Figures

__all__ = ["WEIGHT_AT", "arrivals", "churn"]

MEMORY_STEPS = 10
WATCHED = 10
"""How many IRC clients are asked afterwards whether they were told of everybody in their rooms."""
WEIGHT_AT = "resident_bytes_at_"
"""How the name of a figure of memory begins; how many people were in by then ends it."""


def arrivals(job: Arrivals) -> Iterator[Figures]:
    """Bring all in, wait until nothing more comes, and weigh the server.

    Yields:
        The figures, once; among them the memory at each tenth of the people, and how many somebody was not told of.

    Raises:
        CrowdError: if the server did not take them in time.
    """
    dialects = spoken(job.dialect)
    crowd = Crowd(job.ports, dialects)
    tells_everybody = all(isinstance(dialect, Irc) for dialect in dialects)
    watched = {n * (job.people - 1) // (WATCHED - 1) for n in range(WATCHED)} if tells_everybody else set[int]()
    rooms = [LOBBY] if job.rooms == 1 else [f"r{n:05}" for n in range(job.rooms)]
    people = list(zip(names(job.people), itertools.cycle(rooms)))
    weights: Figures = {}

    def weigh(entered: int) -> None:
        if job.pids and entered % max(1, job.people // MEMORY_STEPS) == 0:
            weights[f"{WEIGHT_AT}{entered}"] = _resident_bytes(job)

    try:
        empty = _resident_bytes(job)
        start = Usage.now(job.pids, job.engine_pid)
        seats = crowd.enter(people, at_once=job.at_once, seconds=job.limit_seconds, on_entered=weigh, kept=watched)
        used = Usage.now(job.pids, job.engine_pid).since(start)
        settled = crowd.settle()
        full = _resident_bytes(job)
        figures: Figures = {
            "people": job.people,
            "seconds": used.at,
            "settled_seconds": settled - start.at,
            "resident_bytes": full,
            "bytes_per_member": (full - empty) / job.people,
            "closed": crowd.closed,
        }
        figures |= _told([seats[n] for n in watched], people) | used.shares() | weights
        yield figures | (_idle(job, crowd) if job.idle_seconds else {})
    finally:
        crowd.close()


def _told(watched: Iterable[Seat], people: Sequence[tuple[str, str]]) -> Figures:
    """Whether these were told of everybody in their rooms, once."""
    found = Verdict()
    for seat in watched:
        others = {name for name, room in people if room == seat.room and name != seat.name}
        found += told(bytes(seat.heard or b""), seat.name, others)
    return {"lost": found.lost, "doubled": found.doubled}


def _resident_bytes(job: Job) -> int:
    return sum(map(resident_bytes, job.pids))


def _idle(job: Arrivals, crowd: Crowd) -> Figures:
    """What all of them cost while nothing happens."""
    start, slept = Usage.now(job.pids, job.engine_pid), sum(map(sleeps, job.pids))
    until = start.at + job.idle_seconds
    while time.perf_counter() < until:
        crowd.serve(0.1)
    used = Usage.now(job.pids, job.engine_pid).since(start)
    return {
        "idle_server_core_percent": 100 * used.server / used.at,
        "idle_engine_core_percent": 100 * used.engine / used.at,
        "idle_wake_ups_per_second": (sum(map(sleeps, job.pids)) - slept) / used.at,
    }


def churn(job: Churn) -> Iterator[Figures]:
    """People come, listen for a while, and go, some without a word.

    Yields:
        How many came and went, once.

    Raises:
        CrowdError: if the server turned one away.
    """
    crowd = Crowd(job.ports, spoken(job.dialect))
    here: deque[Seat] = deque()
    came = 0
    start = time.perf_counter()
    try:
        while (now := time.perf_counter()) < start + job.seconds:
            if came < (now - start) * job.per_second:
                here += crowd.enter([(f"guest{came}", job.room)], at_once=1, seconds=20)
                came += 1
            if len(here) > job.per_second * job.stay_seconds:
                _go(crowd, here.popleft())
            crowd.serve(0.01)
        yield {"came": came, "closed": crowd.closed}
    finally:
        crowd.close()


def _go(crowd: Crowd, seat: Seat) -> None:
    """Half of those who go say so."""
    if random.random() < 0.5:  # noqa: S311 - no secret depends on it
        seat.send(b"/quit\r\n")
    crowd.dismiss(seat)
