"""The newest events of a room, in memory. Must not know who reads them, nor the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

__all__ = ["EVENT_OVERHEAD_BYTES", "Recent"]

EVENT_OVERHEAD_BYTES = 400
"""What an event is taken to cost beside a byte for each character of its text.

Source: 221 bytes by tracemalloc on CPython 3.11, with a short ASCII text; the rest is for wide characters.
"""


class Recent:
    """An unbroken run of events that ends at the room's newest.

    Attributes:
        max_bytes: About so much memory is used at the most, but for the newest event.
    """

    __slots__ = ("_events", "_size_bytes", "max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self._events: list[Event] = []
        self._size_bytes = 0
        self.max_bytes = max_bytes

    def extend(self, events: Sequence[Event]) -> None:
        """Add events that follow on the last one, and forget the oldest."""
        self._events.extend(events)
        self._size_bytes += sum(map(_cost, events))
        drop = 0
        while self._size_bytes > self.max_bytes and drop < len(self._events) - 1:
            self._size_bytes -= _cost(self._events[drop])
            drop += 1
        del self._events[:drop]

    def fill(self, events: Sequence[Event], seq: int) -> None:
        """Put a page that was read from the store before what is here, where the two meet and it fits.

        Args:
            events: The page, oldest first.
            seq: The room's last seq.
        """
        first = self._events[0].seq if self._events else seq + 1
        size = sum(map(_cost, events))
        if events and events[-1].seq == first - 1 and self._size_bytes + size <= self.max_bytes:
            self._events[:0] = events
            self._size_bytes += size

    def clear(self) -> None:
        """Forget all."""
        self._events.clear()
        self._size_bytes = 0

    def after(self, seq: int, limit: int) -> Sequence[Event] | None:
        """The next events after a seq.

        Args:
            seq: The last seq that the reader has; the room's last gives an empty page.
            limit: At most so many.

        Returns:
            The events, or None if they are not in memory any more.
        """
        if not self._events:
            return None
        start = seq + 1 - self._events[0].seq
        return None if start < 0 else self._events[start : start + limit]


def _cost(event: Event) -> int:
    return EVENT_OVERHEAD_BYTES + len(event.text)
