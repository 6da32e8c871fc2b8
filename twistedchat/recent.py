"""The newest events of a room, in memory. Must not know who reads them, nor the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

__all__ = ["EVENT_OVERHEAD_BYTES", "Recent"]

EVENT_OVERHEAD_BYTES = 400
"""What an event costs beside its text.

Source: measured with tracemalloc on CPython 3.11, a tuple of six with two integers and the string's
own header, rounded up.
"""


class Recent:
    """An unbroken run of events that ends at the room's newest.

    Args:
        max_events: How many are kept at the most.
    """

    __slots__ = ("_events", "_max_events", "size_bytes")

    def __init__(self, max_events: int = 4096) -> None:
        self._events: list[Event] = []
        self._max_events = max_events
        self.size_bytes = 0

    def extend(self, events: Sequence[Event]) -> None:
        """Add events that follow on the last one."""
        self._events.extend(events)
        self.size_bytes += sum(map(_cost, events))

    def fill(self, events: Sequence[Event], seq: int) -> None:
        """Put a page that was read from the store before what is here, where the two meet.

        Args:
            events: The page, oldest first.
            seq: The room's last seq.
        """
        first = self._events[0].seq if self._events else seq + 1
        if events and events[-1].seq == first - 1:
            self._events[:0] = events
            self.size_bytes += sum(map(_cost, events))

    def trim(self, max_bytes: int) -> None:
        """Forget the oldest until at most ``max_bytes`` and the number allowed are left."""
        drop = max(0, len(self._events) - self._max_events)
        size = self.size_bytes - sum(map(_cost, self._events[:drop]))
        while size > max_bytes:
            size -= _cost(self._events[drop])
            drop += 1
        if drop:
            del self._events[:drop]
            self.size_bytes = size

    def clear(self) -> None:
        """Forget all."""
        self._events.clear()
        self.size_bytes = 0

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
