"""A store that forgets everything when the server stops. Must not know a reactor."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from typing_extensions import override

from twistedchat.events import Kind
from twistedchat.stores.base import RoomSummary, Store
from twistedchat.stores.stamp import Head, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Draft, Event

__all__ = ["EVENTS_PER_ROOM", "MemoryStore"]

EVENTS_PER_ROOM = 10_000
"""A room in memory forgets its oldest events, and their keys, beyond so many."""


class MemoryStore(Store):
    """Keeps the newest `EVENTS_PER_ROOM` events of each room, for as long as the server runs.

    Every method finishes at once. What a room has forgotten is no longer read; its seq goes on.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rooms: dict[str, deque[tuple[Event, str | None]]] = {}
        self._by_key: dict[tuple[str, str], Event] = {}
        self._heads: dict[str, Head] = {}
        self._topics: dict[str, str] = {}

    @override
    async def open(self) -> None:
        pass

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Event]:
        stamped = stamp(batch, heads=self._heads, standing=self._by_key, now_ms=int(self._clock() * 1000))
        for event, key in stamped.fresh:
            self._add(event, key)
        self._heads.update(stamped.heads)
        return stamped.events

    @override
    async def read(
        self, room: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Sequence[Event]:
        entries = self._rooms.get(room)
        if not entries:
            return []
        oldest = entries[0][0].seq
        start = 0 if after is None else min(max(after + 1 - oldest, 0), len(entries))
        stop = len(entries) if before is None else min(max(before - oldest, start), len(entries))
        if after is None:
            start = max(start, stop - limit)
        return [event for event, _ in islice(entries, start, min(stop, start + limit))]

    @override
    async def rooms(self) -> Sequence[RoomSummary]:
        return [RoomSummary(name, *head, self._topics.get(name, "")) for name, head in self._heads.items()]

    @override
    async def close(self) -> None:
        pass

    def _add(self, event: Event, key: str | None) -> None:
        entries = self._rooms.setdefault(event.room, deque())
        entries.append((event, key))
        if key is not None:
            self._by_key[event.room, key] = event
        if event.kind is Kind.TOPIC:
            self._topics[event.room] = event.text
        if len(entries) > EVENTS_PER_ROOM:
            _, forgotten = entries.popleft()
            if forgotten is not None:
                del self._by_key[event.room, forgotten]
