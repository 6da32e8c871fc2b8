"""The newest events of a room and the pages rendered from them, under one byte budget for all rooms.

A cache: whatever is dropped here is read from the store again. Knows events and pages. Must not know
who reads, nor the store.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from twistedchat.events import memory_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event
    from twistedchat.formats.base import Format, Page

__all__ = ["BUDGET_BYTES", "PAGE_EVENTS", "TAIL_BYTES", "Budget", "Tail"]

BUDGET_BYTES = 64 * 2**20
"""Memory budget of the tails of all rooms together, in bytes.

Source: 400 rooms that were only read took 650 MB without one; 64 MiB keeps the last 20 lines of 100,000 rooms.
"""

TAIL_BYTES = 2**20
"""Memory limit of the events of one room, in bytes; half of it again holds rendered pages.

Source: chosen; some 3,000 short lines.
"""

PAGE_EVENTS = 500
"""Most events in one page. Source: docs/protocol.md, ``history``."""

_EVENT_BYTES = 240
"""Cost of an event beside its text, in bytes. Source: 221 by tracemalloc on CPython 3.11, and its place in a list."""

_LINE_BYTES = 42
"""Cost of a line of a page beside its bytes, in bytes. Source: ``bytes.__sizeof__`` and a place in a list."""


class Budget:
    """Memory budget of all tails together, in bytes; past it the least recently used one gives way.

    Args:
        max_bytes: The budget.

    Attributes:
        used_bytes: What they take now.
    """

    __slots__ = ("_tails", "max_bytes", "used_bytes")

    def __init__(self, max_bytes: int = BUDGET_BYTES) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0
        self._tails: OrderedDict[Tail, None] = OrderedDict()

    def charge(self, tail: Tail, grown_bytes: int) -> None:
        """A tail is in use, and has grown by so much, or shrunk."""
        self._tails[tail] = None
        self._tails.move_to_end(tail)
        self.used_bytes += grown_bytes
        while self.used_bytes > self.max_bytes:
            oldest = next(iter(self._tails))
            self.used_bytes -= oldest.shrink(self.used_bytes - self.max_bytes, keep_newest=oldest is tail)
            if oldest is tail:
                break
            if oldest.is_empty:
                del self._tails[oldest]

    def forget(self, tail: Tail, freed_bytes: int) -> None:
        """A tail holds nothing any more."""
        self._tails.pop(tail, None)
        self.used_bytes -= freed_bytes


class Tail:
    """An unbroken run of events that ends at the room's newest, and pages rendered from the log.

    Args:
        budget: Shared by all tails.
    """

    __slots__ = ("_budget", "_events", "_events_bytes", "_pages", "_pages_bytes")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._events: list[Event] = []
        self._events_bytes = 0
        self._pages: dict[tuple[Format, int, int], Page] = {}
        self._pages_bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return not self._events and not self._pages

    def extend(self, events: Sequence[Event]) -> None:
        """Add events that follow on the last one, and forget the oldest beyond `TAIL_BYTES`.

        If they do not follow, what is here is forgotten: nobody was in the room when something was said, or
        the log has lost something.
        """
        before = self._events_bytes + self._pages_bytes
        if self._pages:
            self._forget_pages()
        if self._events and events[0].seq != self._events[-1].seq + 1:
            self._forget_events()
        if len(events) == 1 or _is_unbroken(events):
            self._events += events
            for event in events:
                self._events_bytes += _EVENT_BYTES + memory_of(event)
            if self._events_bytes > TAIL_BYTES:
                self._trim(TAIL_BYTES)
        else:
            self._forget_events()
        self._budget.charge(self, self._events_bytes - before)

    def prepend(self, events: Sequence[Event], seq: int) -> None:
        """Put a page that was read from the store before what is here, where the two meet and it fits.

        Args:
            events: The page, oldest first.
            seq: The room's last seq.
        """
        first = self._events[0].seq if self._events else seq + 1
        size = sum(map(_cost, events))
        meets = bool(events) and events[-1].seq == first - 1 and _is_unbroken(events)
        if meets and self._events_bytes + size <= TAIL_BYTES:
            self._events[:0] = events
            self._events_bytes += size
            self._budget.charge(self, size)

    def after(self, seq: int, limit: int) -> Sequence[Event] | None:
        """The next events after a seq.

        Args:
            seq: The last seq that the reader has; the room's last gives an empty page.
            limit: Most events.

        Returns:
            The events, or None if they are not in memory any more.
        """
        if not self._events:
            return None
        start = seq + 1 - self._events[0].seq
        return None if start < 0 else self._events[start : start + limit]

    def page(self, format_: Format, events: Sequence[Event]) -> Page:
        """The first of these events that fit a page, rendered once as long as nothing new is said."""
        key = (format_, events[0].seq, events[-1].seq)
        page = self._pages.get(key)
        if page is None:
            page = format_.page(events)
            self._keep(key, page)
        return page

    def _keep(self, key: tuple[Format, int, int], page: Page) -> None:
        before = self._pages_bytes
        size = 2 * len(page.data) + _LINE_BYTES * len(page.lines) + sum(map(_cost, page.events))
        if self._pages_bytes + size > TAIL_BYTES // 2:
            self._forget_pages()
        self._pages[key] = page
        self._pages_bytes += size
        self._budget.charge(self, self._pages_bytes - before)

    def _forget_pages(self) -> None:
        self._pages.clear()
        self._pages_bytes = 0

    def _forget_events(self) -> None:
        self._events.clear()
        self._events_bytes = 0

    def _trim(self, max_bytes: int, *, keep_newest: bool = True) -> None:
        """Forget the oldest events beyond so many bytes."""
        drop = 0
        while self._events_bytes > max_bytes and drop < len(self._events) - keep_newest:
            self._events_bytes -= _cost(self._events[drop])
            drop += 1
        if drop:
            del self._events[:drop]

    def shrink(self, wanted_bytes: int, *, keep_newest: bool = True) -> int:
        """Give up memory: the pages first, then the oldest events.

        Args:
            wanted_bytes: How much.
            keep_newest: Whether the newest event stays, however much is wanted: it is being shown.

        Returns:
            How many bytes it takes less than before.
        """
        before = self._events_bytes + self._pages_bytes
        self._forget_pages()
        self._trim(max(0, before - wanted_bytes), keep_newest=keep_newest)
        return before - self._events_bytes

    def clear(self) -> None:
        """Forget all."""
        self._budget.forget(self, self._events_bytes + self._pages_bytes)
        self._forget_events()
        self._forget_pages()


def _is_unbroken(events: Sequence[Event]) -> bool:
    return not events or events[-1].seq - events[0].seq == len(events) - 1


def _cost(event: Event) -> int:
    return _EVENT_BYTES + memory_of(event)
