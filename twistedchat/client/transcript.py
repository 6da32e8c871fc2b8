"""What one room's part of the screen holds: events, notes, lines on their way. Pure.

Must not know how wide the screen is, nor what is drawn how.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twistedchat.client.times import day_of
from twistedchat.events import Event

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from twistedchat.client.notifications import OutgoingLine

__all__ = ["MOST_ENTRIES", "Entry", "Note", "Transcript"]

MOST_ENTRIES = 5_000
"""Number of entries kept of a room, the newest; what is older is read again when it is wanted.

Twice as many stand there before the older half is dropped. Source: chosen; some hundred screens.
"""


@dataclass(frozen=True, slots=True)
class Note:
    """A line for this person alone, or a mark."""

    text: str


@dataclass(slots=True, eq=False)
class Entry:
    """One thing on the screen, which may take several rows.

    Attributes:
        content: What it is.
        day: The day, if it is the first event of one.
        quoted: Shown again by a command, beside its place.
    """

    content: Event | Note
    day: str = ""
    quoted: bool = False


@dataclass(slots=True, eq=False)
class Transcript:
    """A room's events in their order, with notes where they came, and lines on their way at the end.

    Attributes:
        entries: What is shown, oldest first.
        pending: Lines that are not in the log yet, by key, in the order said.
        unread: How many events came while the person looked elsewhere.
        called: Whether one of them says the person's name.
        mark: The last seq that was seen when the person looked elsewhere; 0 for none.
        first: The seq of the oldest event; 0 if there is none.
        last: The seq of the newest; 0 if there is none.
        zone: The zone of the days; None is the one of this machine.
    """

    entries: list[Entry] = field(default_factory=list)
    pending: dict[str, OutgoingLine] = field(default_factory=dict)
    unread: int = 0
    called: bool = False
    mark: int = 0
    first: int = 0
    last: int = 0
    zone: datetime.tzinfo | None = None
    _settling: dict[int, str] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """The room's next event."""
        if event.seq <= self.last:
            # The server's log began anew.
            self.clear()
        entry = Entry(event, self._day(event))
        before = next((e.content for e in reversed(self.entries) if _in_place(e)), None)
        if isinstance(before, Event) and self._day(before) == entry.day:
            entry.day = ""
        self.entries.append(entry)
        self.first = self.first or event.seq
        self.last = event.seq
        self.pending.pop(self._settling.pop(event.seq, ""), None)

    def add_older(self, events: Sequence[Event]) -> int:
        """A page of the log that ends just before the oldest event; returns how many entries it made."""
        events = [event for event in events if not self.first or event.seq < self.first]
        if not events:
            return 0
        older: list[Entry] = []
        day = ""
        for event in events:
            today = self._day(event)
            older.append(Entry(event, "" if today == day else today))
            day = today
        follower = next((entry for entry in self.entries if _in_place(entry)), None)
        if follower is not None and follower.day == day:
            follower.day = ""
        self.entries[:0] = older
        self.first = events[0].seq
        self.last = self.last or events[-1].seq
        return len(older)

    def clear(self) -> None:
        """Forget what was said: the log is another one."""
        self.entries.clear()
        self.first = self.last = self.mark = 0

    def set_zone(self, zone: datetime.tzinfo | None) -> None:
        """Have the days of another zone."""
        self.zone = zone
        day = ""
        for entry in self.entries:
            if _in_place(entry) and isinstance(entry.content, Event):
                today = self._day(entry.content)
                entry.day = "" if today == day else today
                day = today

    def _day(self, event: Event) -> str:
        return day_of(event.at, self.zone)

    def note(self, text: str) -> None:
        """Something for this person alone."""
        self.entries.append(Entry(Note(text)))

    def quote(self, events: Sequence[Event]) -> None:
        """Show events again, where the person asked for them."""
        self.entries += [Entry(event, quoted=True) for event in events]

    def say(self, line: OutgoingLine) -> None:
        """A line is on its way."""
        self.pending[line.key] = line

    def settle(self, line: OutgoingLine, seq: int) -> None:
        """The line stands in the log: it takes its place when the event comes."""
        if seq <= self.last:
            self.pending.pop(line.key, None)
        else:
            self._settling[seq] = line.key

    def refuse(self, line: OutgoingLine) -> None:
        """The line will not be in the log."""
        self.pending.pop(line.key, None)

    def trim(self) -> None:
        """Forget the oldest entries, if there are many."""
        if len(self.entries) > MOST_ENTRIES * 2:
            del self.entries[:-MOST_ENTRIES]
            oldest = next((e.content for e in self.entries if _in_place(e)), None)
            self.first = oldest.seq if isinstance(oldest, Event) else 0

    def index_of(self, seq: int) -> int:
        """Where the first event from this seq on stands among the entries."""
        places = [
            (e.content.seq, i) for i, e in enumerate(self.entries) if isinstance(e.content, Event) and _in_place(e)
        ]
        found = bisect.bisect_left(places, (seq, 0))
        return places[found][1] if found < len(places) else len(self.entries)


def _in_place(entry: Entry) -> bool:
    return isinstance(entry.content, Event) and not entry.quoted
