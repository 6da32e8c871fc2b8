"""Records that a session's verbs give back: plain values that each door words in its own way.

Knows only shapes. No room, member or person of the core stands in them, so a door can't reach past
the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

__all__ = ["Excerpt", "Joined", "Names", "RoomEntry", "Roster"]


class Names(tuple[str, ...]):
    """Names as they were at one moment. Compared by identity, so that what is rendered of them can be kept."""

    __slots__ = ()
    __hash__ = object.__hash__

    @override
    def __eq__(self, other: object) -> bool:
        """Whether it is the same moment."""
        return self is other


@dataclass(frozen=True, slots=True)
class Joined:
    """A room that was entered, or whose cursor was set anew.

    Attributes:
        room: Its name without ``#``, in the spelling that is kept.
        seq: Of its last event.
        topic: What it is about, or "".
        count: How many people are in it.
        names: Who they are, sorted; of a large room as of a second ago.
        is_caught_up: Whether nothing is left to be shown.
    """

    room: str
    seq: int
    topic: str
    count: int
    names: Names
    is_caught_up: bool


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is in a room.

    Attributes:
        room: Its name.
        count: How many people are in it.
        names: Those that were asked for, sorted.
    """

    room: str
    count: int
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class RoomEntry:
    """A room in the list of rooms.

    Attributes:
        name: Without ``#``.
        count: How many people are in it.
        seq: Of its last event.
        topic: Or "".
        is_member: Whether the one who asks is in it.
    """

    name: str
    count: int
    seq: int
    topic: str
    is_member: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a room's log.

    Attributes:
        room: Its name.
        seq: Of the room's last event.
        events: Oldest first, without a gap.
    """

    room: str
    seq: int
    events: Sequence[Event]
