"""The client's connection: made, watched, and made again whenever it is lost.

Knows sockets and time. Must not know what is said: that is the conversation's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.internet import backoffPolicy
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.task import deferLater
from twisted.protocols.basic import LineOnlyReceiver
from typing_extensions import override

from twistedchat.client.address import trouble
from twistedchat.client.happenings import Disconnected, Retrying, parse
from twistedchat.errors import ChatError
from twistedchat.formats.jsonl import MAX_LINE_BYTES, to_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, IStreamClientEndpoint
    from twisted.python.failure import Failure

    from twistedchat.client.conversation import Conversation

__all__ = ["Connection", "ServerProtocol"]

WELCOME_SECONDS = 20.0
"""A server that has not welcomed us after so long is none, or is stuck."""

SILENCE_SECONDS = 20.0
"""After so long without a word from the server we ask for one; after as long again it counts as lost.

Together less than the 60 s for which a server keeps a lost session: docs/protocol.md, ``resume``.
"""

FAREWELL_SECONDS = 5.0
"""A server that does not close so long after ``quit`` is left."""


class ServerProtocol(LineOnlyReceiver):
    """One connection to a server.

    Attributes:
        gone: Fires with a `ChatError` that says why, when the connection is no more.
    """

    transport: ITCPTransport
    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE_BYTES

    def __init__(self, conversation: Conversation, reactor: IReactorTime, where: str) -> None:
        self.gone: Deferred[ChatError] = Deferred()
        self._conversation = conversation
        self._reactor = reactor
        self._where = where
        self._why: ChatError | None = None
        self._heard = True
        self._spoke_json = False
        self._check: IDelayedCall | None = None

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message, in order."""
        self.transport.write(to_line(message))

    @override
    def connectionMade(self) -> None:
        """Send small messages at once, and begin to listen for silence."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self._check = self._reactor.callLater(SILENCE_SECONDS, self._check_silence)

    @override
    def dataReceived(self, data: bytes) -> None:
        """Cut lines."""
        self._heard = True
        super().dataReceived(data)

    @override
    def lineReceived(self, line: bytes) -> None:
        """Take one message; what comes before the first one is the server's greeting for people."""
        if not self._spoke_json and not line.startswith(b"{"):
            return
        self._spoke_json = True
        try:
            message = parse(line)
        except ValueError:
            self.give_up(_not_a_chatroom(self._where))
        else:
            self._conversation.received(message)

    @override
    def lineLengthExceeded(self, line: bytes) -> None:
        """No chatroom says so much in a line."""
        self.give_up(_not_a_chatroom(self._where))

    def _check_silence(self) -> None:
        self._check = self._reactor.callLater(SILENCE_SECONDS, self._check_silence)
        if not self._heard:
            self.give_up(ChatError("lost", f"{self._where} does not answer any more."))
        elif self._conversation.connected:
            self._heard = False
            self._conversation.ask("ping").addErrback(_expect_loss)

    def give_up(self, error: ChatError) -> None:
        """Close at once, for this reason."""
        self._why = self._why or error
        self.transport.abortConnection()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Say why."""
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._why is None and not self._spoke_json and isinstance(reason.value, ConnectionDone):
            self._why = _not_a_chatroom(self._where)
        error = self._why or ChatError("lost", trouble(self._where, reason.value or ConnectionDone()))
        self._conversation.lost(error)
        self.gone.callback(error)


def _expect_loss(failure: Failure) -> None:
    """Whoever had to be told is told by `ServerProtocol.gone`."""
    failure.trap(ChatError, CancelledError)


def _not_a_chatroom(where: str) -> ChatError:
    return ChatError("not-a-chatroom", f"{where} answers, but is no chatroom: is that the right port?")


class _ServerFactory(Factory):
    """Has the protocol for one connection."""

    noisy = False

    def __init__(self, protocol: ServerProtocol) -> None:
        self._protocol = protocol

    @override
    def buildProtocol(self, addr: IAddress | None) -> ServerProtocol:
        """The protocol for this connection."""
        return self._protocol


class Connection:
    """Keeps a conversation connected, until `close`.

    Twisted's `ClientService` is not used: a connection that is lost while it is being prepared (by
    hello and welcome) is an error to it.

    Args:
        reactor: For the time.
        endpoint: Where to connect.
        where: What to call that place.
        conversation: What to keep connected; its listener is told when the connection is lost, and
            when it will be tried again.
        delay: Seconds to wait before the next try, by the number of tries that have failed.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        endpoint: IStreamClientEndpoint,
        where: str,
        conversation: Conversation,
        delay: Callable[[int], float] | None = None,
    ) -> None:
        self._reactor = reactor
        self._endpoint = endpoint
        self._where = where
        self._conversation = conversation
        self._delay = delay or backoffPolicy(initialDelay=0.5, maxDelay=20.0, factor=1.6)
        self._protocol: ServerProtocol | None = None
        self._staying: Deferred[None] | None = None
        self._closing = False

    async def open(self) -> None:
        """Connect for the first time, and from then on again and again.

        Raises:
            ChatError: There is nobody, or the server does not take us; nothing is tried again.
        """
        protocol = await self._connect()
        self._staying = Deferred.fromCoroutine(self._stay(protocol))
        self._staying.addErrback(_expect_loss)

    async def _connect(self) -> ServerProtocol:
        protocol = ServerProtocol(self._conversation, self._reactor, self._where)
        try:
            await self._endpoint.connect(_ServerFactory(protocol))
        except CancelledError:
            raise
        except Exception as error:
            raise ChatError("unreachable", trouble(self._where, error)) from error
        self._protocol = protocol
        late = self._reactor.callLater(WELCOME_SECONDS, protocol.give_up, _not_a_chatroom(self._where))
        try:
            await self._conversation.greet(protocol)
        except Exception:
            protocol.transport.abortConnection()
            raise
        finally:
            if late.active():
                late.cancel()
        return protocol

    async def _stay(self, protocol: ServerProtocol) -> None:
        """Whenever the connection is lost, make another."""
        while True:
            why = await protocol.gone
            if self._closing:
                return
            self._conversation.listener(Disconnected(why.text))
            protocol = await self._reconnect(why)

    async def _reconnect(self, why: ChatError) -> ServerProtocol:
        failures = 0
        while True:
            seconds = self._delay(failures)
            self._conversation.listener(Retrying(seconds, why))
            await deferLater(self._reactor, seconds)
            try:
                return await self._connect()
            except ChatError as error:
                why = error
                failures += 1

    async def close(self, farewell_seconds: float = FAREWELL_SECONDS) -> None:
        """Let the server finish what we said, and close; returns when there is no connection."""
        self._closing = True
        if self._conversation.connected and self._protocol is not None:
            self._conversation.quit()
            late = self._reactor.callLater(farewell_seconds, self._protocol.transport.abortConnection)
            if self._staying is not None:
                await self._staying
            if late.active():
                late.cancel()
        elif self._staying is not None:
            self._staying.cancel()
