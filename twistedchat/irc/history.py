"""What was said before, as a client asks for it: ``CHATHISTORY`` for programs, ``HISTORY`` for people.

Knows a session's looks at the log, and how an answer is told. Must not know a store, nor who else reads.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from twistedchat.doors.timeofday import time_today
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.formats.base import PAGE_BYTES
from twistedchat.formats.jsonl import iso
from twistedchat.irc.commands import Command
from twistedchat.irc.errors import FailError
from twistedchat.irc.message import write
from twistedchat.irc.retold import Clock, notice, retold
from twistedchat.irc.selectors import Ask, Moment, Place, Selector, parse_selector
from twistedchat.irc.stretch import READ_EVENTS, Stretch, Wish, newest, oldest, pages, surrounding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from twistedchat.events import Event
    from twistedchat.irc.commands import Answering
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message
    from twistedchat.irc.selectors import Bound
    from twistedchat.records import Excerpt

__all__ = ["HISTORY"]

DEFAULT_HISTORY = 20
"""Events that ``HISTORY`` shows without a number. Source: as ``/history`` in docs/protocol.md."""

_HISTORY = re.compile(
    r"(\S+)(?: (\d{1,18})| before (\d{1,18})| since (\d{1,18})| since (\S+))?", re.IGNORECASE | re.ASCII
)
"""Room, and how many events, or before or since which seq or time. Source: docs/irc.md, ``HISTORY``."""

_FIRST_SEQ = 1
"""Before it there is nothing: so a room is looked up, and nothing is read. Source: `events.Event`."""


# -- CHATHISTORY ---------------------------------------------------------------------------------


def _chathistory(door: IrcDoor, message: Message) -> Answering:
    selector = parse_selector(message.params)
    if selector.ask is Ask.TARGETS:
        return _targets(door, selector)
    return _tell_history(door, selector)


async def _tell_history(door: IrcDoor, selector: Selector) -> None:
    if selector.target[:1] != "#":
        # Private lines are in no log.
        await _send(door, "chathistory", selector.target, _nothing())
        return
    with _failing(selector):
        log = _Log(door, await door.session.history(selector.target, before=_FIRST_SEQ, limit=1))
        stretch = await log.find(selector) if selector.limit else None
    lines = _nothing() if stretch is None else log.lines(stretch)
    await _send(door, "chathistory", f"#{log.room}", lines)


@contextmanager
def _failing(selector: Selector) -> Iterator[None]:
    """An error of the core is told as IRCv3 wants it."""
    try:
        yield
    except ChatError as error:
        if error.code == "lost":
            raise
        code = "MESSAGE_ERROR" if error.code == "not-readable" else "INVALID_TARGET"
        raise FailError("CHATHISTORY", code, selector.word, selector.target, text=error.text) from error


class _Log:
    """One room's log, as one client may read it.

    Args:
        door: The client.
        excerpt: Of the room, to know its name and its last seq.

    Attributes:
        room: Its name, without ``#``.
    """

    def __init__(self, door: IrcDoor, excerpt: Excerpt) -> None:
        self.room = excerpt.room
        self._door = door
        # To a member it ends where live lines have come to: so nothing of an answer comes live afterwards.
        self._last = door.session.shown().get(excerpt.room, excerpt.seq)
        self._has_topics = "draft/event-playback" in door.caps

    async def _read(self, *, after: int | None = None, before: int | None = None, limit: int) -> Sequence[Event]:
        return (await self._door.session.history(self.room, after=after, before=before, limit=limit)).events

    async def find(self, selector: Selector) -> Stretch:
        """The part of the log that is asked for."""
        bounds, end = selector.bounds, self._last + 1
        is_by_time = any(not isinstance(bound, Place) for bound in bounds)
        wish = Wish(selector.limit, self._has_topics, is_by_time)
        first = bounds[0]
        if selector.ask is Ask.BEFORE:
            return await newest(self._read, 0, min(await self._before(selector, first), end), wish)
        if selector.ask is Ask.AFTER:
            return await oldest(self._read, await self._after(selector, first), end, wish)
        if selector.ask is Ask.LATEST:
            return await newest(self._read, await self._after(selector, first), end, wish)
        if selector.ask is Ask.AROUND:
            is_event = isinstance(first, Place)
            middle = await self._after(selector, first) if is_event else await self._before(selector, first)
            return await surrounding(self._read, middle, end, wish)
        return await self._between(selector, bounds, wish)

    async def _between(self, selector: Selector, bounds: Sequence[Bound | None], wish: Wish) -> Stretch:
        """What is between two bounds; counted from the first one, which may be the later one."""
        afters = [await self._after(selector, bound) for bound in bounds]
        befores = [min(await self._before(selector, bound), self._last + 1) for bound in bounds]
        if (afters[0], befores[0]) <= (afters[1], befores[1]):
            return await oldest(self._read, afters[0], befores[1], wish)
        return await newest(self._read, afters[1], befores[0], wish)

    async def _after(self, selector: Selector, bound: Bound | None) -> int:
        """The seq of the last event that is not behind a bound."""
        if isinstance(bound, Moment):
            return await self._door.session.find_time(self.room, bound.at + 1)
        return self._place(selector, bound) if bound is not None else 0

    async def _before(self, selector: Selector, bound: Bound | None) -> int:
        """The seq of the first event that is not before a bound."""
        if isinstance(bound, Moment):
            return await self._door.session.find_time(self.room, bound.at) + 1
        return self._place(selector, bound) if bound is not None else self._last + 1

    def _place(self, selector: Selector, place: Place) -> int:
        return selector.seq_of(place, self._door.hub.store.identity, self.room, self._last)

    async def lines(self, stretch: Stretch) -> AsyncIterator[Sequence[Event]]:
        """The events of a part that the client is shown."""
        async for events in pages(self._read, stretch):
            yield [event for event in events if self._has_topics or event.kind is not Kind.TOPIC]


async def _nothing() -> AsyncIterator[Sequence[Event]]:
    for _ in ():
        yield ()


async def _send(door: IrcDoor, kind: str, target: str, parts: AsyncIterator[Sequence[Event]]) -> None:
    """Send events as a batch, as the client takes them; as they are to one that knows no batches."""
    reference = door.reference() if "batch" in door.caps else ""
    every = f"batch={reference}" if reference else ""
    if reference:
        door.open_batch(write(door.server, "BATCH", f"+{reference}", kind, target))
    async for events in parts:
        await _flow(door, (door.format.line(event, every=every) for event in events))
    if reference:
        door.send(write(door.server, "BATCH", f"-{reference}"))


async def _flow(door: IrcDoor, lines: Iterable[bytes]) -> None:
    """Send lines, a piece at a time, each when the last one has been taken."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > PAGE_BYTES:
            door.send(b"".join(piece))
            piece, size = [], 0
            await door.flow()
        piece.append(line)
        size += len(line)
    if piece:
        door.send(b"".join(piece))
        await door.flow()


async def _targets(door: IrcDoor, selector: Selector) -> None:
    """The client's rooms in which the last event was between two times, from the first one on."""
    start, end = (bound.at if isinstance(bound, Moment) else 0 for bound in selector.bounds)
    low, high = sorted((start, end))
    found = sorted((at, room) for room, at in door.session.latest().items() if low < at < high)
    if start > end:
        found.reverse()
    reference = door.reference() if "batch" in door.caps else ""
    tags = f"batch={reference}" if reference else ""
    if reference:
        door.open_batch(write(door.server, "BATCH", f"+{reference}", "draft/chathistory-targets"))
    for at, room in found[: selector.limit]:
        door.send(write(door.server, "CHATHISTORY", "TARGETS", f"#{room}", iso(at), tags=tags))
    if reference:
        door.send(write(door.server, "BATCH", f"-{reference}"))


# -- HISTORY -------------------------------------------------------------------------------------


async def _history(door: IrcDoor, message: Message) -> None:
    found = _HISTORY.fullmatch(" ".join(" ".join(message.params).split()))
    if not found or found[2] == "0":
        raise _usage()
    session, room = door.session, found[1]
    after = int(found[4]) if found[4] else await _since(door, room, found[5]) if found[5] else None
    limit = READ_EVENTS if after is not None else min(READ_EVENTS, int(found[2] or DEFAULT_HISTORY))
    before = int(found[3]) if found[3] else None
    if before is None:
        last = session.shown().get(session.find(room) or "")
        before = last + 1 if last is not None else None
    excerpt = await session.history(room, after=after, before=before, limit=READ_EVENTS if found[3] else limit)
    await _tell_excerpt(door, excerpt, is_onward=after is not None)


async def _since(door: IrcDoor, room: str, time: str) -> int:
    at = time_today(time, door.hub.wall())
    if at is None:
        raise _usage()
    return await door.session.find_time(room, at)


def _usage() -> ChatError:
    text = "It is: HISTORY #room 50, HISTORY #room before 1200, HISTORY #room since 1200, or since 14:30."
    return ChatError("bad-request", text)


async def _tell_excerpt(door: IrcDoor, excerpt: Excerpt, *, is_onward: bool) -> None:
    """Tell a part of a log, and how to go on from there."""
    room, events = excerpt.room, excerpt.events
    if "batch" in door.caps:
        await _send(door, "chathistory", f"#{room}", _visible(door, events))
    else:
        clock = Clock(door.now)
        await _flow(door, (retold(event, clock, numbered=True) for event in events))
    door.send(notice(room, _how_to_go_on(excerpt, is_onward=is_onward)))


async def _visible(door: IrcDoor, events: Sequence[Event]) -> AsyncIterator[Sequence[Event]]:
    has_topics = "draft/event-playback" in door.caps
    yield [event for event in events if has_topics or event.kind is not Kind.TOPIC]


def _how_to_go_on(excerpt: Excerpt, *, is_onward: bool) -> str:
    room, events = excerpt.room, excerpt.events
    if not events:
        return f"*** Nothing was said in #{room} {'since then' if is_onward else 'before that'}."
    first, last = events[0].seq, events[-1].seq
    told = f"*** From {first} to {last} of {excerpt.seq} in #{room}"
    if is_onward and last < excerpt.seq:
        return f"{told}: HISTORY #{room} since {last} goes on."
    if not is_onward and first > 1:
        return f"{told}: HISTORY #{room} before {first} shows what was said earlier."
    return f"{told}: that is all."


HISTORY = {"CHATHISTORY": Command(_chathistory), "HISTORY": Command(_history, 1)}
"""The part of the table."""
