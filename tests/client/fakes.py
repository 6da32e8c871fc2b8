"""What the client's tests stand on, and in which there is no server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from typing_extensions import override
from zope.interface import implementer

from twistedchat.client.address import Server
from twistedchat.client.connection import Connection

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProtocol, IProtocolFactory
    from twisted.internet.task import Clock

    from twistedchat.client.conversation import Conversation

__all__ = ["Output", "Script", "ScriptedTransport"]


class Output:
    """Standard input and output, kept."""

    def __init__(self) -> None:
        self.written = ""
        self.paused = False

    def write(self, text: str) -> None:
        self.written += text

    def pause_input(self) -> None:
        self.paused = True

    def resume_input(self) -> None:
        self.paused = False


class ScriptedTransport(StringTransport):
    """A client's connection to nobody: a test reads what was sent, and says what comes back."""

    def __init__(self, protocol: IProtocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.over = False

    @override
    def loseConnection(self) -> None:
        self.lose(error.ConnectionDone())

    @override
    def abortConnection(self) -> None:
        self.lose(error.ConnectionAborted())

    def lose(self, reason: Exception | None = None) -> None:
        """The connection breaks."""
        if not self.over:
            self.over = True
            self.protocol.connectionLost(Failure(reason or error.ConnectionLost()))

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Every message that the client sent."""
        return [json.loads(line) for line in self.value().splitlines()]

    def send(self, **message: object) -> None:
        """Send one message."""
        self.send_line(json.dumps(message))

    def send_line(self, line: str) -> None:
        """Send a line."""
        if not self.over:
            self.protocol.dataReceived(f"{line}\n".encode())

    def answer(self, **message: object) -> None:
        """Answer the last that was asked."""
        self.send(re=self.sent[-1]["id"], **message)

    def welcome(self, **more: object) -> None:
        """Answer a hello."""
        [hello] = [message for message in self.sent if message["op"] == "hello"]
        fields = {"name": hello["name"], "session": "token", "resumed": "resume" in hello, "server": "here"}
        self.send(type="welcome", re=hello["id"], **(fields | more))

    def joined(self, seq: int, **more: object) -> None:
        """Answer the last join."""
        join = [message for message in self.sent if message["op"] == "join"][-1]
        fields = {"room": join["room"], "seq": seq, "topic": "", "members": ["alice"], "count": 1}
        self.send(type="joined", re=join["id"], **(fields | more))

    def event(self, seq: int, text: str = "hi") -> None:
        """Show an event of the lobby."""
        at = "2026-11-22T08:30:00.000Z"
        self.send(type="event", room="lobby", seq=seq, at=at, kind="say", who="bob", text=text)

    def closing(self, code: str, text: str) -> None:
        """Say why the connection is closed, and close it."""
        self.send(type="closing", code=code, text=text)
        self.lose(error.ConnectionDone())


@implementer(IStreamClientEndpoint)
class Script:
    """An endpoint that leads to nobody.

    Attributes:
        transports: The connections so far, the newest last.
        down: Whether connections are refused.
    """

    def __init__(self) -> None:
        self.transports: list[ScriptedTransport] = []
        self.down = False

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803  Twisted's name
        """Connect a client, as an endpoint does."""
        if self.down:
            return fail(error.ConnectionRefusedError())
        protocol = cast("IProtocol", protocolFactory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 6622)))
        self.transports.append(ScriptedTransport(protocol))
        protocol.makeConnection(self.transports[-1])
        return succeed(protocol)

    @property
    def transport(self) -> ScriptedTransport:
        """The newest connection."""
        return self.transports[-1]

    def open(self, conversation: Conversation, clock: Clock) -> Connection:
        """Begin to connect, with a second between tries."""
        connection = Connection(clock, [Server(self, "here")], conversation, lambda _: 1.0)
        Deferred.fromCoroutine(connection.open()).addErrback(lambda failure: failure.trap(Exception))
        return connection
