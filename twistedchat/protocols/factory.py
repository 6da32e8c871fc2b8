"""Makes the connections on port 6622, and knows which are open. Knows nothing of what is said on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.logger import Logger
from typing_extensions import override

from twistedchat.formats.plain import told
from twistedchat.protocols.line import ChatProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IAddress, ITransport

    from twistedchat.hub import Hub
    from twistedchat.protocols.dialect import Dialect

__all__ = ["ChatFactory", "Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has chosen.

    Attributes:
        title: The server's public name.
        motd: Lines shown to whoever connects.
        rate: Lines a second from one connection; 0 for no limit.
        burst: Lines at once, before the rate counts.
        login_seconds: A connection that has given no name by then is closed.
        max_connections: Beyond them whoever connects is told to try later.
    """

    title: str = "the chatroom"
    motd: tuple[str, ...] = ()
    rate: float = 20
    burst: float = 200
    login_seconds: float = 60.0
    max_connections: int = 10_000


class _Full(Protocol):
    """Tells whoever connects that there is no place left."""

    transport: ITransport

    @override
    def connectionMade(self) -> None:
        self.transport.write(told("The server is full. Please try again later."))
        self.transport.loseConnection()


class ChatFactory(ServerFactory):
    """Makes a `ChatProtocol` for each connection.

    Args:
        hub: The server's state.
        settings: What the operator has chosen.
        people: Makes the dialect of a connection that has just been made; it greets.
        programs: Makes the dialect of a connection whose first line begins with ``{``.

    Attributes:
        connections: Those that are open.
    """

    noisy = False

    def __init__(
        self,
        hub: Hub,
        settings: Settings,
        people: Callable[[ChatProtocol], Dialect],
        programs: Callable[[ChatProtocol], Dialect],
    ) -> None:
        self.hub = hub
        self.settings = settings
        self.people = people
        self.programs = programs
        self.connections: set[ChatProtocol] = set()
        self.log = Logger()
        self._emptied: list[Deferred[None]] = []

    @override
    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """A protocol for a new connection."""
        if len(self.connections) >= self.settings.max_connections:
            return _Full()
        protocol = ChatProtocol(self)
        self.connections.add(protocol)
        return protocol

    def lost(self, protocol: ChatProtocol) -> None:
        """A connection is gone."""
        self.connections.discard(protocol)
        self._check_empty()

    def emptied(self) -> Deferred[None]:
        """Fires when there is no connection."""
        done: Deferred[None] = Deferred()
        self._emptied.append(done)
        self._check_empty()
        return done

    def _check_empty(self) -> None:
        if not self.connections:
            emptied, self._emptied = self._emptied, []
            for done in emptied:
                done.callback(None)
