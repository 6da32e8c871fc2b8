"""One room, lines by the clock: what is delivered, how late, at what cost, and whether all of it is right."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.checks import percentile
from benchmarks.dialects import spoken
from benchmarks.load.audience import Audience
from benchmarks.load.crowd import Crowd, CrowdError, names
from benchmarks.load.ears import marked
from benchmarks.load.manners import MANNERS
from benchmarks.processes import Usage, peak_bytes, resident_bytes
from benchmarks.results import disturbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.load.crowd import Seat
    from benchmarks.load.jobs import FanOut
    from benchmarks.results import Figures

__all__ = ["fan_out"]

TICK_SECONDS = 0.001
SPARSE_LINES_PER_SECOND = 200
"""Up to so many, the generator spins until each line's time has come."""
EXACT_LINES_PER_SECOND = 1000
"""Up to so many, it sleeps until then, to a tenth of a millisecond; above, those of a millisecond are said together."""
KEPT_UP = 0.9
"""A stage that delivered a smaller share of what was offered was too much."""


class _Stage:
    """One rate for some seconds."""

    def __init__(
        self, job: FanOut, rate: float, crowd: Crowd, senders: Sequence[Seat], listeners: Sequence[Seat]
    ) -> None:
        self._job = job
        self._rate = rate
        self._crowd = crowd
        ignoring = MANNERS[job.manner].ignoring([*senders, *listeners], len(senders))
        self._audience = Audience(crowd, senders, listeners, rate, ignoring)
        self._senders = senders
        self._lines = [seat.dialect.say(job.room, marked(job.text_bytes)) for seat in senders]
        self._said = 0
        self._total = max(1, round(rate * (job.warm_seconds + job.seconds)))
        self._scheduled = time.perf_counter() + 0.02

    def run(self) -> Figures:
        """Say the lines, wait until all have come, and tell what was seen."""
        self._talk_until(self._scheduled + self._job.warm_seconds)
        start, heard = self._usage(), self._audience.received()
        self._talk_until(self._scheduled + self._job.warm_seconds + self._job.seconds)
        used, received = self._usage().since(start), self._audience.received()
        gave_up = self._drain()
        deliveries = self._audience.deliveries(received) - self._audience.deliveries(heard)
        figures: Figures = {
            "offered_lines_per_second": self._rate,
            "lines_per_second": deliveries / used.at / self._audience.copies,
        }
        return figures | used.figures(deliveries) | self._delays() | self._rightness(gave_up)

    def _usage(self) -> Usage:
        return Usage.now(self._job.pids, self._job.engine_pid)

    def _talk_until(self, end: float) -> None:
        while (now := time.perf_counter()) < end:
            self._say_until(min(self._total, int((now - self._scheduled) * self._rate) + 1))
            self._crowd.serve(self._pause(now))

    def _pause(self, now: float) -> float:
        """How long to wait for something to read: epoll counts in milliseconds, so at rest the last one is spun."""
        due = self._scheduled + self._said / self._rate
        if self._rate > SPARSE_LINES_PER_SECOND:
            return max(0.0, due - now) if self._rate <= EXACT_LINES_PER_SECOND else TICK_SECONDS
        return max(0.0, min(0.05, due - now - TICK_SECONDS))

    def _say_until(self, number: int) -> None:
        """Say the lines up to this one, which their senders take in turns."""
        count = len(self._senders)
        for index, seat in enumerate(self._senders):
            seat.flush()
            first = self._said + (index - self._said) % count
            if first < number:
                seat.send(b"".join([self._lines[index] % n for n in range(first, number, count)]))
        self._said = max(self._said, number)

    def _drain(self) -> bool:
        """Wait for what is still to come; returns whether more was on its way when the time was over."""
        self._say_until(self._total)
        moved = time.perf_counter()
        until = moved + self._job.drain_seconds
        while not self._audience.complete(self._total):
            now = time.perf_counter()
            if now > until:
                return True
            if now > moved + self._job.stalled_seconds:
                return False
            for seat in self._senders:
                seat.flush()
            if self._crowd.serve(0.05):
                moved = now
        self._crowd.serve(0.05)  # what is too much would come now
        return False

    def _delays(self) -> Figures:
        first = round(self._rate * self._job.warm_seconds)
        delays = self._audience.delays(self._scheduled, self._rate, first)
        return {
            "p50_ms": 1000 * percentile(delays, 0.5),
            "p99_ms": 1000 * percentile(delays, 0.99),
            "max_ms": 1000 * percentile(delays, 1),
            "longest_gap_ms": 1000 * self._audience.longest_gap(self._scheduled),
            "samples": len(delays),
        }

    def _rightness(self, gave_up: bool) -> Figures:
        verdict = self._audience.verdict(self._total)
        return {
            "said": self._total,
            "complete": self._audience.complete(self._total),
            "outstanding": verdict.lost if gave_up else 0,
            "lost": 0 if gave_up else verdict.lost,
            "doubled": verdict.doubled,
            "reordered": verdict.reordered,
            "same_order": self._audience.same_order(),
        }


def fan_out(job: FanOut) -> Iterator[Figures]:
    """Fill the room, then run stage after stage until one is too much for the server.

    Yields:
        The figures of each stage.

    Raises:
        CrowdError: if the room could not be filled.
    """
    if not 0 < job.senders < job.members:
        raise CrowdError("somebody must talk, and somebody only listen")
    crowd = Crowd(job.ports, spoken(job.dialect))
    people = [(name, job.room) for name in names(job.members)]
    try:
        seats = crowd.enter(people, at_once=job.at_once, seconds=job.limit_seconds)
        senders, listeners = seats[: job.senders], seats[job.senders :]
        hello = senders[0].dialect.say(job.room, b"hello")
        senders[0].send(hello)  # the first line of a day may bring the date with it
        crowd.settle()
        MANNERS[job.manner].adopt(seats)
        crowd.settle()
        before = sum(map(resident_bytes, job.pids))
        for rate in job.rates:
            figures = _Stage(job, rate, crowd, senders, listeners).run()
            if job.climbing and _too_much(figures, job.p99_limit_ms) and disturbed(figures):
                # A climb does not end because others wanted the processor just then.
                figures = _Stage(job, rate, crowd, senders, listeners).run()
            yield figures | {"closed": crowd.closed, "resident_before_bytes": before} | _weight(job.pids)
            if job.climbing and _too_much(figures, job.p99_limit_ms):
                return
    finally:
        crowd.close()


def _weight(pids: Sequence[int]) -> Figures:
    return {"resident_after_bytes": sum(map(resident_bytes, pids)), "peak_bytes": sum(map(peak_bytes, pids))}


def _too_much(figures: Figures, p99_limit_ms: float) -> bool:
    kept_up = float(figures["lines_per_second"]) >= KEPT_UP * float(figures["offered_lines_per_second"])
    return not kept_up or not figures["complete"] or float(figures["p99_ms"]) > p99_limit_ms
