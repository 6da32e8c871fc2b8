"""The client's connection: made, watched, and made again, to any of its servers, whenever it is lost.

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
from twistedchat.client.messages import Closing, ServerError, parse
from twistedchat.client.notifications import Disconnected, Retrying, Stopped
from twistedchat.errors import ChatError
from twistedchat.formats.jsonl import MAX_LINE_BYTES, to_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from twistedchat.client.address import Server
    from twistedchat.client.conversation import Conversation

__all__ = ["Connection", "ServerProtocol"]

WELCOME_SECONDS = 20.0
"""Timeout of the welcome, in seconds: a server that takes longer is none, or is stuck.

Far above the slowest answer of a busy server (docs/capacity.md), for the sake of slow networks. Source: chosen.
"""

HEARTBEAT_SECONDS = 20.0
"""Interval of the heartbeat, in seconds: after as long without a byte we ping, after as long again the server is lost.

Twice this is less than the 60 s for which a server keeps a lost session, so that it can be resumed.
Source: docs/protocol.md, "Coming back".
"""

FAREWELL_SECONDS = 5.0
"""Timeout of the farewell, in seconds: a server that has not closed by then, after ``quit``, is left.

It stores first what was said, which takes some ms unless its disk is slow. Source: chosen.
"""

FAULT_SECONDS = 5.0
"""Least delay before we connect again after a fault in the server, in seconds.

What we asked for may be what it stumbled on. Source: docs/protocol.md, ``closing``.
"""

STEADY_SECONDS = 5.0
"""Age of a connection, in seconds, from which on its loss is followed by a try at the next server at once.

A younger one is followed by the shortest delay first, lest two servers that let us in and close at once keep us
running between them. Source: chosen.
"""

_NOT_READY = {"not-ready"}
"""Codes with which a server refuses a hello that another one may accept. Source: docs/protocol.md, codes of errors."""

_FINAL = {"taken-over"}
"""Codes of ``closing`` after which we do not connect again by ourselves. Source: docs/protocol.md, ``closing``.

Two clients that took one session from each other in turn would never end.
"""


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
        self._timers: set[IDelayedCall] = set()

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message, in order."""
        self.transport.write(to_line(message))

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after a while, unless the connection is lost by then."""

        def call() -> None:
            self._timers.discard(timer)
            function()

        timer = self._reactor.callLater(seconds, call)
        self._timers.add(timer)

    @override
    def connectionMade(self) -> None:
        """Send small messages at once, and begin the heartbeat."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self.call_later(HEARTBEAT_SECONDS, self._heartbeat)

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
            if isinstance(message, Closing):
                self._why = self._why or ChatError(message.code, message.text)
            self._conversation.received(message)

    @override
    def lineLengthExceeded(self, line: bytes) -> None:
        """No chatroom says so much in a line."""
        self.give_up(_not_a_chatroom(self._where))

    def _heartbeat(self) -> None:
        self.call_later(HEARTBEAT_SECONDS, self._heartbeat)
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
        timers, self._timers = self._timers, set()
        for timer in timers:
            timer.cancel()
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
    """Keeps a conversation connected, to one server at a time, until `close`.

    When the connection is lost, each of the other servers is tried at once, in turn, and then the one that was lost;
    from then on every round through the list waits longer than the one before.

    Twisted's `ClientService` is not used: a connection that is lost while it is being prepared (by
    hello and welcome) is an error to it.

    Args:
        reactor: For the time.
        servers: Where to connect, at least one; the first is tried first.
        conversation: What to keep connected; its listener is told when the connection is lost, and
            when it will be tried again.
        delay: Seconds to wait before the next round of tries, by the number of rounds that have failed in a row.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        servers: Sequence[Server],
        conversation: Conversation,
        delay: Callable[[int], float] | None = None,
    ) -> None:
        self._reactor = reactor
        self._servers = servers
        self._turn = 0
        self._conversation = conversation
        self._delay = delay or backoffPolicy(initialDelay=0.5, maxDelay=20.0, factor=1.6)
        self._protocol: ServerProtocol | None = None
        self._staying: Deferred[None] | None = None
        self._welcomed_at = 0.0
        self._closing = False

    async def open(self) -> None:
        """Connect for the first time, and from then on again and again.

        Raises:
            ChatError: There is nobody at any of the servers, or one does not take us; nothing is tried again.
        """
        protocol = await self._connect_first()
        self._staying = Deferred.fromCoroutine(self._stay(protocol))
        self._staying.addErrback(_expect_loss)

    async def _connect_first(self) -> ServerProtocol:
        """Connect to the first server that takes us.

        Raises:
            ChatError: None does, or one gives a reason that holds for all.
        """
        faults: list[ChatError] = []
        while len(faults) < len(self._servers):
            self._turn = len(faults)
            try:
                return await self._connect()
            except ChatError as error:
                faults.append(error)
                if isinstance(error, ServerError) and error.code not in _NOT_READY:
                    raise
        if len(faults) == 1:
            raise faults[0]
        raise ChatError(faults[-1].code, " ".join(dict.fromkeys(fault.text for fault in faults))) from faults[-1]

    async def _connect(self) -> ServerProtocol:
        server = self._servers[self._turn % len(self._servers)]
        protocol = ServerProtocol(self._conversation, self._reactor, server.where)
        try:
            await server.endpoint.connect(_ServerFactory(protocol))
        except CancelledError:
            raise
        except Exception as error:
            raise ChatError("unreachable", trouble(server.where, error)) from error
        self._protocol = protocol
        late = self._reactor.callLater(WELCOME_SECONDS, protocol.give_up, _not_a_chatroom(server.where))
        try:
            await self._conversation.greet(protocol)
        except Exception:
            protocol.transport.abortConnection()
            raise
        finally:
            if late.active():
                late.cancel()
        self._welcomed_at = self._reactor.seconds()
        return protocol

    async def _stay(self, protocol: ServerProtocol) -> None:
        """Whenever the connection is lost, make another."""
        while True:
            why = await protocol.gone
            if self._closing:
                return
            self._conversation.listener(Disconnected(why))
            try:
                protocol = await self._reconnect(why)
            except ChatError as error:
                self._conversation.listener(Stopped(error))
                return

    async def _reconnect(self, why: ChatError) -> ServerProtocol:
        """Try again and again.

        Raises:
            ChatError: The server has said something after which we do not come back.
        """
        tries = 0
        is_steady = self._reactor.seconds() - self._welcomed_at >= STEADY_SECONDS
        while why.code not in _FINAL:
            seconds = _delay(self._pause(tries, is_steady=is_steady), why)
            self._conversation.listener(Retrying(seconds, why))
            await deferLater(self._reactor, seconds)
            self._turn += 1
            try:
                return await self._connect()
            except ChatError as error:
                why = error
                tries += 1
        raise why

    def _pause(self, tries: int, *, is_steady: bool) -> float:
        """Seconds to wait before the next try, after so many.

        The last try of a round is the one at the server that was lost; the others of the round do not wait.
        """
        rounds, place = divmod(tries, len(self._servers))
        is_last = place == len(self._servers) - 1
        return self._delay(rounds) if is_last or not (tries or is_steady) else 0.0

    async def close(self, why: str = "", farewell_seconds: float = FAREWELL_SECONDS) -> None:
        """Let the server finish what we said, and close; returns when there is no connection.

        Args:
            why: A parting word for the others; "" for none.
            farewell_seconds: How long to wait for the server.
        """
        self._closing = True
        if self._conversation.connected and self._protocol is not None:
            self._conversation.quit(why)
            late = self._reactor.callLater(farewell_seconds, self._protocol.transport.abortConnection)
            if self._staying is not None:
                await self._staying
            if late.active():
                late.cancel()
        elif self._staying is not None:
            self._staying.cancel()


def _delay(seconds: float, why: ChatError) -> float:
    """The delay before the next try, in the light of why there is no connection."""
    if why.code == "fault":
        return max(seconds, FAULT_SECONDS)
    if isinstance(why, ServerError) and why.free_in_seconds is not None:
        # Our own name, held by a session of which we do not have the token.
        return max(seconds, why.free_in_seconds)
    return seconds
