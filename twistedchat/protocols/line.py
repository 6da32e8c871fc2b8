"""Port 6622: one connection, as lines in and bytes out.

Decides by the first line whom it has before it: a dialect then turns each line into verbs. Knows
nothing of what a line means.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from typing_extensions import override
from zope.interface import implementer

from twistedchat.formats.plain import told
from twistedchat.limits import TokenBucket
from twistedchat.protocols.telnet import Mark, TelnetDecoder
from twistedchat.protocols.wire import Wire

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IPushProducer
    from twisted.python.failure import Failure

    from twistedchat.protocols.dialect import Dialect
    from twistedchat.protocols.factory import ChatFactory

    class _Transport(ITCPTransport, IPushProducer):
        """Any stream of Twisted's."""


__all__ = ["ChatProtocol"]

MAX_LINE_BYTES = 32 * 2**10
"""The longest line that is looked at; any text fits, however escaped. Source: docs/protocol.md, "JSON lines"."""

TLS_HANDSHAKE = b"\x16"
"""How a TLS hello begins, and no name does. Source: RFC 8446 section 5.1."""

WONT_TIMING_MARK = b"\xff\xfc\x06"
"""The answer that a telnet client waits for after ^C. Source: RFC 860."""

IAC = b"\xff"
"""Begins a telnet command. Source: RFC 854."""

TELNET_PIECE_BYTES = 2 * 2**10
"""So much of what holds telnet commands is read at once. Source: at a microsecond a byte, 2 ms."""

LINES_A_TURN = 256
"""So many lines of one connection are taken at once. Source: 5 µs a line, so 1.3 ms."""

LEAST_WAIT_SECONDS = 0.01
"""A connection that is held back by its rate waits at least so long, and then says several lines."""


class _Life(enum.Enum):
    """How far a connection has come."""

    OPEN = enum.auto()
    ENDED = enum.auto()  # no more lines are taken in; what was accepted is still answered
    CLOSING = enum.auto()  # the last bytes have been written
    LOST = enum.auto()


class _Hold(enum.Enum):
    """Why the next line is not taken now."""

    NONE = enum.auto()
    TURN = enum.auto()  # lines are being taken
    ANSWER = enum.auto()  # the last line is still being answered
    PEER = enum.auto()  # the peer does not read what it is sent
    TIME = enum.auto()  # it has said enough for the moment
    PIPELINE = enum.auto()  # everybody together has


@implementer(IHalfCloseableProtocol)
class ChatProtocol(LineReceiver):
    """One connection.

    Lines go to the dialect as fast as the rate, the pipeline, the peer's own reading and the
    dialect allow; as long as lines wait, the transport is not read. After the peer's end of input,
    or `finish`, what was accepted is stored, shown and answered, and then the connection closes.

    Attributes:
        wire: The way out.
        telnet: The way in; a dialect may set how it cuts lines.
    """

    factory: ChatFactory
    transport: _Transport
    wire: Wire

    def __init__(self, factory: ChatFactory) -> None:
        self.factory = factory
        self.telnet = TelnetDecoder(MAX_LINE_BYTES)
        self._dialect: Dialect
        self._first = True
        self._bytes = b""
        # The next one last. A list, because an empty deque takes 600 bytes, and most connections are idle.
        self._items: list[bytes | Mark] = []
        self._input_ended = False
        self._life = _Life.OPEN
        self._hold = _Hold.NONE
        self._goodbye = ""
        self._bucket: TokenBucket | None = None
        self._login: IDelayedCall | None = None
        self._pause: IDelayedCall | None = None

    # -- the connection --------------------------------------------------------------------------

    @override
    def connectionMade(self) -> None:
        """Greet, and wait for a name."""
        settings = self.factory.settings
        self._reactor = self.factory.hub.reactor
        self._pipeline = self.factory.hub.pipeline
        self.wire = Wire(self.transport, self._reactor, self._drained, self._stalled)
        if ITCPTransport.providedBy(self.transport):
            # Small pieces go at once, and a peer that is gone is noticed.
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        if settings.rate:
            self._bucket = TokenBucket(settings.rate, settings.burst, self._reactor.seconds())
        self._login = self._reactor.callLater(settings.login_seconds, self._login_timed_out)
        self._dialect = self.factory.people(self)
        self._dialect.greet()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Lines that were not taken yet are not said: whoever sent them has not seen them stored."""
        life, self._life = self._life, _Life.LOST
        self._forget_lines()
        self.named()
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self.wire.lost()
        if life is not _Life.CLOSING:
            self._dialect.lost()
        self.factory.lost(self)

    def readConnectionLost(self) -> None:
        """The peer says no more, and still reads: say what it said, answer, show it its own lines."""
        if self._life is _Life.OPEN:
            self._life = _Life.ENDED
            self._input_ended = True
        self._work()

    def writeConnectionLost(self) -> None:
        """We never close one half."""

    def named(self) -> None:
        """The peer has given a name: it may stay."""
        if self._login is not None:
            self._login.cancel()
            self._login = None

    def _login_timed_out(self) -> None:
        self._login = None
        self.close("You gave no name in time. Goodbye.")

    def _stalled(self) -> None:
        self.transport.abortConnection()

    def close(self, goodbye: str = "") -> None:
        """Close when what was written so far has been taken, after a sentence that says why."""
        if self._life in (_Life.CLOSING, _Life.LOST):
            return
        if goodbye:
            self._dialect.goodbye(goodbye)
        self._life = _Life.CLOSING
        self._forget_lines()
        # The peer may be slow to take its leave, and has left all the same.
        self._dialect.lost()
        # TLS reads the peer's farewell before it closes.
        self.transport.resumeProducing()
        self.wire.close()

    def finish(self, goodbye: str = "") -> None:
        """Take no more lines; close when what was accepted is stored, shown and answered."""
        if self._life is _Life.OPEN:
            self._life = _Life.ENDED
            self.transport.pauseProducing()
        self._forget_lines()
        self._goodbye = goodbye
        self.check_finished()

    def _forget_lines(self) -> None:
        self._items.clear()
        self._bytes = b""
        self._input_ended = False

    def check_finished_soon(self) -> None:
        """The same as `check_finished`, when everybody has been shown what was stored."""
        if self._life is _Life.ENDED:
            self._reactor.callLater(0, self.check_finished)

    def check_finished(self) -> None:
        """Close, if the peer has come to its end and nothing is owed to it any more."""
        if self._life is not _Life.ENDED or self._owes_lines or self._dialect.unanswered:
            return
        if self._hold is _Hold.ANSWER or self.wire.full:
            return
        if self._dialect.has_seen_all:
            self.close(self._goodbye)
        else:
            self._dialect.drained()

    # -- lines in --------------------------------------------------------------------------------

    @override
    def dataReceived(self, data: bytes) -> None:
        """Cut bytes into lines, and do what they say."""
        if self._life is not _Life.OPEN:
            return
        if self._first and data[:1] == TLS_HANDSHAKE:
            self.close("This is a chat room, and this port speaks no TLS: connect without.")
            return
        self._bytes += data
        self._work()

    def _work(self) -> None:
        """Take lines, until there is none or something says wait."""
        if self._hold is _Hold.NONE:
            self._hold = _Hold.TURN
            for _ in range(LINES_A_TURN):
                if not (self._items or (self._owes_lines and self._cut())) or self._must_wait():
                    break
                self._take(self._items.pop())
                if self._hold is not _Hold.TURN:
                    break
            if self._hold is _Hold.TURN:
                self._hold = _Hold.NONE
                if self._owes_lines:
                    self._wait(0)
        self._read_or_not()
        self.check_finished()

    def _cut(self) -> bool:
        """Cut what was read into lines; whether there are any."""
        data, self._bytes = self._bytes, b""
        if IAC in data:
            # Telnet's commands are slow to read, and need not make a line: they are read in small pieces,
            # and a piece of nothing else counts as a line.
            data, self._bytes = data[:TELNET_PIECE_BYTES], data[TELNET_PIECE_BYTES:]
        self._items = self.telnet.feed(data)
        replies = self.telnet.replies()
        if replies:
            self.wire.write(replies)
        if self._input_ended and not self._bytes:
            self._input_ended = False
            rest = self.telnet.end()
            if rest:
                self._items.append(rest)
        self._items.reverse()
        if self._bytes and not self._items and not self._must_wait():
            self._wait(0)
        return bool(self._items)

    @property
    def _owes_lines(self) -> bool:
        """Whether something that was read has not been taken."""
        return bool(self._items or self._bytes or self._input_ended)

    def _must_wait(self) -> bool:
        """Whether the next line can't be taken now; if so, see to it that it is taken later."""
        if self.wire.full:
            self._hold = _Hold.PEER
        elif self._pipeline.full:
            self._hold = _Hold.PIPELINE
            self._pipeline.when_drained(self._pipeline_drained)
        elif self._bucket is not None:
            wait = self._bucket.take(self._reactor.seconds())
            if wait:
                self._wait(max(wait, LEAST_WAIT_SECONDS))
        return self._hold is not _Hold.TURN

    def _wait(self, seconds: float) -> None:
        self._hold = _Hold.TIME
        self._pause = self._reactor.callLater(seconds, self._waited)

    def _waited(self) -> None:
        self._pause = None
        self._release(_Hold.TIME)

    def _pipeline_drained(self) -> None:
        self._release(_Hold.PIPELINE)

    def _release(self, hold: _Hold) -> None:
        """What held the next line holds it no more."""
        if self._hold is hold and self._life is not _Life.LOST:
            self._hold = _Hold.NONE
            self._work()

    def _read_or_not(self) -> None:
        """Read from the peer if and only if all that was read has been taken."""
        wait = self._owes_lines
        if wait != self.paused and self._life is _Life.OPEN:
            self.paused = wait
            if wait:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()

    def _take(self, item: bytes | Mark) -> None:
        if item is Mark.ARE_YOU_THERE:
            self.wire.write(told("Yes, I am here."))
        elif item is Mark.TIMING:
            self.wire.write(WONT_TIMING_MARK)
        elif item is Mark.TOO_LONG:
            self._dialect.too_long()
        else:
            self.lineReceived(item)

    @override
    def lineReceived(self, line: bytes) -> None:
        """Hand a line to the dialect; whatever fails there ends this connection alone."""
        if self._first and line:
            self._first = False
            if line[:1] == b"{":
                self._dialect = self.factory.programs(self)
        try:
            answering = self._dialect.line(line)
        except Exception:
            self._failed()
            return
        if answering is not None:
            done = Deferred.fromCoroutine(answering).addErrback(self._failed)
            if not done.called:
                self._hold = _Hold.ANSWER
                done.addCallback(lambda _: self._release(_Hold.ANSWER))

    def _failed(self, failure: Failure | None = None) -> None:
        self.factory.log.failure("A connection was given up", failure)
        self.close("Something went wrong here, and was noted. Please connect again.")

    # -- bytes out -------------------------------------------------------------------------------

    def _drained(self) -> None:
        self._dialect.drained()
        self._release(_Hold.PEER)
        self.check_finished()
