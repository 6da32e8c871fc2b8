"""When the members of a room are told who came and went: gathered or at once, and always before somebody speaks.

Knows the time, and in which rooms something changed. Must not know what is told, or to whom: `presence` and `ring` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.limits import TokenBucket
from twistedchat.rooms.steps import Run, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.events import Event
    from twistedchat.rooms.audience import Outlet
    from twistedchat.rooms.room import Room
    from twistedchat.rooms.steps import Step
    from twistedchat.turns import Turns

__all__ = ["GATHER_SECONDS", "LARGE_GATHER_SECONDS", "LINES_A_SECOND", "PAGE_SECONDS", "Announcer"]

GATHER_SECONDS = 0.25
"""Delay in a small room during which coming and going is gathered, in seconds. Source: docs/protocol.md, "Events"."""

LARGE_GATHER_SECONDS = 1.0
"""Delay in a large room, in seconds, after which the count alone is told. Source: docs/protocol.md, ``presence``."""

PAGE_SECONDS = 1.0
"""Delay after which steps are told together that were not told at once, in seconds.

Source: docs/irc.md, "Who is here".
"""

LINES_A_SECOND = 10_000
"""Most lines about presence that are sent at once in a second, on the whole server.

Source: docs/irc.md, "Who is here"; with 7 to 25 µs each a quarter of a core at the most.
"""


class Announcer:
    """Tells rooms who came and went.

    Args:
        clock: For delays.
        turns: Where telling many takes its turns.
    """

    __slots__ = ("_clock", "_is_hushed", "_lines", "_pages", "_timers", "_turns")

    def __init__(self, clock: IReactorTime, turns: Turns) -> None:
        self._clock = clock
        self._turns = turns
        self._lines = TokenBucket(LINES_A_SECOND, LINES_A_SECOND, clock.seconds())
        self._timers: dict[Room, IDelayedCall] = {}
        self._is_hushed = False
        # The rooms in which steps wait to be told together.
        self._pages: dict[Room, IDelayedCall] = {}

    def changed(self, room: Room) -> None:
        """See to it that the members are told; what happens until then is told together."""
        if room not in self._timers:
            delay = GATHER_SECONDS if room.presence.is_small else LARGE_GATHER_SECONDS
            self._timers[room] = self._clock.callLater(delay, self._due, room)

    def before_speech(self, room: Room, events: Sequence[Event] = ()) -> Iterator[None]:
        """These events are about to be shown: whoever speaks has been announced.

        Of those who are told together, in a small room; it is done when this returns.

        Returns:
            What is to be done for those who are told in steps, before the events are shown.
        """
        if room in self._timers and room.presence.is_small:
            self._timers.pop(room).cancel()
            for _ in room.presence.tell_all():
                pass
        ring = room.presence.ring
        return ring.tell_speakers(events) if ring.is_gathering else _NOTHING

    # -- in steps ----------------------------------------------------------------------------------

    def step(self, step: Step, rooms: Iterable[Room]) -> None:
        """Something has happened in these rooms: tell it at once, and once to everybody, or see to it that it is told.

        Whoever did it is not told. The rosters of the rooms have it already. The rank of whoever comes is found here.
        """
        at_once: list[Room] = []
        for room in rooms:
            count = room.audience.in_steps
            if count and not self._is_hushed:
                # A rank is of one room; whoever comes into a room comes into no other at the same time.
                if step.kind in (StepKind.JOIN, StepKind.NICK):
                    step = step._replace(rank=room.charter.rank(step.doer))
                room.presence.happened(step)
                if not room.presence.ring.is_gathering and self.spend(count):
                    at_once.append(room)
                else:
                    self._gather(room)
        if at_once:
            run = Run((step,))
            told: dict[Outlet, bool] = {}
            for room in at_once:
                if not room.presence.ring.tell_now(run, told):
                    self._gather(room)

    def spend(self, lines: int) -> bool:
        """Whether so many lines may be sent at once; if so, they are counted."""
        return self._lines.take_all(self._clock.seconds(), lines)

    def _gather(self, room: Room) -> None:
        if room not in self._pages:
            room.presence.ring.is_gathering = True
            self._pages[room] = self._clock.callLater(PAGE_SECONDS, self._page_due, room)

    def _page_due(self, room: Room) -> None:
        self._turns.add(self._tell_page(room))

    def _tell_page(self, room: Room) -> Iterator[None]:
        """Tell what has been gathered, a page of it; what is left, and what happens meanwhile, is told later."""
        ring = room.presence.ring
        yield from ring.tell_all(ring.last)
        if self._pages.pop(room, None) is not None:
            ring.is_gathering = False
            if not ring.is_told:
                self._gather(room)

    # -- ending ------------------------------------------------------------------------------------

    def forget(self, room: Room) -> None:
        """Nobody is left to be told."""
        for timers in (self._timers, self._pages):
            _cancel(timers.pop(room, None))

    def hush(self) -> None:
        """Tell nobody in steps any more: the server stops, and everybody goes."""
        self._is_hushed = True

    def close(self) -> None:
        """Tell nobody anything any more."""
        for timers in (self._timers, self._pages):
            for timer in timers.values():
                _cancel(timer)
            timers.clear()

    def _due(self, room: Room) -> None:
        del self._timers[room]
        self._turns.add(room.presence.tell_all())


_NOTHING: Iterator[None] = iter(())


def _cancel(timer: IDelayedCall | None) -> None:
    # One that was called stays until all are told.
    if timer is not None and timer.active():
        timer.cancel()
