"""Which part of a log answers a question for so many lines of history.

Pure: the log is read by a coroutine that is handed in. A line that its reader is not shown is not counted, and the
page is filled up; so fewer lines than asked always mean: no more. Must not know who asks, nor how it is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from twistedchat.events import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from twistedchat.events import Event

__all__ = ["MAX_MORE", "READ_EVENTS", "Read", "Stretch", "Wish", "newest", "oldest", "pages", "surrounding"]

READ_EVENTS = 500
"""Most events that are read at once. Source: as `rooms.tail.PAGE_EVENTS`."""

MAX_MORE = 4096
"""Most lines beyond those asked for, that were said in the same millisecond.

Source: docs/irc.md, ``CHATHISTORY``: what one commit holds.
"""


class Read(Protocol):
    """Reads a page of one room's log."""

    async def __call__(self, *, after: int | None = None, before: int | None = None, limit: int) -> Sequence[Event]:
        """As `stores.base.Store.read`; a page may hold less than the limit though there is more."""
        ...


class Wish(NamedTuple):
    """What is asked for.

    Attributes:
        limit: So many lines, at least 1.
        topics: Whether topics are shown, and counted.
        is_whole: Whether a page goes on to the end of the millisecond in which it has enough: asked by time, its
            reader goes on from the last time that it saw.
    """

    limit: int
    topics: bool
    is_whole: bool


class Stretch(NamedTuple):
    """A part of a log.

    Attributes:
        after: The seq before its first event.
        last: The seq of its last event; not above ``after`` if there is none.
        lines: How many of it are shown.
        events: It, if it was read in one page; else it is to be read again, by `pages`.
    """

    after: int
    last: int
    lines: int
    events: Sequence[Event] | None


class _Counting:
    """Counts lines in one direction, until there are enough."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._at = 0
        self.count = 0

    def takes(self, event: Event) -> bool:
        """Whether this event, the next one, belongs to the page."""
        is_enough = self.count >= self._wish.limit
        if is_enough and not (self._wish.is_whole and event.at == self._at and self.count < self._most):
            return False
        if self._wish.topics or event.kind is not Kind.TOPIC:
            self.count += 1
            self._at = event.at
        return True

    @property
    def _most(self) -> int:
        return self._wish.limit + MAX_MORE


async def oldest(read: Read, after: int, before: int, wish: Wish) -> Stretch:
    """The oldest lines between two seqs, both excluded."""
    counting = _Counting(wish)
    held: Sequence[Event] = ()
    last, reads = after, 0
    while last < before - 1 and (events := await read(after=last, before=before, limit=READ_EVENTS)):
        reads += 1
        taken = _run(events, counting)
        held = taken if reads == 1 else held
        last = taken[-1].seq if taken else last
        if len(taken) < len(events):
            break
    return Stretch(after, last, counting.count, held if reads <= 1 else None)


async def newest(read: Read, after: int, before: int, wish: Wish) -> Stretch:
    """The newest lines between two seqs, both excluded."""
    counting = _Counting(wish)
    held: Sequence[Event] = ()
    first, last, reads = before, after, 0
    while first > after + 1 and (events := await read(before=first, limit=READ_EVENTS)):
        reads += 1
        events = [event for event in events if event.seq > after]
        taken = _run(events[::-1], counting)
        held = taken[::-1] if reads == 1 else held
        if taken and first == before:
            last = taken[0].seq
        first = taken[-1].seq if taken else first
        if not taken or len(taken) < len(events):
            break
    return Stretch(first - 1, last, counting.count, held if reads <= 1 else None)


async def surrounding(read: Read, middle: int, before: int, wish: Wish) -> Stretch:
    """The lines around an event, half of them before it; where one side has less, the other has more.

    Args:
        read: Reads the log.
        middle: The event's seq, or that of the first one behind.
        before: Only events with a lesser seq.
        wish: What is asked for.
    """
    middle = min(middle, before)
    older = await newest(read, 0, middle, wish._replace(limit=max(1, wish.limit // 2)))
    newer = await oldest(read, middle - 1, before, wish._replace(limit=max(1, wish.limit - older.lines)))
    if newer.lines < wish.limit - older.lines:
        older = await newest(read, 0, middle, wish._replace(limit=max(1, wish.limit - newer.lines)))
    if wish.limit == 1 and newer.lines:
        return newer
    events = [*older.events, *newer.events] if older.events is not None and newer.events is not None else None
    return Stretch(older.after, newer.last, older.lines + newer.lines, events)


async def pages(read: Read, stretch: Stretch) -> AsyncIterator[Sequence[Event]]:
    """The events of a stretch, oldest first, in pages."""
    if stretch.events is not None:
        if stretch.events:
            yield stretch.events
        return
    place = stretch.after
    while place < stretch.last:
        events = await read(after=place, before=stretch.last + 1, limit=READ_EVENTS)
        if not events:
            break
        yield events
        place = events[-1].seq


def _run(events: Sequence[Event], counting: _Counting) -> list[Event]:
    """The first events that belong to the page."""
    taken: list[Event] = []
    for event in events:
        if not counting.takes(event):
            break
        taken.append(event)
    return taken
