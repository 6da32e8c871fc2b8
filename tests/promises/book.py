"""The book of the promise machines: what each client sent, and what it was shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes import JsonPeer, PlainPeer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

__all__ = ["HELLO", "HISTORY", "ROOMS", "Connection", "Person", "Private", "Sent", "View"]

HISTORY = 5
"""So many events is somebody shown who joins without saying from where."""

ROOMS = ("lobby", "den", "attic")
"""The lobby is where people at telnet begin."""

HELLO = 1
"""The id of a program's first request."""

_NOT_SAID = "*** Your line was not said"


@dataclass(slots=True)
class Sent:
    """A line that somebody sent.

    Attributes:
        room: Where it is to be said.
        text: Unlike that of any other line, except of the same one sent again.
        key: Its mark, or None.
        who: Under which name; None if that is not known.
        op: What a program says it is, ``say`` or ``notice``.
        tags: What a program sends with it.
    """

    room: str
    text: str
    key: str | None = None
    who: str | None = None
    op: str = "say"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Private:
    """A line to one person alone.

    Attributes:
        sender: Who said it.
        to: To whom.
        taken: The sender was told that it is told.
        seen: The receiver was shown it.
    """

    sender: Person
    to: Person
    taken: bool = False
    seen: bool = False


@dataclass(slots=True, eq=False)
class View:
    """What a connection is shown of a room, from a join or ``/since`` on.

    Attributes:
        after: What is shown begins behind this seq; for somebody at telnet at least this.
        exact: Whether that is known exactly.
        events: What was shown so far.
    """

    after: int
    exact: bool
    events: list[Event] = field(default_factory=list)


@dataclass(eq=False)
class Connection:
    """The book on one connection.

    Attributes:
        person: Whose it is.
        peer: Its far end.
        known_as: The name that what is sent next will stand under; None if that is not known.
        views: What it is shown, by room; one that is not shown any more is replaced.
        sent: What was sent, by the id of the request, or by its number for somebody at telnet.
        answers: What was answered, by the id of the request.
        asked: Requests that are not lines to be said, by id.
        seen: The texts that were shown to it.
        owed: Every line is still to be answered, because it has not vanished nor been let go.
        ending: It sends no more, and ends when all is answered.
        stopped_at: When it stopped reading.
        read: How many messages, or bytes, have been looked at.
    """

    person: Person
    peer: JsonPeer | PlainPeer
    known_as: str | None = None
    views: dict[str, View] = field(default_factory=dict)
    sent: dict[int, Sent] = field(default_factory=dict)
    answers: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    asked: dict[int, dict[str, Any]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    owed: bool = True
    ending: bool = False
    stopped_at: float = 0.0
    read: int = 0

    @property
    def name(self) -> str:
        """Whose it is, in a failure's text."""
        return self.person.names[0]

    @property
    def is_program(self) -> bool:
        """Whether it speaks JSON lines."""
        return isinstance(self.peer, JsonPeer)

    @property
    def refused(self) -> bool:
        """Whether a program was refused its name."""
        return any(answer["type"] == "error" for answer in self.answers.get(HELLO, ()))

    @property
    def refusals(self) -> int:
        """How many lines somebody at telnet was told to be not said."""
        return sum(line.startswith(_NOT_SAID) for line in self.peer.lines)

    def news(self) -> Sequence[Any]:
        """What has come since the last time, a message or a whole line each."""
        if isinstance(self.peer, JsonPeer):
            messages = self.peer.messages[self.read :]
            self.read += len(messages)
            return messages
        whole = self.peer.received[self.read : self.peer.received.rfind(b"\n") + 1]
        self.read += len(whole)
        return whole.decode().splitlines()


@dataclass(eq=False)
class Person:
    """Somebody with a name, who may have one connection after another.

    Attributes:
        names: Unlike anybody else's; the newest last.
        connection: The newest; not `Connection.owed` while it is lost.
        token: What takes the session up again; "" for somebody at telnet.
        rooms: Where it has asked to be, with the last seq that it has seen there.
        room: Where somebody at telnet talks.
        keyed: The lines that it sent with a key.
    """

    names: list[str]
    connection: Connection = field(init=False)
    token: str = ""
    rooms: dict[str, int] = field(default_factory=dict)
    room: str = "lobby"
    keyed: list[Sent] = field(default_factory=list)

    @property
    def talks(self) -> bool:
        """Whether it can say something now."""
        return self.connection.owed and not self.connection.ending
