"""The rooms that somebody on this node is in: found by name, opened from the store, forgotten when empty.

A closed room that the last member has left is let go of when the store has put its log away. Knows names and the
store. Must not know who is in a room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.errors import ChatError
from twistedchat.names import Register
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from typing import Any

    from twisted.python.failure import Failure

    from twistedchat.rooms.room import Room
    from twistedchat.stores.base import RoomSummary, Store

__all__ = ["LiveRooms"]


class LiveRooms:
    """Rooms by their name.

    Args:
        store: Knows the rooms that nobody is in.
        make: Makes a room of what the store knows about it.
        prepare: Called with a room that has just become live, before anybody enters it; may raise `ChatError`.
    """

    __slots__ = ("_asked", "_by_name", "_ending", "_log", "_make", "_prepare", "_preparing", "_register", "_store")

    def __init__(
        self,
        store: Store,
        make: Callable[[RoomSummary], Room],
        prepare: Callable[[Room], Coroutine[Deferred[Any], Any, None]] | None = None,
    ) -> None:
        self._store = store
        self._make = make
        self._prepare = prepare
        self._preparing: dict[Room, list[Deferred[None]]] = {}
        # Closed rooms that the last member has left, each with those who wait until its log is put away.
        self._ending: dict[Room, _Ending] = {}
        self._log = Logger()
        self._by_name: dict[str, Room] = {}
        self._register: Register[Room] = Register()
        self._asked: dict[tuple[str, int], list[Deferred[Sequence[RoomSummary]]]] = {}

    def __iter__(self) -> Iterator[Room]:
        """The live rooms, in no particular order."""
        return iter(self._by_name.values())

    def get(self, name: str) -> Room | None:
        """The live room of exactly this name."""
        return self._by_name.get(name)

    def find(self, name: str) -> Room | None:
        """The live room of this name, or of one that a person could take for it."""
        return self._by_name.get(name) or self._register.find(name)

    async def summary(self, name: str) -> RoomSummary:
        """What is known of the room that counts as this one; its seq is 0 if there is none.

        Raises:
            ChatError: ``not-readable``: the store fails.
        """
        return await self._summary(self._store.room(name), name)

    @staticmethod
    async def _summary(asked: Coroutine[Deferred[Any], Any, RoomSummary], name: str) -> RoomSummary:
        try:
            return await asked
        except StoreError as error:
            raise ChatError("not-readable", f"#{name} can't be looked up now. Try again later.") from error

    async def stored(self, after: str, limit: int) -> Sequence[RoomSummary]:
        """The rooms that have an event, by name, from behind ``after`` on; looked up once for all who ask meanwhile.

        Raises:
            ChatError: ``not-readable``: the store fails.
        """
        answer: Deferred[Sequence[RoomSummary]] = Deferred()
        waiting = self._asked.setdefault((after, limit), [])
        waiting.append(answer)
        if len(waiting) == 1:
            Deferred.fromCoroutine(self._store.rooms(after, limit)).addBoth(self._answer, (after, limit))
        try:
            return await answer
        except StoreError as error:
            raise ChatError("not-readable", "The rooms can't be looked up now. Try again later.") from error

    def _answer(self, found: Sequence[RoomSummary] | Failure, asked: tuple[str, int]) -> None:
        for answer in self._asked.pop(asked):
            answer.callback(found)

    async def open(self, name: str) -> Room:
        """The room that counts as this one, live from now on; its ``entering`` is one more.

        Raises:
            ChatError: ``not-readable``: the store fails; or what ``prepare`` raises.
        """
        room = self._by_name.get(name)
        if room is None:
            summary = await self._summary(self._store.open_room(name), name)
            # Of rooms without an event the store may know nothing, and somebody may have been faster.
            room = self._by_name.get(summary.name) or (None if summary.seq else self._register.find(name))
            if room is None:
                return await self._begin(self._make(summary))
        if room in self._ending:
            await self._end_of(room)
            return await self.open(name)
        room.entering += 1
        if room in self._preparing:
            prepared: Deferred[None] = Deferred()
            self._preparing[room].append(prepared)
            await self._entering(room, prepared)
        return room

    async def _begin(self, room: Room) -> Room:
        """A room is live from now on; whoever else wants to enter waits until it is prepared."""
        self._register.claim(room.name, room)
        self._by_name[room.name] = room
        room.entering += 1
        if self._prepare is not None:
            prepared: Deferred[None] = Deferred()
            waiting = self._preparing[room] = [prepared]
            # Not cancelled with whoever came first: others wait for it, too.
            Deferred.fromCoroutine(self._prepare(room)).addBoth(self._prepared, room, waiting)
            await self._entering(room, prepared)
        return room

    def _prepared(self, outcome: Failure | None, room: Room, waiting: Sequence[Deferred[None]]) -> None:
        del self._preparing[room]
        for one in waiting:
            one.callback(outcome)

    async def _entering(self, room: Room, prepared: Deferred[None]) -> None:
        """Wait for a room; if it can't be entered, or whoever waits is gone, it is let go of."""
        try:
            await prepared
        except BaseException:
            room.entering -= 1
            if room.is_idle:
                self.forget(room)
            raise

    def forget(self, room: Room) -> None:
        """Let go of a room that is idle; of a closed one when its log has been put away."""
        if room in self._ending:
            self._put_away(room)
        elif self._by_name.get(room.name) is room:
            room.tail.clear()
            self._register.release(room.name)
            del self._by_name[room.name]

    # -- closed rooms ------------------------------------------------------------------------------

    async def shut(self, room: Room, *, is_shut: bool) -> None:
        """Have the store know that a room is closed, or is no more: should the server die, its log is put away.

        Raises:
            ChatError: ``not-stored``: the store fails.
        """
        try:
            await self._store.shut(room.name, is_shut=is_shut)
        except StoreError as error:
            text = f"The store fails, so #{room.name} can't be closed or opened now. Try again later."
            raise ChatError("not-stored", text) from error

    def end(self, room: Room) -> None:
        """The last member has left a closed room: when it is idle its log is put away, and nobody enters before."""
        self._ending.setdefault(room, _Ending())

    def is_ending(self, room: Room) -> bool:
        """Whether a room is about to be let go of, with its log."""
        return room in self._ending

    async def _end_of(self, room: Room) -> None:
        """Wait until the log of a closed room is put away.

        Raises:
            ChatError: ``not-readable``: the store fails; whoever asks next makes it try again.
        """
        waiting: Deferred[None] = Deferred()
        self._ending[room].waiting.append(waiting)
        if room.is_idle:
            self._put_away(room)
        try:
            await waiting
        except StoreError as error:
            raise ChatError("not-readable", f"#{room.name} can't be looked up now. Try again later.") from error

    def _put_away(self, room: Room) -> None:
        ending = self._ending[room]
        if not ending.is_under_way:
            ending.is_under_way = True
            Deferred.fromCoroutine(self._store.put_away(room.name)).addBoth(self._ended, room, ending)

    def _ended(self, outcome: Failure | None, room: Room, ending: _Ending) -> None:
        ending.is_under_way = False
        if outcome is None:
            del self._ending[room]
            self.forget(room)
        else:
            self._log.failure("The log of a closed room could not be put away", outcome)
        waiting, ending.waiting = ending.waiting, []
        for one in waiting:
            if not one.called:
                one.callback(outcome)


class _Ending:
    """A closed room that the last member has left.

    Attributes:
        waiting: Who waits until its log is put away.
        is_under_way: Whether the store is doing it.
    """

    __slots__ = ("is_under_way", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Deferred[None]] = []
        self.is_under_way = False
