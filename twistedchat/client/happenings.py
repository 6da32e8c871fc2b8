"""What a client is told of: by the server, and about its own lines and connection. Pure records.

Must not know how anything is sent or shown. What was said is an `events.Event`, and who came and
went is a `formats.base.Change`.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change

__all__ = [
    "Answer",
    "Closing",
    "Connected",
    "Disconnected",
    "Happening",
    "Joined",
    "KeptOut",
    "Line",
    "Listener",
    "Refused",
    "Retrying",
    "Room",
    "Stored",
    "Tell",
    "event_of",
    "parse",
]


@dataclass(slots=True, eq=False)
class Room:
    """A room that we are in, or want to be in.

    Attributes:
        name: Without ``#``; as the server spells it, once we are in.
        after: The last seq that we have seen, after which the server goes on; None for its choice.
        last: The last seq that the server had when we came in; None before.
        stored: The last seq of a line of our own.
        topic: What the room is about.
        members: Who is here, as far as the server names them.
        count: How many are here.
        entering: We wait for the server's word that we are in; events before that do not count.
    """

    name: str
    after: int | None = None
    last: int | None = None
    stored: int = 0
    topic: str = ""
    members: set[str] = field(default_factory=set)
    count: int = 0
    entering: bool = True

    @property
    def shows_own(self) -> bool:
        """Whether we have seen all our own lines that are stored."""
        return self.stored <= (self.after or 0)


@dataclass(slots=True, eq=False)
class Line:
    """A line of our own, on its way.

    Attributes:
        room: Where it is said.
        kind: What it is.
        text: What is said.
        key: Unguessable; makes it safe to send the line again.
    """

    room: Room
    kind: Kind
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer to something that was asked.

    Attributes:
        re: The id of what was asked; None if the server could not read it.
        fields: The whole message.
        error: What is wrong, if that is the answer.
    """

    re: str | int | None
    fields: Mapping[str, Any]
    error: ChatError | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """A private line; ``at`` in milliseconds since 1970."""

    who: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Closing:
    """The server says why it closes the connection."""

    text: str


@dataclass(frozen=True, slots=True)
class Connected:
    """We are in, by this name; ``resumed``: nobody saw us leave."""

    name: str
    server: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is lost; the sentence says why."""

    why: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """We try to connect again in so many seconds; the error says why there is no connection."""

    seconds: float
    error: ChatError


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in a room, for the first time or again."""

    room: Room


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A room did not let us in."""

    room: Room
    error: ChatError


@dataclass(frozen=True, slots=True)
class Stored:
    """A line of ours stands in the room's log, with this seq."""

    line: Line
    seq: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A line of ours was not taken."""

    line: Line
    error: ChatError


Happening: TypeAlias = (
    Event | Change | Tell | Closing | Connected | Disconnected | Retrying | Joined | KeptOut | Stored | Refused
)
Listener: TypeAlias = Callable[[Happening], None]


def parse(line: bytes) -> Event | Change | Tell | Closing | Answer:
    """One line from the server.

    Raises:
        ValueError: It is nothing that a chatroom says.
    """
    try:
        message = json.loads(line)
        return _PUSHED.get(message["type"], _answer)(message)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a chatroom's message") from error


def event_of(message: Mapping[str, Any]) -> Event:
    """An event as it stands on the wire.

    A kind that this client is too old to know is shown as a notice.

    Raises:
        ValueError, KeyError, TypeError: It is none.
    """
    kind, who, text = message["kind"], message["who"], message["text"]
    try:
        kind = Kind(kind)
    except ValueError:
        kind, text = Kind.NOTICE, f"{who} {kind}: {text}"
    return Event(str(message["room"]), int(message["seq"]), _milliseconds(message["at"]), kind, str(who), str(text))


def _milliseconds(iso: str) -> int:
    return round(datetime.datetime.fromisoformat(iso).timestamp() * 1000)


def _change(message: Mapping[str, Any]) -> Change:
    return Change(
        room=str(message["room"]),
        joined=[str(name) for name in message["joined"]],
        left=[(str(name), "") for name in message["left"]],
        renamed=[(str(old), str(new)) for old, new in message["renamed"]],
        count=int(message["count"]),
    )


def _tell(message: Mapping[str, Any]) -> Tell:
    return Tell(str(message["who"]), str(message["text"]), _milliseconds(message["at"]))


def _closing(message: Mapping[str, Any]) -> Closing:
    return Closing(str(message["text"]))


def _answer(message: Mapping[str, Any]) -> Answer:
    re = message.get("re")
    if re is not None and not isinstance(re, (str, int)):
        raise ValueError("not an id of ours")
    error = ChatError(str(message["code"]), str(message["text"])) if message["type"] == "error" else None
    return Answer(re, message, error)


_PUSHED: Mapping[str, Callable[[Mapping[str, Any]], Event | Change | Tell | Closing | Answer]] = {
    "event": event_of,
    "presence": _change,
    "tell": _tell,
    "closing": _closing,
}
