"""Events for people: one line each, ended by CR LF, harmless on any terminal.

Must not know who reads, nor what the time is now.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change, Page
from twistedchat.names import likenesses
from twistedchat.text import listing, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PlainFormat", "told"]


class _Moment(NamedTuple):
    """A second in a zone: its day and its time of day, as they stand on the screen."""

    day: str
    time: str


@lru_cache(maxsize=4096)
def _moment(second: int, zone: datetime.tzinfo | None) -> _Moment:
    """Render a second once for all the events in it."""
    then = datetime.datetime.fromtimestamp(second, datetime.UTC).astimezone(zone)
    return _Moment(f"--- {then:%A} {then.day} {then:%B %Y} ---\r\n", f"{then:%H:%M:%S}")


def told(text: str) -> bytes:
    """A line for one reader alone, ``*** text``; the text is made harmless."""
    return f"*** {safe(text)}\r\n".encode()


@dataclass(frozen=True, slots=True)
class PlainFormat:
    """How one person wants a room's events on the screen.

    Attributes:
        zone: The zone of the times; None is the server's.
        numbered: Whether each event's seq stands behind its time.
        with_room: Whether ``#room`` stands before the event: it is not the room that one talks in.
        with_presence: Whether coming and going is shown.
        ignoring: Whoever has one of these likenesses (`names.likenesses`) is not shown.
        bell_for: Ring when somebody else says this name; "" never rings.
    """

    zone: datetime.tzinfo | None = None
    numbered: bool = False
    with_room: bool = False
    with_presence: bool = True
    ignoring: frozenset[str] = frozenset()
    bell_for: str = ""

    def page(self, events: Sequence[Event]) -> Page:
        """Render events, with a line for the date before the first of each later day."""
        if self.ignoring:
            events = [e for e in events if e.kind is Kind.NOTICE or self.ignoring.isdisjoint(likenesses(e.who))]
        if not events:
            return Page(b"", b"")
        lines = []
        first_day = day = _moment(events[0].at // 1000, self.zone).day
        for event in events:
            moment = _moment(event.at // 1000, self.zone)
            if moment.day != day:
                day = moment.day
                lines.append(day)
            lines.append(self._line(event, moment.time))
        data = "".join(lines).encode("utf-8", "replace")
        return Page(data, first_day.encode() + data, first_day, day)

    def _line(self, event: Event, time: str) -> str:
        """One event as a line."""
        _, seq, _, kind, who, text = event
        if kind is Kind.SAY:
            body = safe(f"{who}: {text}")
        elif kind is Kind.ME:
            body = safe(f"* {who} {text}")
        elif kind is Kind.TOPIC:
            body = safe(f"* {who} set the topic: {text}" if text else f"* {who} cleared the topic")
        else:
            body = safe(f"! {text}")
        number = f" {seq}" if self.numbered else ""
        place = f"#{event.room} " if self.with_room else ""
        return f"[{time}{number}] {place}{body}{self._bell(event)}\r\n"

    def _bell(self, event: Event) -> str:
        """BEL if the event speaks of the reader."""
        heard = self.bell_for and event.who != self.bell_for and self.bell_for.casefold() in event.text.casefold()
        return "\a" if heard else ""

    def presence(self, change: Change) -> bytes:
        """Render coming and going as one line for each sort."""
        if not self.with_presence:
            return b""
        where = f" in #{change.room}" if self.with_room else ""
        lines = []
        if change.joined:
            verb = "is" if len(change.joined) == 1 else "are"
            lines.append(f"{listing(change.joined)} {verb} here now{where}.")
        silent = [name for name, why in change.left if not why]
        if silent:
            lines.append(f"{listing(silent)} left{where}.")
        lines += [f"{name} left{where}: {why}" for name, why in change.left if why]
        lines += [f"{old} is now called {new}." for old, new in change.renamed]
        return b"".join(told(line) for line in lines)
