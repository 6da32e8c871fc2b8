"""Events for IRC clients: rendered in at most six ways, whatever each client wants for itself.

Knows tags, ids of lines and how each kind of event is told in IRC. Must not know who reads, nor what the time is now.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from twistedchat.events import Kind
from twistedchat.formats.base import PAGE_BYTES, Page, fitting
from twistedchat.formats.jsonl import iso
from twistedchat.irc.message import cut, label_tag, tagged, write
from twistedchat.irc.said import ACTION, BARE, CTCP, Wrap, head_of, marked, said
from twistedchat.irc.shown import shown, shown_tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twistedchat.events import Event
    from twistedchat.formats.base import Change, Signal

__all__ = ["Faces", "IrcFormat", "Tags"]


class Faces(Protocol):
    """Whoever knows as what people are shown. Hashable; one for the whole server."""

    def source(self, who: str, at: int) -> str:
        """``name!~user@host`` of whoever had this name at a time, in milliseconds since 1970."""
        ...


class Tags(enum.IntEnum):
    """Which tags stand before what a client is shown."""

    NONE = 0
    TIME = 1
    """The time: for ``server-time``."""
    ALL = 2
    """Also the line's id and what went with it: for ``message-tags``."""


@dataclass(frozen=True, slots=True)
class IrcFormat:
    """How some clients are shown a room's events.

    Attributes:
        tags: What stands before a line.
        has_multiline: Whether a longer event is a batch of ``draft/multiline``; else it is several lines.
        faces: As what people are shown.
        log: The identity of the store.
        server: The server's name.
    """

    tags: Tags
    has_multiline: bool
    faces: Faces
    log: str
    server: str

    in_steps: ClassVar[bool] = True

    def page(self, events: Sequence[Event], max_bytes: int = PAGE_BYTES) -> Page:
        """Render the events that fit, each as a line, or as several behind each other."""
        if len(events) == 1:
            line = self.line(events[0])
            return Page(events, (line,), line)
        lines = fitting(map(self.line, events), max_bytes)
        return Page(events[: len(lines)], lines, b"".join(lines))

    def presence(self, change: Change) -> bytes:  # noqa: ARG002  the seam is of all formats
        """Nothing: coming and going is told step by step."""
        return b""

    def signal(self, signal: Signal) -> bytes:
        """``TAGMSG``, for those who are shown all tags."""
        if self.tags < Tags.ALL:
            return b""
        source = self.faces.source(signal.who, signal.at)
        return self.hint(source, f"#{signal.room}", at=signal.at, id=signal.id, tags=signal.tags)

    def hint(self, source: str, target: str, *, at: int, id: str, tags: str) -> bytes:  # noqa: A002  IRCv3's word
        """A line of tags alone; as `private`."""
        return write(source, "TAGMSG", target, tags=self.stamp(at, id, tags))

    def line(self, event: Event, first: str = "", every: str = "") -> bytes:
        """One event, as a line or as several.

        Args:
            event: Of a room's log.
            first: A tag for one connection that stands on the first line alone, such as ``label=7``.
            every: The same on every line, or on both ends of the event's own batch: ``batch=1``.
        """
        room, seq, at, kind, who, text, tags = event
        if kind is Kind.SAY or kind is Kind.ME:
            head = head_of(self.faces.source(who, at), "PRIVMSG", f"#{room}")
        elif kind is Kind.TOPIC:
            head = head_of(self.faces.source(who, at), "TOPIC", f"#{room}")
        else:
            head = head_of(self.faces.source(who, at) if who else self.server, "NOTICE", f"#{room}")
        own = self.stamp(at, f"{self.log}/{room}/{seq}", tags) if self.tags else ""
        if first or every:
            own = ";".join(filter(None, (first, every, own)))
        fits = len(text) <= head.short_length or len(text.encode("utf-8", "replace")) <= head.space_bytes
        if fits and kind is not Kind.ME and text.isprintable():
            return f"{marked(own)}{head.start}{text}\r\n".encode()
        if kind is Kind.TOPIC:
            return f"{marked(own)}{head.start}{_shortened(shown(text), head.space_bytes)}\r\n".encode()
        rest = ";".join(filter(None, (every, self.stamp(at))))
        wrap = ACTION if kind is Kind.ME else BARE
        return said(head, text, wrap, first=own, rest=rest, around=every, reference=self._reference(seq))

    def private(
        self,
        source: str,
        kind: Kind,
        target: str,
        text: str,
        *,
        at: int,
        id: str,  # noqa: A002  IRCv3's word
        tags: str = "",
        is_ctcp: bool = False,
    ) -> bytes:
        """A private line, as a line or as several.

        Args:
            source: Who says it.
            kind: `Kind.SAY`, `Kind.ME` or `Kind.NOTICE`.
            target: The name of whom it is said to.
            text: As it was sent.
            at: When, in milliseconds since 1970.
            id: Of the line, ``RUN/-/N``.
            tags: What goes with it for programs, as of an event.
            is_ctcp: The text begins with ``^A`` and may reach the client so.
        """
        head = head_of(source, "NOTICE" if kind is Kind.NOTICE else "PRIVMSG", target)
        wrap = ACTION if kind is Kind.ME else BARE
        if is_ctcp:
            text, wrap = text[1:].removesuffix(CTCP), Wrap(CTCP, CTCP if text[1:].endswith(CTCP) else "")
        reference = self._reference(id.rpartition("/")[2])
        return said(head, text, wrap, first=self.stamp(at, id, tags), rest=self.stamp(at), reference=reference)

    def stamp(self, at: int, id: str = "", tags: str = "") -> str:  # noqa: A002  IRCv3's word
        """The tags of a line as this format has them, without those for one connection; "" for none.

        Args:
            at: Its time, in milliseconds since 1970.
            id: The line's own; "" for a line without one.
            tags: What goes with it for programs, as of an event.
        """
        if not self.tags:
            return ""
        time = f"time={iso(at)}"
        if self.tags < Tags.ALL:
            return time
        own = f"{time};msgid={id}" if id else time
        return f"{own};{shown_tags(tags)}" if tags else own

    def personal(self, page: Page, own: Mapping[int, str | None]) -> bytes:
        """A page's data for one connection.

        Args:
            page: Of this format.
            own: By their seqs the lines that are shown to it in another way than to all: with a label, or not at all.
        """
        parts = []
        for event, line in zip(page.events, page.lines, strict=True):
            label = own.get(event.seq, "")
            if label:
                parts.append(self._labelled(event, line, label_tag(label)))
            elif label is not None:
                parts.append(line)
        return b"".join(parts)

    def _labelled(self, event: Event, line: bytes, label: str) -> bytes:
        """An event, which is shown so to others, as the answer to a labelled line: several lines are one batch."""
        if self.has_multiline or line.count(b"\n") == 1:
            return tagged(line, label)
        reference = f"l{event.seq}"
        opening = f"@{label} :{self.server} BATCH +{reference} labeled-response\r\n"
        ending = f":{self.server} BATCH -{reference}\r\n"
        return opening.encode() + self.line(event, every=f"batch={reference}") + ending.encode()

    def _reference(self, number: object) -> str:
        """The reference of a longer line's batch, which ends before any other begins."""
        return f"m{number}" if self.has_multiline else ""


def _shortened(text: str, max_bytes: int) -> str:
    """A text that has no pieces: what does not fit is an ellipsis."""
    return text if len(text.encode()) <= max_bytes else cut(text, max_bytes - len("…".encode())) + "…"
