"""Events for people: one line each, ended by CR LF, harmless on any terminal.

Must not know who reads, nor what the time is now.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from twistedchat.events import Kind
from twistedchat.formats.base import PAGE_BYTES, Page
from twistedchat.mentions import first_word, mentions
from twistedchat.text import listing, unformatted

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from twistedchat.events import Event
    from twistedchat.formats.base import Change, Signal

__all__ = ["PlainFormat", "aside", "personal", "told"]


class _Moment(NamedTuple):
    """A second in a zone: its day and its time of day, as they stand on the screen."""

    day: bytes
    time: str


@lru_cache(maxsize=4096)
def _moment(second: int, zone: datetime.tzinfo | None) -> _Moment:
    """Render a second once for all the events in it."""
    then = datetime.datetime.fromtimestamp(second, datetime.UTC).astimezone(zone)
    return _Moment(f"--- {then:%A} {then.day} {then:%B %Y} ---\r\n".encode(), f"{then:%H:%M:%S}")


def aside(text: str) -> bytes:
    """A line for one reader alone, ``*** text``; the text is made harmless, and IRC's formatting left out."""
    return f"*** {unformatted(text)}\r\n".encode()


def told(who: str, text: str, kind: Kind) -> str:
    """What somebody tells one person alone, for `aside`."""
    if kind is Kind.NOTICE:
        return f"-{who}- tells you: {text}"
    return f"{who} tells you: {f'* {who} {text}' if kind is Kind.ME else text}"


def _dated(lines: Sequence[bytes], days: Sequence[bytes]) -> bytes:
    """Lines of several days, with the date where another day begins."""
    parts = []
    day = days[0]
    for line, its_day in zip(lines, days, strict=True):
        if its_day != day:
            day = its_day
            parts.append(day)
        parts.append(line)
    return b"".join(parts)


def personal(page: Page, *, ignored: Set[str], ring_for: str) -> bytes:
    """A page's data as one reader alone wants it.

    Args:
        page: Of `PlainFormat`.
        ignored: Likenesses of names (`names.likenesses`); what these people said is left out.
        ring_for: A name; a bell rings where somebody else says it (`mentions.mentions`). "" never rings.

    Returns:
        The data; b"" if nothing of the page is left. The date that may stand before it is the page's.
    """
    left_out = {index for key in ignored & page.by_speaker.keys() for index in page.by_speaker[key]}
    if len(left_out) == len(page.events):
        return b""
    ringing = _ringing(page, ring_for) if ring_for else ()
    if not left_out and not ringing:
        return page.data
    return _edited(page, left_out, ringing)


def _ringing(page: Page, name: str) -> Sequence[int]:
    """The indices of the events that mention a name. Only those that hold its first word are looked at."""
    candidates = page.words.get(first_word(name), ())
    return [i for i in candidates if page.events[i].who != name and mentions(name, page.events[i].text)]


def _edited(page: Page, left_out: Set[int], ringing: Sequence[int]) -> bytes:
    """The page without some lines, and with a bell at the end of others."""
    data, parts, at = page.data, [], 0
    for index in sorted({*left_out, *ringing}):
        start = page.starts[index]
        end = start + len(page.lines[index])
        if index in left_out:
            parts.append(data[at:start])
            at = end
        else:
            parts += [data[at : end - 2], b"\a"]
            at = end - 2
    parts.append(data[at:])
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class PlainFormat:
    """How some people want a room's events on the screen.

    Attributes:
        zone: The zone of the times; None is the server's.
        numbered: Whether each event's seq stands behind its time.
        with_room: Whether ``#room`` stands before the event: it is not the room that one talks in.
        with_presence: Whether coming and going is shown.
    """

    zone: datetime.tzinfo | None = None
    numbered: bool = False
    with_room: bool = False
    with_presence: bool = True

    in_steps: ClassVar[bool] = False

    def page(self, events: Sequence[Event], max_bytes: int = PAGE_BYTES) -> Page:
        """Render the events that fit, with a line for the date before the first of each later day."""
        if len(events) == 1:
            moment = _moment(events[0].at // 1000, self.zone)
            line = self._line(events[0], moment)
            return Page(events, (line,), line, moment.day, moment.day, moment.day)
        lines: list[bytes] = []
        days: list[bytes] = []
        size = 0
        for event in events:
            moment = _moment(event.at // 1000, self.zone)
            line = self._line(event, moment)
            size += len(line)
            if size > max_bytes and lines:
                break
            lines.append(line)
            days.append(moment.day)
        data = b"".join(lines) if days[0] == days[-1] else _dated(lines, days)
        return Page(events[: len(lines)], lines, data, days[0], days[0], days[-1])

    def _line(self, event: Event, moment: _Moment) -> bytes:
        """One event as a line."""
        _, seq, _, kind, who, text, _ = event
        if kind is Kind.SAY:
            body = unformatted(f"{who}: {text}")
        elif kind is Kind.ME:
            body = unformatted(f"* {who} {text}")
        elif kind is Kind.TOPIC:
            body = unformatted(f"* {who} set the topic: {text}" if text else f"* {who} cleared the topic")
        else:
            body = unformatted(f"-{who}- {text}" if who else f"! {text}")
        number = f" {seq}" if self.numbered else ""
        place = f"#{event.room} " if self.with_room else ""
        return f"[{moment.time}{number}] {place}{body}\r\n".encode("utf-8", "replace")

    def signal(self, signal: Signal) -> bytes:  # noqa: ARG002  the seam is of all formats
        """Nothing."""
        return b""

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
        return b"".join(aside(line) for line in lines)
