"""What a client's listener is notified of: what the server says, our own lines, the connection. Pure records.

Must not know how anything is sent or shown. What was said is an `events.Event`, who came and went a
`formats.base.Change`, a private line a `messages.Tell`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from twistedchat.client.messages import Closing, Invitation, Removal, Tell
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from twistedchat.errors import ChatError

__all__ = [
    "Connected",
    "Disconnected",
    "JoinAccepted",
    "JoinMerged",
    "JoinRefused",
    "JoinedRoom",
    "LineDelayed",
    "LineRefused",
    "LineStored",
    "Listener",
    "LogReset",
    "Notification",
    "OutgoingLine",
    "Retrying",
    "Stopped",
    "news_of",
]


_NEWS_CODES = {"name-lost", "log-lost"}
"""Codes of ``closing`` of which a program's user is told, though the client comes back: that alone mends nothing.

Source: docs/protocol.md, ``closing``.
"""


@dataclass(slots=True, eq=False)
class JoinedRoom:
    """A room that we are in, or want to be in: a cursor on its log.

    Attributes:
        name: Without ``#``; as the server spells it, once we are in.
        after: The last seq that we have seen, after which the server goes on; None for its choice.
        last: The last seq that the server had when we came in; None before.
        stored: The last seq of a line of our own.
        topic: What the room is about.
        members: Who is here, as far as the server names them.
        count: How many are here.
        entering: We wait for the server's answer; events before that do not count.
        joins: How many times we have asked to be let in; only the answer to the last one counts.
        log: The identity of the room's log, if the server gives one.
        key: What lets us in, or "".
    """

    name: str
    after: int | None = None
    last: int | None = None
    stored: int = 0
    topic: str = ""
    members: set[str] = field(default_factory=set)
    count: int = 0
    entering: bool = True
    joins: int = 0
    log: str | None = None
    key: str = ""

    @property
    def shows_own(self) -> bool:
        """Whether we have seen all our own lines that are stored."""
        return self.stored <= (self.after or 0)


@dataclass(slots=True, eq=False)
class OutgoingLine:
    """A line of our own that is not stored yet.

    Attributes:
        room: Where it is said.
        kind: What it is.
        text: What is said.
        key: Unguessable; makes it idempotent to send the line again.
    """

    room: JoinedRoom
    kind: Kind
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Connected:
    """We are in, by this name; ``resumed``: nobody saw us leave."""

    name: str
    server: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is lost; the error says why."""

    error: ChatError


@dataclass(frozen=True, slots=True)
class Retrying:
    """We try to connect again in so many seconds; the error says why there is no connection."""

    seconds: float
    error: ChatError


@dataclass(frozen=True, slots=True)
class Stopped:
    """The connection is lost, and is not made again by itself; the error says why."""

    error: ChatError


@dataclass(frozen=True, slots=True)
class JoinAccepted:
    """We are in a room, for the first time or again."""

    room: JoinedRoom


@dataclass(frozen=True, slots=True)
class JoinMerged:
    """A room that we asked for turned out to be one that we are in, by another spelling.

    Attributes:
        asked: What `Conversation.join` returned; from now on it is in no list.
        room: The one that it is.
    """

    asked: JoinedRoom
    room: JoinedRoom


@dataclass(frozen=True, slots=True)
class JoinRefused:
    """A room did not let us in."""

    room: JoinedRoom
    error: ChatError


@dataclass(frozen=True, slots=True)
class LogReset:
    """A room's log ends before what we have seen of it, or is another one; we go on at its present end.

    Attributes:
        room: The room, whose cursor is set already.
        after: The last seq that we had seen.
        is_other: It is another log, by its identity.
    """

    room: JoinedRoom
    after: int
    is_other: bool

    @property
    def text(self) -> str:
        """The same as a sentence."""
        what = "is another log than before" if self.is_other else f"has lost the end of its log, {self._lost}"
        return f"#{self.room.name} {what}: you had seen {self.after}, and it goes on after {self.room.after}."

    @property
    def _lost(self) -> str:
        lines = self.after - (self.room.after or 0)
        return "1 line" if lines == 1 else f"{lines:,} lines"


@dataclass(frozen=True, slots=True)
class LineStored:
    """A line of ours stands in the room's log, with this seq."""

    line: OutgoingLine
    seq: int


@dataclass(frozen=True, slots=True)
class LineDelayed:
    """A line of ours can't be stored now; it is kept, and sent again later."""

    line: OutgoingLine
    error: ChatError


@dataclass(frozen=True, slots=True)
class LineRefused:
    """A line of ours was not taken, and is not sent again."""

    line: OutgoingLine
    error: ChatError


def news_of(notification: LogReset | Disconnected) -> str:
    """The sentence that is told even to a user who is not told of lost connections; "" for none."""
    if isinstance(notification, LogReset):
        return notification.text
    return notification.error.text if notification.error.code in _NEWS_CODES else ""


Notification: TypeAlias = (
    Event
    | Change
    | Tell
    | Invitation
    | Removal
    | Closing
    | Connected
    | Disconnected
    | Retrying
    | Stopped
    | JoinAccepted
    | JoinMerged
    | JoinRefused
    | LogReset
    | LineStored
    | LineDelayed
    | LineRefused
)
Listener: TypeAlias = Callable[[Notification], None]
