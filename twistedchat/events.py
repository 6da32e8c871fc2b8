"""What is said or done in a room, as it stands in the room's log.

Knows only the shape of the records. Must not know how they are stored, shown or sent.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = ["CTCP", "MAX_TEXT_BYTES", "Draft", "Event", "Kind", "memory_of"]

MAX_TEXT_BYTES = 4096
"""Longest text of an event, in bytes of UTF-8. Source: docs/protocol.md, "Events"."""

CTCP = "\x01"
"""How a private text begins that one program of IRC asks another. Source: modern.ircdocs.horse/ctcp."""


class Kind(enum.StrEnum):
    """What an event is. The value is the word that stands in the store and on the wire."""

    SAY = "say"
    ME = "me"
    TOPIC = "topic"
    NOTICE = "notice"


class Draft(NamedTuple):
    """A line that wants to be stored: made by a session, stamped by a store.

    A named tuple, as `Event` is, because one of each is made for every line: it takes a third of
    the time of a frozen dataclass.

    Attributes:
        id: Unlike that of any other draft, on any node; by it a store is asked what became of the line.
        room: The room's name without ``#``, in the spelling of the hub's room.
        kind: What it is.
        who: The name of the person at the time of speaking.
        text: At most `MAX_TEXT_BYTES`, kept as sent.
        key: The sender's mark for "this line, once", unique in its room; or None.
        tags: What goes with the line for programs, as IRC writes it (``+x=1;+draft/reply=abc``); "" for nothing.
    """

    id: str
    room: str
    kind: Kind
    who: str
    text: str
    key: str | None = None
    tags: str = ""


class Event(NamedTuple):
    """A stored line: made by a store, never changed afterwards.

    Attributes:
        room: The room's name without ``#``.
        seq: 1, 2, 3 … in its room, without gaps, never reused.
        at: Milliseconds since 1970 in UTC; never going back within a room.
        kind: What it is.
        who: Who said or did it.
        text: What was said, as it was sent.
        tags: As of its `Draft`.
    """

    room: str
    seq: int
    at: int
    kind: Kind
    who: str
    text: str
    tags: str = ""


def memory_of(line: Draft | Event) -> int:
    """What a line's text and tags take in memory, in bytes."""
    text, tags = line.text, line.tags
    return text.__sizeof__() + tags.__sizeof__() if tags else text.__sizeof__()
