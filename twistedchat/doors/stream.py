"""A byte stream (TCP, TLS, a UNIX socket) as a source of requests: bytes in, requests out, and closing in order.

Knows a Twisted transport, how lines are cut, and the `Channel` above it. Must not know what a request means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from typing_extensions import override
from zope.interface import implementer

from twistedchat.doors.channel import Channel, Farewell
from twistedchat.doors.telnet import IAC, Mark, TelnetDecoder
from twistedchat.doors.wire import Wire
from twistedchat.profiles import Profile

if TYPE_CHECKING:
    from typing import Protocol

    from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
    from twisted.python.failure import Failure

    from twistedchat.doors.channel import Door
    from twistedchat.doors.settings import Settings
    from twistedchat.doors.telnet import Item
    from twistedchat.hub import Hub

    class Decoder(Protocol):
        """Cuts what comes into lines: `telnet.TelnetDecoder`, for one.

        Attributes:
            telnet: Whether telnet's commands are looked for; may be set to False.
        """

        telnet: bool

        def feed(self, data: bytes) -> list[Item]:
            """The lines and marks that a segment completes."""
            ...

        def whole_line(self, data: bytes) -> bytes | None:
            """The line that a segment is, if it is exactly one plain line; None says nothing."""
            ...

        def replies(self) -> bytes:
            """What is to be sent back."""
            ...

        def end(self) -> Item | None:
            """What is left at the end of the input."""
            ...

    class Port(Protocol):
        """What a connection needs of the port that it came to: `port.ChatFactory`.

        Attributes:
            hub: The server's state.
            clock: For delays: monotonic.
            settings: What the operator has chosen.
            connections: Those that are open.
            opened_at: When the server began to take connections, by the clock.
        """

        opened_at: float

        connections: set[ChatProtocol]
        hub: Hub
        clock: IReactorTime
        settings: Settings

        def open_door(self, stream: ChatProtocol) -> None:
            """Greet a new peer, and give its channel a door."""
            ...

        def program_door(self, stream: ChatProtocol) -> Door:
            """Give the channel of a peer that turns out to be a program another door."""
            ...

        def irc_door(self, stream: ChatProtocol) -> Door:
            """The same, for an IRC client."""
            ...

        def lost(self, stream: ChatProtocol) -> None:
            """The connection is gone."""
            ...

    class _Transport(ITCPTransport, IPushProducer):
        """Any stream of Twisted's."""


__all__ = ["CLOSE_SECONDS", "MAX_LINE_BYTES", "ChatProtocol"]

MAX_LINE_BYTES = 32 * 2**10
"""Longest line that is looked at, in bytes; any text fits, however escaped. Source: docs/protocol.md, "JSON lines"."""

PIECE_BYTES = 2 * 2**10
"""Size of the piece of input that is cut into lines at once, in bytes; the rest stays as it was received.

Source: 64 KiB of one-letter lines are 1.3 MB of line objects, 2 KiB are 40 kB; and telnet's commands take a
microsecond a byte, so 2 ms.
"""

CLOSE_SECONDS = 3.0
"""Time limit for the peer's own close after ours, in seconds; until then its input is read and thrown away.

Input that nobody reads would make the kernel send a reset, which can take the goodbye with it. Source: RFC 1122
section 4.2.2.13; docs/protocol.md.
"""

_NOTHING: list[Item] = []
"""Shared by all connections of which nothing waits. Never changed."""

_JSON = b"{"
"""First byte of a program: it is answered as one also if its first line is too long. Source: RFC 8259."""

_TLS_HANDSHAKE = b"\x16"
"""First byte of a TLS hello; no name begins with it. Source: RFC 8446 section 5.1."""

_NO_TLS = Farewell("no-name", "This is a chat room, and this port speaks no TLS: connect without.")
_NO_NAME = Farewell("no-name", "You gave no name in time. Goodbye.")


@implementer(IHalfCloseableProtocol)
class ChatProtocol(LineReceiver):
    """One connection.

    Of LineReceiver it has ``lineReceived`` and the pausing; not its cutting, which knows one delimiter and no
    telnet, and drops a line that is too long without its end.

    Attributes:
        channel: What is done with the requests.
        wire: The way out.
        decoder: The way in; a door may set how it cuts lines.
        port: What all connections share.
    """

    transport: _Transport

    def __init__(self, port: Port) -> None:
        self.port = port
        self.decoder: Decoder = TelnetDecoder(MAX_LINE_BYTES)
        self.channel: Channel
        self.wire: Wire
        self._received = b""
        # Where of it the next piece begins: what is behind is not copied for each.
        self._cut_at = 0
        # The next one last. A list, because an empty deque takes 600 bytes, and most connections are idle.
        self._items: list[Item] = _NOTHING
        self._input_ended = False
        self._peer_ended = False
        self._is_first = True
        self._timer: IDelayedCall | None = None

    # -- the connection --------------------------------------------------------------------------

    @override
    def connectionMade(self) -> None:
        """Greet, and wait for a name."""
        port = self.port
        self.channel = Channel(self, port.hub.writer, port.hub.turns, port.clock, port.settings.pace)
        self.wire = Wire(self.transport, port.clock, self.channel.drained, self._stalled)
        if ITCPTransport.providedBy(self.transport):
            # Small pieces go at once, and a peer that is gone is noticed.
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self._timer = port.clock.callLater(port.settings.login_seconds, self._login_timed_out)
        port.open_door(self)

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Lines that were not taken yet are not said: whoever sent them has not seen them stored."""
        self._cancel_timer()
        self.wire.lost()
        self.channel.lost()
        self.port.lost(self)

    def readConnectionLost(self) -> None:
        """The peer says no more, and may still read."""
        self._input_ended = self._peer_ended = True
        if self.channel.is_closing:
            # It has taken its leave, or does so: nothing is left to wait for.
            self.transport.loseConnection()
        else:
            self.channel.input_ended()

    def writeConnectionLost(self) -> None:
        """The peer has been sent everything: wait for its own close, but not for long."""
        self._timer = self.port.clock.callLater(CLOSE_SECONDS, self._close_timed_out)

    def _close_timed_out(self) -> None:
        self._timer = None
        if self.wire.has_own_order:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    @property
    def address(self) -> str:
        """The peer's IP address; "" if it has none. One of IPv4 that came over a socket of IPv6 is written as such."""
        host: str = getattr(self.transport.getPeer(), "host", "")
        return host.removeprefix("::ffff:")

    def face(self, door: str) -> Profile:
        """How somebody is seen of whom nothing else is known, at a door of this name."""
        address = self.address
        return Profile(door, self.port.hub.people.host_of(address), door=door, address=address)

    def admitted(self) -> None:
        """The peer has given a name: it may stay."""
        self._cancel_timer()

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _login_timed_out(self) -> None:
        self._timer = None
        self.channel.close(_NO_NAME)

    def _stalled(self) -> None:
        self.transport.abortConnection()

    # -- the source of a channel -----------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether the peer has not taken what it was sent."""
        return self.wire.full

    @property
    def owes(self) -> bool:
        """Whether something that was received has not been given out."""
        return bool(self._items or self._received or self._input_ended)

    @property
    def owes_much(self) -> bool:
        """Whether that is more than a piece."""
        return len(self._received) > PIECE_BYTES

    def next(self) -> bytes | Mark | None:
        """The next whole line or mark; None if what was cut made none.

        Plain bytes are cut until they make a line, so that a long line counts as one request; telnet's commands
        are slow to read, and a piece of them counts as one.
        """
        while not self._items and self.owes:
            if self._cut():
                break
        return self._items.pop() if self._items else None

    def read(self, *, on: bool) -> None:
        """Receive from the peer, or do not."""
        if on == self.paused:
            if on:
                self.resumeProducing()
            else:
                self.pauseProducing()

    def discard(self) -> None:
        """Throw away what was received and not given out."""
        self._items = _NOTHING
        self._received = b""
        self._cut_at = 0
        self._input_ended = False

    def shut(self) -> None:
        """Close when the peer has taken everything: say so, and read on until it closes too."""
        self._cancel_timer()
        if self.paused:
            self.resumeProducing()
        in_order = not self._peer_ended
        if self.wire.has_own_order and not self.wire.full:
            # Of TLS's order nobody is told; the peer's part of it is waited for no longer.
            self._timer = self.port.clock.callLater(CLOSE_SECONDS, self._close_timed_out)
        self.wire.close(in_order=in_order)

    # -- bytes in --------------------------------------------------------------------------------

    @override
    def dataReceived(self, data: bytes) -> None:
        """Let the channel have what was received; after its end it is thrown away."""
        if not data or not self.channel.is_open:
            return
        if self._is_first:
            self._is_first = False
            if data[:1] == _TLS_HANDSHAKE:
                self.channel.close(_NO_TLS)
                return
            if data[:1] == _JSON:
                self.port.program_door(self)
        if not (self._received or self._items):
            line = self.decoder.whole_line(data)
            if line is not None and self.channel.take_now(line):
                return
        self._received = self._received[self._cut_at :] + data
        self._cut_at = 0
        self.channel.work()

    def _cut(self) -> bool:
        """Cut a piece of what was received into lines; whether it held telnet commands."""
        end = self._cut_at + PIECE_BYTES
        data, self._cut_at = self._received[self._cut_at : end], end
        if end >= len(self._received):
            self._received, self._cut_at = b"", 0
        self._items = self.decoder.feed(data)
        replies = self.decoder.replies()
        if replies:
            self.wire.write(replies)
        if self._input_ended and not self._received:
            self._input_ended = False
            rest = self.decoder.end()
            if rest:
                self._items.append(rest)
        self._items.reverse()
        return IAC in data
