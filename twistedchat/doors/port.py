"""The factory of a port: makes connections, chooses the door of each by its first line, knows which are open.

Knows the doors and what the operator has chosen. Must not know what is asked at a door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, ServerFactory
from typing_extensions import override

from twistedchat.doors.channel import Farewell
from twistedchat.doors.jsonl import JsonDoor, closing_line
from twistedchat.doors.plain import PlainDoor
from twistedchat.doors.settings import Settings
from twistedchat.doors.stream import ChatProtocol
from twistedchat.formats.plain import aside
from twistedchat.irc.door import IrcDoor
from twistedchat.irc.message import write
from twistedchat.irc.newcomer import Newcomer
from twistedchat.memory import Trimmer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ITransport

    from twistedchat.hub import Hub

__all__ = ["ChatFactory", "IrcFactory", "Settings"]

FULL = Farewell("full", "The server is full. Please try again later.")

FULL_SECONDS = 1.0
"""Time in which a peer that is turned away may show that it is a program, in seconds.

Source: chosen; programs speak at once.
"""


_FULL_LINE = write("", "ERROR", f"Closing link: {FULL.text.removesuffix('.')}")
"""The same for an IRC client."""


class _Full(Protocol):
    """Tells whoever connects that there is no place left, each in its own way."""

    transport: ITransport

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._timer: IDelayedCall | None = None

    @override
    def connectionMade(self) -> None:
        self.transport.write(aside(FULL.text))
        self._timer = self._clock.callLater(FULL_SECONDS, self._close)

    @override
    def dataReceived(self, data: bytes) -> None:
        if self._timer is not None:
            self._timer.cancel()
            if data[:1] == b"{":
                self.transport.write(closing_line(FULL))
            elif data[:6].upper() == b"CAP LS":
                self.transport.write(_FULL_LINE)
            self._close()

    def _close(self) -> None:
        self._timer = None
        self.transport.loseConnection()

    @override
    def connectionLost(self, reason: object = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _FullOfClients(Protocol):
    """The same at a port at which everybody speaks IRC."""

    transport: ITransport

    @override
    def connectionMade(self) -> None:
        self.transport.write(_FULL_LINE)
        self.transport.loseConnection()


class ChatFactory(ServerFactory):
    """Makes a `ChatProtocol` for each connection.

    Args:
        hub: The server's state.
        clock: For delays: monotonic.
        settings: What the operator has chosen.

    Attributes:
        connections: Those that are open.
        opened_at: When it was made, by the clock.
    """

    noisy = False

    def __init__(self, hub: Hub, clock: IReactorTime, settings: Settings) -> None:
        self.hub = hub
        self.clock = clock
        self.settings = settings
        self.opened_at = clock.seconds()
        self.connections: set[ChatProtocol] = set()
        self._emptied: list[Deferred[None]] = []
        self._trimmer = Trimmer(clock)

    @override
    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """A protocol for a new connection."""
        if len(self.connections) >= self.settings.max_connections:
            return _Full(self.clock)
        protocol = ChatProtocol(self)
        self.connections.add(protocol)
        return protocol

    def open_door(self, stream: ChatProtocol) -> None:
        """Greet somebody who may be a person; the first line tells."""
        door = PlainDoor(stream)
        stream.channel.door = door
        door.greet()

    def program_door(self, stream: ChatProtocol) -> JsonDoor:
        """The first line began with ``{``: from now on it is a program."""
        door = JsonDoor(stream)
        stream.channel.door = door
        return door

    def irc_door(self, stream: ChatProtocol) -> IrcDoor:
        """It is an IRC client."""
        address = stream.address
        newcomer = Newcomer(host=self.hub.people.host_of(address), address=address)
        door = IrcDoor(stream, newcomer)
        stream.channel.door = door
        return door

    def lost(self, stream: ChatProtocol) -> None:
        """A connection is gone."""
        self.connections.discard(stream)
        self._trimmer.connection_gone()
        self._check_empty()

    def emptied(self) -> Deferred[None]:
        """Fires when there is no connection."""
        done: Deferred[None] = Deferred()
        self._emptied.append(done)
        self._check_empty()
        return done

    def for_irc(self) -> IrcFactory:
        """The factory of a port at which there are IRC clients alone."""
        return IrcFactory(self)

    def _check_empty(self) -> None:
        if not self.connections:
            emptied, self._emptied = self._emptied, []
            for done in emptied:
                done.callback(None)


class IrcFactory(ServerFactory):
    """Makes a `ChatProtocol` for each connection to a port at which everybody speaks IRC.

    Args:
        chat: The factory of the other ports, which keeps all connections.
    """

    noisy = False

    def __init__(self, chat: ChatFactory) -> None:
        self._chat = chat
        self.hub = chat.hub
        self.clock = chat.clock
        self.settings = chat.settings
        self.opened_at = chat.opened_at
        self.connections = chat.connections

    @override
    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """A protocol for a new connection."""
        if len(self.connections) >= self.settings.max_connections:
            return _FullOfClients()
        protocol = ChatProtocol(self)
        self.connections.add(protocol)
        return protocol

    def open_door(self, stream: ChatProtocol) -> None:
        """Wait for what the client says first; nothing is said to it before."""
        self._chat.irc_door(stream)

    def program_door(self, stream: ChatProtocol) -> IrcDoor:
        """It is an IRC client, whatever it says first."""
        door = stream.channel.door
        return door if isinstance(door, IrcDoor) else self._chat.irc_door(stream)

    irc_door = program_door

    def lost(self, stream: ChatProtocol) -> None:
        """A connection is gone."""
        self._chat.lost(stream)
