"""Everything that is shared: the rooms, the names in use, the one pipeline, the lost sessions.

Must not know any protocol, nor how anything is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.errors import ChatError
from twistedchat.fanout import Fanout
from twistedchat.names import Register
from twistedchat.pipeline import Pipeline
from twistedchat.room import GONE, PAGE_EVENTS, PRESENCE_LIMIT, Room
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.events import Event
    from twistedchat.room import Member
    from twistedchat.stores.base import Store

__all__ = ["LINGER_SECONDS", "Hub", "Person"]

LINGER_SECONDS = 60.0
"""A lost session can be taken up for so long. Source: docs/protocol.md, ``hello``."""

MAX_LINGERING = 10_000
"""The most lost sessions that are kept; past it the oldest is let go early, so that they can't pile up."""

PRESENCE_SECONDS = (0.25, 1.0)
"""Coming and going is gathered for so long: in rooms up to `room.PRESENCE_LIMIT`, and in larger ones."""

RETRY_SECONDS = 1.0
"""After a page could not be read from the store, it is tried again so much later."""


class Person(Protocol):
    """Somebody who has a name here; `session.Session` is the one."""

    name: str

    def tell(self, sender: Person, text: str, at: int) -> None:
        """Take a private line, or raise a `ChatError` that tells its sender why not."""
        ...

    def close(self, why: str = "") -> None:
        """Leave every room and give the name back."""
        ...


class Hub:
    """The state of the server.

    Args:
        store: Where the logs are.
        reactor: For the time.
        history: How many events somebody who enters a room is shown, at least 0.
    """

    def __init__(self, store: Store, reactor: IReactorTime, *, history: int = 20) -> None:
        self.history = history
        self.people: Register[Person] = Register()
        self.tokens: dict[str, Person] = {}
        self.reactor = reactor
        self.fanout = Fanout(reactor)
        self.pipeline = Pipeline(store, reactor, self.fanout, self._tell_presence_now)
        self._store = store
        self._rooms: Register[Room] = Register()
        self._all: dict[Room, None] = {}
        self._sorted: list[Room] | None = None
        self._lingering: dict[Person, IDelayedCall] = {}
        self._restless: dict[Room, IDelayedCall] = {}
        self._readable = True
        self._fetches: dict[tuple[Room, int], list[Member]] = {}
        self._log = Logger()

    async def open(self) -> None:
        """Open the store and learn which rooms there are.

        Raises:
            StoreError: The store can't be used.
        """
        await self._store.open()
        for summary in await self._store.rooms():
            try:
                self._add_room(Room(summary.name, summary.seq, summary.topic))
            except ChatError:
                # What looks alike can grow with a later Unicode.
                self._log.warn("#{room} looks like another room and can't be entered", room=summary.name)
        self.pipeline.open()

    async def close(self) -> None:
        """Store and show what was accepted, then close the store. Nothing may be submitted any more."""
        await self.pipeline.settled()
        for timer in [*self._lingering.values(), *self._restless.values()]:
            timer.cancel()
        self._lingering.clear()
        self._restless.clear()
        await self._store.close()

    # -- rooms ---------------------------------------------------------------------------------

    @property
    def rooms(self) -> Sequence[Room]:
        """The rooms in which somebody is or something was said, by name."""
        if self._sorted is None:
            self._sorted = sorted(self._all, key=lambda room: room.name)
        return self._sorted

    def find_room(self, name: str) -> Room | None:
        """The room of this name, or of one that a person could take for it."""
        return self._rooms.find(name)

    def room(self, name: str) -> Room:
        """The room of this name; it comes to be if there is none."""
        return self.find_room(name) or self._add_room(Room(name))

    def _add_room(self, room: Room) -> Room:
        self._rooms.claim(room.name, room)
        self._all[room] = None
        self._sorted = None
        return room

    def entered(self, room: Room, member: Member) -> None:
        """Let a member into a room."""
        if not room.count:
            self.pipeline.live_rooms += 1
        room.add(member)
        self.presence_changed(room)

    def left(self, room: Room, member: Member, why: str = "") -> None:
        """Let a member out; a room that nobody is in costs next to nothing, one with no log nothing."""
        room.remove(member, why)
        if room.count:
            self.presence_changed(room)
            return
        self.pipeline.live_rooms -= 1
        room.recent.clear()
        timer = self._restless.pop(room, None)
        if timer is not None:
            timer.cancel()
        if not room.seq and not self.pipeline.has(room):
            self._rooms.release(room.name)
            del self._all[room]
            self._sorted = None

    # -- who came and went -----------------------------------------------------------------------

    def presence_changed(self, room: Room) -> None:
        """See to it that the members are told; what happens until then is told together."""
        if room not in self._restless:
            delay = PRESENCE_SECONDS[room.count > PRESENCE_LIMIT]
            self._restless[room] = self.reactor.callLater(delay, self._tell_presence, room)

    def _tell_presence(self, room: Room) -> None:
        del self._restless[room]
        self.fanout.add(room.tell_presence())

    def _tell_presence_now(self, room: Room) -> None:
        """Before somebody speaks, the others are told that he is here."""
        timer = self._restless.get(room)
        if timer is not None and room.count <= PRESENCE_LIMIT:
            del self._restless[room]
            timer.cancel()
            for _ in room.tell_presence():
                pass

    # -- bringing members forward ----------------------------------------------------------------

    def bring_forward(self, room: Room, member: Member) -> None:
        """Show a member what it has not seen, from memory or from the store, as far as its outlet takes it.

        To be called when a member has come in, or its outlet has room again. The outlet's
        ``caught_up`` is called when the member has seen everything that stands in the log.
        """
        if member.fetching:
            return
        if room.bring_forward(member):
            if member.cursor == room.seq and member.outlet is not None:
                member.outlet.caught_up(room)
            return
        member.fetching = True
        self._fetch(room, member.cursor, [member])

    def _fetch(self, room: Room, after: int, members: list[Member]) -> None:
        """Read a page once for all who wait for it."""
        waiting = self._fetches.setdefault((room, after), [])
        waiting.extend(members)
        if len(waiting) == len(members):
            Deferred.fromCoroutine(self._read_for(room, after)).addErrback(
                lambda failure: self._log.failure("A page could not be shown", failure)
            )

    async def _read_for(self, room: Room, after: int) -> None:
        try:
            events = await self._read(room.name, after=after, limit=PAGE_EVENTS)
        except StoreError:
            members = self._fetches.pop((room, after))
            self.reactor.callLater(RETRY_SECONDS, self._fetch, room, after, members)
            return
        members = self._fetches.pop((room, after))
        if room.count:
            room.recent.fill(events, room.seq)
        self.fanout.add(self._show_page(room, after, events, members))

    def _show_page(self, room: Room, after: int, events: Sequence[Event], members: list[Member]) -> Iterator[None]:
        """Show a page that was read to all who waited for it, one after the other."""
        for member in members:
            member.fetching = False
            if member.cursor == after and events:
                room.show(member, events)
            if member.cursor != GONE:
                self.bring_forward(room, member)
            yield

    async def read(
        self, room: Room, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Sequence[Event]:
        """A page of a room's log; see `stores.base.Store.read`.

        Raises:
            ChatError: ``not-readable``: the store fails.
        """
        try:
            return await self._read(room.name, after=after, before=before, limit=limit)
        except StoreError as error:
            raise ChatError("not-readable", f"The log can't be read now: {error} Try again later.") from error

    async def _read(
        self, room: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Sequence[Event]:
        """The same; when the store begins to fail, and when it no longer does, the operator is told once."""
        try:
            events = await self._store.read(room, after=after, before=before, limit=limit)
        except StoreError as error:
            if self._readable:
                self._readable = False
                self._log.error("The logs can't be read: {error}", error=error)
            raise
        if not self._readable:
            self._readable = True
            self._log.info("The logs can be read again.")
        return events

    async def seq_at(self, room: Room, at: int) -> int:
        """The seq of the last event before a time in milliseconds, or 0. About 20 small reads for a million events."""
        low, high = 0, room.seq
        while low < high:
            middle = (low + high + 1) // 2
            events = await self.read(room, after=middle - 1, limit=1)
            if events and events[0].at < at:
                low = middle
            else:
                high = middle - 1
        return low

    # -- lost sessions ---------------------------------------------------------------------------

    def linger(self, person: Person) -> None:
        """Keep a lost session for `LINGER_SECONDS`; then it leaves."""
        if len(self._lingering) >= MAX_LINGERING:
            self._let_go(next(iter(self._lingering)))
        self._lingering[person] = self.reactor.callLater(LINGER_SECONDS, self._let_go, person)

    def _let_go(self, person: Person) -> None:
        self.back(person)
        person.close()

    def back(self, person: Person) -> None:
        """A lost session is taken up again, or has ended."""
        timer = self._lingering.pop(person, None)
        if timer is not None and timer.active():
            timer.cancel()
