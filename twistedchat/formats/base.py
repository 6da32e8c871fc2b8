"""Events as bytes, shared by everybody who is shown them in the same way. Must not know who reads.

What one reader alone wants (to ignore somebody, a bell at the own name) is no format: the reader's
outlet cuts it out of the shared page, and only of a page in which it matters (`Page.by_speaker`,
`Page.words`). So a thousand readers with wishes of their own cost no more rendering than one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from twistedchat.mentions import words
from twistedchat.names import likenesses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twistedchat.events import Event

__all__ = ["PAGE_BYTES", "Change", "Format", "Page", "Signal", "fitting"]

PAGE_BYTES = 64 * 2**10
"""Size limit of a rendered page, in bytes; one event always fits.

A reader that takes nothing has at most one page in its transport, so this bounds what a slow reader
costs: 1,000 of them 64 MiB. Source: docs/operations.md, "Memory"; a busy room's batch is 50 kB (20,000
lines of 100 bytes a second, one batch each 25 ms), so it is still one send.
"""

INDEXED_PAGES = 8
"""Pages of which it is remembered who speaks in them and of what, for the readers behind the first.

Not with the page, which a room's tail may keep: 64 KiB of words that are all different take 4 MiB.
Source: the few rooms that are shown something at the same time.
"""


def fitting(lines: Iterable[bytes], max_bytes: int) -> list[bytes]:
    """The first lines that fit into so many bytes together; the first one always does."""
    taken: list[bytes] = []
    size = 0
    for line in lines:
        size += len(line)
        if size > max_bytes and taken:
            break
        taken.append(line)
    return taken


class Page:
    """A run of events, rendered once for everybody who reads it in the same format.

    Attributes:
        events: What is shown, at least one, oldest first.
        lines: Each of them as bytes.
        data: The bytes for a reader whose screen already stands at ``first_day``: the lines, and the
            dates between them.
        date: The line with the date of the first event, b"" where the format has none.
        first_day: The day of the first event, or None where the format has no dates.
        last_day: The day of the last event, likewise.
    """

    __slots__ = ("data", "date", "events", "first_day", "last_day", "lines")

    def __init__(
        self,
        events: Sequence[Event],
        lines: Sequence[bytes],
        data: bytes,
        date: bytes = b"",
        first_day: Hashable = None,
        last_day: Hashable = None,
    ) -> None:
        self.events = events
        self.lines = lines
        self.data = data
        self.date = date
        self.first_day = first_day
        self.last_day = last_day

    @property
    def seq(self) -> int:
        """The seq of the last event."""
        return self.events[-1].seq

    @property
    def starts(self) -> Sequence[int]:
        """Where each line begins in ``data``."""
        return _starts(self)

    @property
    def by_speaker(self) -> Mapping[str, Sequence[int]]:
        """Who speaks: by each likeness of a person's name (`names.likenesses`), the indices of its events."""
        return _by_speaker(self)

    @property
    def words(self) -> Mapping[str, Sequence[int]]:
        """What is spoken of: by each word (`mentions.words`), the indices of its events."""
        return _words(self)


@lru_cache(maxsize=INDEXED_PAGES)
def _starts(page: Page) -> Sequence[int]:
    starts = []
    at = 0
    for line in page.lines:
        # It stands right there, or behind a date.
        at = page.data.index(line, at)
        starts.append(at)
        at += len(line)
    return starts


@lru_cache(maxsize=INDEXED_PAGES)
def _by_speaker(page: Page) -> Mapping[str, Sequence[int]]:
    found: dict[str, list[int]] = {}
    for index, event in enumerate(page.events):
        # A notice of the server is nobody's.
        if event.who:
            for key in likenesses(event.who):
                found.setdefault(key, []).append(index)
    return found


@lru_cache(maxsize=INDEXED_PAGES)
def _words(page: Page) -> Mapping[str, Sequence[int]]:
    found: dict[str, list[int]] = {}
    for index, event in enumerate(page.events):
        for word in words(event.text):
            found.setdefault(word, []).append(index)
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """Who came and went in a room since somebody was last told.

    Attributes:
        room: The room's name without ``#``.
        joined: Names that are here now and were not.
        left: Names that were here and are not, each with its parting word or "".
        renamed: Pairs of the old name and the new.
        count: How many people are here now.
    """

    room: str
    joined: Sequence[str]
    left: Sequence[tuple[str, str]]
    renamed: Sequence[tuple[str, str]]
    count: int


class Signal(NamedTuple):
    """Something that a program tells the programs in a room, such as that somebody types; it stands in no log.

    Attributes:
        room: The room's name, as it is kept.
        who: The name of the person.
        at: When, in milliseconds since 1970.
        id: Its own.
        tags: What is told, as `events.Draft.tags`.
    """

    room: str
    who: str
    at: int
    id: str
    tags: str


class Format(Hashable, Protocol):
    """A way to write events as bytes.

    Hashable and equal by value: a room renders once for each distinct format among its members.
    """

    @property
    def in_steps(self) -> bool:
        """Whether who came and went is told step by step, to the outlet, and not by `presence`."""
        ...

    def page(self, events: Sequence[Event], max_bytes: int = PAGE_BYTES) -> Page:
        """Render the first of these events that fit, at least one, in the order given.

        Args:
            events: At least one, oldest first.
            max_bytes: The size limit of the lines together; the first may be larger.
        """
        ...

    def presence(self, change: Change) -> bytes:
        """Render who came and went; b"" if this format does not show it."""
        ...

    def signal(self, signal: Signal) -> bytes:
        """What programs tell each other; b"" for readers who are not shown such."""
        ...
