"""A store that forgets everything when the server stops. Must not know a reactor."""

from __future__ import annotations

from collections import deque
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING

from typing_extensions import override

from twistedchat.events import Kind
from twistedchat.names import Register
from twistedchat.stores.base import ROOMS_PER_PAGE, RoomSummary, Store
from twistedchat.stores.stamp import Head, know, outcomes_by_key, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Draft, Event
    from twistedchat.stores.base import Outcome

__all__ = ["EVENTS_PER_ROOM", "MemoryStore"]

EVENTS_PER_ROOM = 10_000
"""Events that a room keeps in memory; beyond it the oldest are forgotten, and their keys with them.

At 4 KiB a text that is 40 MiB for a room that is full of the longest; 4 MB with texts as people write them.
Source: docs/operations.md promises it.
"""


class MemoryStore(Store):
    """Keeps the newest `EVENTS_PER_ROOM` events of each room, for as long as the server runs.

    Every method finishes at once. What a room has forgotten is no longer read; its seq goes on.

    Args:
        clock: Seconds since 1970.
        identity: Of this log; whoever makes one for a server draws it at random.
    """

    def __init__(self, clock: Callable[[], float], identity: str = "inmemory") -> None:
        self.identity = identity
        self._clock = clock
        self._rooms: dict[str, deque[tuple[Event, str | None]]] = {}
        self._by_key: dict[tuple[str, str], Event] = {}
        self._heads: dict[str, Head] = {}
        self._topics: dict[str, Event] = {}
        self._hidden: dict[str, int] = {}
        self._names: Register[str] = Register()

    @override
    async def open(self) -> None:
        pass

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        stamped = stamp(batch, heads=self._heads, standing=self._by_key, now_ms=int(self._clock() * 1000))
        for event, key in stamped.fresh:
            self._add(event, key)
        know(self._names, [room for room in stamped.heads if room not in self._heads])
        self._heads.update(stamped.heads)
        return stamped.outcomes

    @override
    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        return outcomes_by_key(batch, self._by_key)

    @override
    async def read(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int | None = None,
    ) -> Sequence[Event]:
        entries = self._rooms.get(room)
        if not entries:
            return []
        oldest = entries[0][0].seq
        shown = min(max(self._hidden.get(room, 0) + 1 - oldest, 0), len(entries))
        start = shown if after is None else min(max(after + 1 - oldest, shown), len(entries))
        stop = len(entries) if before is None else min(max(before - oldest, start), len(entries))
        if after is None:
            start = max(start, stop - limit)
        page = [event for event, _ in islice(entries, start, min(stop, start + limit))]
        return page if max_bytes is None else _fitting(page, max_bytes, newest=after is None)

    @override
    async def room(self, name: str) -> RoomSummary:
        return self._summary(self._names.find(name) or name)

    @override
    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        names = (name for name, head in self._heads.items() if name > after and head.seq > self._hidden.get(name, 0))
        return [self._summary(name) for name in nsmallest(limit, names)]

    @override
    async def shut(self, room: str, *, is_shut: bool) -> None:
        pass

    @override
    async def put_away(self, room: str) -> None:
        self._hidden[room] = self._heads.get(room, Head()).seq
        self._topics.pop(room, None)

    @override
    def follow(self, heard: Callable[[str, int], None]) -> None:
        pass

    @override
    async def close(self) -> None:
        pass

    def _summary(self, name: str) -> RoomSummary:
        seq, at = self._heads.get(name, Head())
        topic, hidden = self._topics.get(name), self._hidden.get(name, 0)
        if topic is None:
            return RoomSummary(name, seq, at, "", hidden=hidden)
        return RoomSummary(name, seq, at, topic.text, hidden=hidden, topic_seq=topic.seq)

    def _add(self, event: Event, key: str | None) -> None:
        entries = self._rooms.setdefault(event.room, deque())
        entries.append((event, key))
        if key is not None:
            self._by_key[event.room, key] = event
        if event.kind is Kind.TOPIC:
            self._topics[event.room] = event
        if len(entries) > EVENTS_PER_ROOM:
            _, forgotten = entries.popleft()
            if forgotten is not None:
                del self._by_key[event.room, forgotten]


def _fitting(page: list[Event], max_bytes: int, *, newest: bool) -> list[Event]:
    """What fits of a page, at least one event: from its oldest on, or up to its newest."""
    count = size = 0
    for event in reversed(page) if newest else page:
        size += len((event.text + event.tags).encode("utf-8", "surrogatepass"))
        if count and size > max_bytes:
            break
        count += 1
    return page[len(page) - count :] if newest else page[:count]
