"""Records that a session's verbs give back: plain values that each door words in its own way.

Knows only shapes. No room, member or person of the core stands in them, so a door can't reach past
the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twistedchat.errors import ChatError
    from twistedchat.events import Event
    from twistedchat.profiles import Profile

__all__ = [
    "Acquaintance",
    "Amended",
    "Change",
    "Excerpt",
    "Here",
    "Joined",
    "Mask",
    "Names",
    "Past",
    "RoomEntry",
    "RoomRules",
    "Roster",
    "Rule",
    "Standing",
]


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
        at: Of its last event, in milliseconds since 1970; 0 if there is none.
    """

    room: str
    seq: int
    topic: str
    count: int
    names: Names
    is_caught_up: bool
    at: int = 0


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


class Here(NamedTuple):
    """Somebody who is here.

    Attributes:
        name: The name.
        profile: How the person is seen.
        rank: In the room that it is about: letters of ``ov``.
    """

    name: str
    profile: Profile
    rank: str


class Past(NamedTuple):
    """Somebody who is gone.

    Attributes:
        name: The name.
        profile: How the person was seen.
        left_at: When the name was given back, in seconds of the clock that never goes back.
    """

    name: str
    profile: Profile
    left_at: float


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """Who somebody is.

    Attributes:
        name: As it is kept.
        profile: How the person is seen.
        rooms: Those that the one who asks may know of, each with the person's rank there.
        spoke_at: When the person last said something to a room, in milliseconds since 1970; 0 if that is not known.
    """

    name: str
    profile: Profile
    rooms: Sequence[tuple[str, str]]
    spoke_at: int


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


class Change(NamedTuple):
    """A change of a rule or rank of a room.

    Attributes:
        sign: ``+`` or ``-``.
        letter: A flag (``i m n s t``), a list of masks (``b e I``), a rank (``o v``), ``k`` (key) or ``l`` (limit).
        param: A name, a mask, a key, a number; "" where there is none.
    """

    sign: str
    letter: str
    param: str = ""


class Mask(NamedTuple):
    """Who has set a mask, and when.

    Attributes:
        by: The name.
        at: Milliseconds since 1970.
    """

    by: str
    at: int


class Rule(NamedTuple):
    """A rule of a room that is not as in a new one.

    Attributes:
        letter: As `Change`'s; for ``n`` it means that the rule is off.
        param: As `Change`'s.
        by: Who has set it.
        at: When, in milliseconds since 1970.
    """

    letter: str
    param: str
    by: str
    at: int


class Standing(NamedTuple):
    """Ranks and rules of a room, as they are.

    Attributes:
        ranks: By name.
        rules: In the order of setting.
    """

    ranks: Mapping[str, str]
    rules: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class Amended:
    """What became of the changes that somebody wanted to make.

    Attributes:
        room: The room's name.
        made: The changes as they are told; those that would change nothing are left out.
        refused: Those that can't be made, each with why.
    """

    room: str
    made: Sequence[Change]
    refused: Sequence[tuple[Change, ChatError]]


@dataclass(frozen=True, slots=True)
class RoomRules:
    """The ranks and rules of a room, as one person may see them.

    Attributes:
        room: Its name.
        flags: Letters of the rules that are on, sorted.
        key: "" if there is none; ``*`` for those who are not in the room.
        limit: 0 if there is none.
        made_at: When somebody entered it first, of those who are in it; in milliseconds since 1970.
        masks: By the letter of the list, in the order of setting.
        rank: Of the one who asks: ``o``, ``v``, ``ov`` or "".
    """

    room: str
    flags: str
    key: str
    limit: int
    made_at: int
    masks: Mapping[str, Mapping[str, Mask]]
    rank: str
