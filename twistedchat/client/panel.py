"""One room's part of the screen: which rows of its transcript stand there now. Pure.

Must not know a terminal, nor where more of the log comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.client.paint import INDENT, painted, rows
from twistedchat.client.transcript import Transcript
from twistedchat.events import Event

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from twistedchat.client.paint import Fragments, Painter
    from twistedchat.client.transcript import Entry

__all__ = ["Panel"]


class Panel:
    """A room's transcript, and how far back the person reads.

    Args:
        zone: The zone of the days; None is the one of this machine.

    Attributes:
        transcript: What there is to show.
        scroll: How many rows stand below the lowest that is shown; 0 follows what comes.
    """

    def __init__(self, zone: datetime.tzinfo | None = None) -> None:
        self.transcript = Transcript(zone=zone)
        self.scroll = 0
        self._width = 80

    def add(self, event: Event, painter: Painter) -> None:
        """The room's next event: whoever reads further back is not disturbed."""
        pending = len(self.transcript.pending)
        self.transcript.add(event)
        if self.scroll:
            self.scroll += len(self._rows_of(self.transcript.entries[-1], painter))
            self.scroll -= pending - len(self.transcript.pending)
        else:
            self.transcript.trim()

    def visible(self, painter: Painter, width: int, height: int, *, connected: bool) -> list[Fragments]:
        """The rows to show, at most ``height``, the lowest last."""
        self._width = width
        found: list[Fragments] = []
        for row in self._from_below(painter, connected=connected):
            found.append(row)
            if len(found) >= self.scroll + height:
                break
        self.scroll = max(0, min(self.scroll, len(found) - height))
        return found[self.scroll : self.scroll + height][::-1]

    def scroll_to(self, seq: int, painter: Painter, height: int) -> None:
        """Let the event with this seq be the highest."""
        transcript = self.transcript
        below = sum(len(self._rows_of(entry, painter)) for entry in transcript.entries[transcript.index_of(seq) :])
        self.scroll = max(0, below + len(transcript.pending) - height)

    def _from_below(self, painter: Painter, *, connected: bool) -> Iterator[Fragments]:
        for line in reversed(self.transcript.pending.values()):
            yield from reversed(rows(painter.pending(line.kind, line.text, connected=connected), self._width, INDENT))
        for entry in reversed(self.transcript.entries):
            yield from reversed(self._rows_of(entry, painter))

    def _rows_of(self, entry: Entry, painter: Painter) -> list[Fragments]:
        found = painted(painter, entry.content, self._width)
        if isinstance(entry.content, Event) and not entry.quoted:
            if entry.content.seq == self.transcript.mark + 1 and self.transcript.mark:
                found = [_rule("new", self._width, "class:mark"), *found]
            if entry.day:
                found = [_rule(entry.day, self._width, "class:day"), *found]
        return found


def _rule(text: str, width: int, style: str) -> Fragments:
    """A line across the screen, with a text in it."""
    return [(style, f"─── {text} ".ljust(width, "─")[:width])]
