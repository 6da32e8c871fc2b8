"""Showing members what they have not seen: from the tail, or else in pages from the store.

Joining, resuming and falling behind are one thing here: a cursor somewhere before the end. Every step
moves a cursor or ends. Knows rooms and how to read the log. Must not know whose connection it is.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.formats.base import PAGE_BYTES
from twistedchat.rooms.audience import GONE
from twistedchat.rooms.tail import PAGE_EVENTS
from twistedchat.stores.base import DamagedError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.events import Event
    from twistedchat.reading import LogReader
    from twistedchat.rooms.audience import Member
    from twistedchat.rooms.room import Room
    from twistedchat.turns import Turns

__all__ = ["MAX_READS", "RETRY_SECONDS", "CatchUp"]

RETRY_SECONDS = 1.0
"""Delay after a failed read of the store before the same page is asked for again, in seconds.

Source: chosen; long enough that a broken disk costs nothing, short enough that nobody gives up.
"""

MAX_READS = 4
"""Most pages that are being read from the store at once; the others wait here.

So somebody who enters and leaves again and again brings reads that are dropped before the store is asked.
Source: the store reads one at a time; a few more keep it busy while a page is shown.
"""


class CatchUp:
    """Brings members forward.

    Args:
        reader: Reads the log.
        clock: For delays.
        turns: Where showing a page to many takes its turns.

    Attributes:
        reader: As above.
    """

    __slots__ = ("_clock", "_log", "_queue", "_told", "_turns", "_under_way", "_waiting", "reader")

    def __init__(self, reader: LogReader, clock: IReactorTime, turns: Turns) -> None:
        self.reader = reader
        self._clock = clock
        self._turns = turns
        self._waiting: dict[tuple[Room, int], list[Member]] = {}
        # The keys of those pages that are not being read yet.
        self._queue: deque[tuple[Room, int]] = deque()
        self._under_way = 0
        # Those who know that their page can't be read at the moment.
        self._told: set[Member] = set()
        self._log = Logger()

    def bring_forward(self, room: Room, member: Member) -> None:
        """Show a member what it has not seen, as far as its outlet takes it.

        To be called when a member has come in, or its outlet has room again. The outlet's
        ``caught_up`` is called when the member has seen everything that was taken in.
        """
        if member.is_fetching:
            return
        if not self._from_memory(room, member):
            member.is_fetching = True
            self._fetch(room, member.cursor, [member])
        elif member.cursor == room.seq:
            room.audience.caught_up(member, room.name)

    def _from_memory(self, room: Room, member: Member) -> bool:
        """Show what the tail holds; False if the member waits for events that are only in the store."""
        while GONE < member.cursor < room.seq and member.outlet is not None and not member.outlet.full:
            events = room.tail.after(member.cursor, PAGE_EVENTS)
            if not events:
                return False
            room.presence.tell_speakers(member, events)
            if not room.audience.show(member, room.tail.page(member.format, events)):
                break
        return True

    def _fetch(self, room: Room, after: int, members: list[Member]) -> None:
        """Read a page once for all who wait for it, when it is its turn."""
        if (room, after) in self._waiting:
            self._waiting[room, after] += members
            return
        self._waiting[room, after] = list(members)
        self._queue.append((room, after))
        if self._under_way < MAX_READS:
            Deferred.fromCoroutine(self._read()).addErrback(
                lambda failure: self._log.failure("A page could not be shown", failure)
            )

    async def _read(self) -> None:
        """Read one page after the other, until none waits for it. What nobody waits for any more is not read."""
        self._under_way += 1
        try:
            while self._queue:
                room, after = self._queue.popleft()
                if any(map(self._still_waits, self._waiting[room, after])):
                    await self._read_for(room, after)
                else:
                    del self._waiting[room, after]
        finally:
            self._under_way -= 1

    async def _read_for(self, room: Room, after: int) -> None:
        try:
            events = await self.reader.page(room.name, after=after, limit=PAGE_EVENTS, max_bytes=PAGE_BYTES)
        except DamagedError:
            self._pass_over(room, after)
            return
        except StoreError:
            self._read_again(room, after)
            return
        members = self._waiting.pop((room, after))
        self._told.difference_update(members)
        # What the room has not come to is shown when it has.
        events = [event for event in events if event.seq <= room.seq]
        if room.audience.count:
            room.tail.prepend(events, room.seq)
        self._turns.add(self._show(room, after, events, members))

    def _read_again(self, room: Room, after: int) -> None:
        """The store fails at the moment: tell each reader once, and try again later."""
        members = [member for member in self._waiting.pop((room, after)) if self._still_waits(member)]
        for member in members:
            if member not in self._told:
                self._told.add(member)
                room.audience.unreadable(member, room.name, passed_over=False)
        if members:
            self._clock.callLater(RETRY_SECONDS, self._fetch, room, after, members)

    def _pass_over(self, room: Room, after: int) -> None:
        """The page is damaged, and will not be read another time: tell its readers, and go on with what comes."""
        for member in self._waiting.pop((room, after)):
            if self._still_waits(member) and member.cursor == after:
                member.cursor = room.seq
                room.audience.unreadable(member, room.name, passed_over=True)
            member.is_fetching = False
            self._told.discard(member)
            if member.cursor != GONE:
                self.bring_forward(room, member)

    def _still_waits(self, member: Member) -> bool:
        if member.cursor == GONE:
            member.is_fetching = False
            self._told.discard(member)
        return member.is_fetching

    def _show(self, room: Room, after: int, events: Sequence[Event], members: list[Member]) -> Iterator[None]:
        """Show a page that was read to all who waited for it, one after the other."""
        for member in members:
            member.is_fetching = False
            if member.cursor == after:
                if events:
                    room.presence.tell_speakers(member, events)
                    room.audience.show(member, room.tail.page(member.format, events))
                else:
                    # The log has lost its end: nothing is left to be shown.
                    member.cursor = max(after, room.seq)
            if member.cursor != GONE:
                self.bring_forward(room, member)
            yield
