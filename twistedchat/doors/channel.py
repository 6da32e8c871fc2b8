"""One peer as a queue of requests: how far it has come, what holds the next one, and when all is done.

Knows a `Source` of requests, the `Door` that understands them, the rate limit and the writer's high-water
mark. Must not know bytes, a transport, or what a request means.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from twistedchat.limits import Pace, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from twistedchat.turns import Turns
    from twistedchat.writer import Writer

__all__ = ["REQUESTS_A_TURN", "Channel", "Door", "Farewell", "Pace", "Source"]

REQUESTS_A_TURN = 4
"""Most requests of one peer that are taken at once, before others have their turn.

Source: a request that is answered takes 30 µs, so 1,000 peers that all flood take 0.12 s.
"""

MIN_WAIT_SECONDS = 0.01
"""Shortest pause of a peer that is over its rate limit, in seconds; after it several requests are taken at once.

Source: chosen; at most 100 timers a second for each such peer.
"""

MAX_LOOK_SECONDS = 1.0
"""Longest pause before a connection that has ended is looked at again, in seconds. Source: many may wait for a log."""


class Farewell(NamedTuple):
    """Why the server closes a connection.

    Attributes:
        code: A stable word for programs: ``stopping``, ``full``, ``no-name``, ``taken-over``, ``fault``;
            "" where nothing needs to be said.
        text: A sentence for people; "" likewise.
    """

    code: str = ""
    text: str = ""


FAULT = Farewell("fault", "Something went wrong here, and was noted. Please connect again.")
NO_FAREWELL = Farewell()


class Source(Protocol):
    """Where requests come from and how the peer is reached: the stream under a channel."""

    @property
    def full(self) -> bool:
        """Whether the peer has not taken what it was sent."""
        ...

    @property
    def owes(self) -> bool:
        """Whether something that was received has not been given out."""
        ...

    @property
    def owes_much(self) -> bool:
        """Whether that is so much that no more should be received."""
        ...

    def next(self) -> object | None:
        """The next request, for `Door.request`; None if there is no whole one."""
        ...

    def read(self, *, on: bool) -> None:
        """Receive from the peer, or do not."""
        ...

    def discard(self) -> None:
        """Throw away what was received and not given out."""
        ...

    def shut(self) -> None:
        """Close in order, once what was written has been taken."""
        ...


class Door(Protocol):
    """Whoever understands what a peer asks; one is made for each connection.

    `request` is called for one request at a time: not before what it returned for the last has finished.
    """

    unanswered: int
    """How many lines were accepted and are not yet stored or refused."""

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown to the peer."""
        ...

    def request(self, request: Any) -> Coroutine[Deferred[Any], Any, None] | None:
        """Do what is asked, and answer; what it returns is awaited before the next request."""
        ...

    def drained(self) -> None:
        """The peer has taken what it was sent: show it the rest."""
        ...

    def farewell(self, farewell: Farewell) -> None:
        """The server closes the connection: say why."""
        ...

    def lost(self) -> None:
        """The connection is gone, or about to go."""
        ...


class _Life(enum.Enum):
    """How far a connection has come."""

    OPEN = enum.auto()
    ENDED = enum.auto()  # no more requests are taken in; what was accepted is still answered
    CLOSING = enum.auto()  # the last bytes have been written
    LOST = enum.auto()


class _Hold(enum.Enum):
    """Why the next request is not taken now."""

    NONE = enum.auto()
    TURN = enum.auto()  # requests are being taken
    ANSWER = enum.auto()  # the last request is still being answered
    PEER = enum.auto()  # the peer does not read what it is sent
    TIME = enum.auto()  # it is over its rate
    QUEUE = enum.auto()  # it has had its turn
    WRITER = enum.auto()  # too many lines wait to be stored


class Channel:
    """Takes a peer's requests as fast as its rate, the writer, its own reading and its door allow.

    As long as requests wait, the source is not read: backpressure. After the peer's end of input, or
    `finish`, what was accepted is stored, shown and answered, and then the connection closes.

    Args:
        source: Where requests come from.
        writer: Says when no more lines should be brought.
        turns: Where peers that have more to ask take their turns.
        clock: For the rate.
        pace: The rate limit.

    Attributes:
        door: Understands the requests; set before the first one, and may be replaced.
    """

    __slots__ = (
        "_answering",
        "_bucket",
        "_clock",
        "_farewell",
        "_hold",
        "_life",
        "_look_seconds",
        "_source",
        "_timer",
        "_turns",
        "_writer",
        "door",
    )

    def __init__(self, source: Source, writer: Writer, turns: Turns, clock: IReactorTime, pace: Pace) -> None:
        self.door: Door
        self._source = source
        self._writer = writer
        self._turns = turns
        self._clock = clock
        self._bucket = TokenBucket(pace.rate, pace.burst, clock.seconds()) if pace.rate else None
        self._life = _Life.OPEN
        self._look_seconds = MIN_WAIT_SECONDS
        self._hold = _Hold.NONE
        self._farewell = NO_FAREWELL
        self._timer: IDelayedCall | None = None
        self._answering: Deferred[None] | None = None

    # -- the connection --------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether requests are still taken in."""
        return self._life is _Life.OPEN

    @property
    def is_closing(self) -> bool:
        """Whether nothing is said any more: what still comes is thrown away."""
        return self._life in (_Life.CLOSING, _Life.LOST)

    def input_ended(self) -> None:
        """The peer asks no more, and still reads: do what it asked, answer, show it its own lines."""
        if self._life is _Life.OPEN:
            self._life = _Life.ENDED
        self.work()

    def lost(self) -> None:
        """The connection is gone: requests that were not taken are not done, nothing runs on."""
        life, self._life = self._life, _Life.LOST
        self._forget_requests()
        self._cancel()
        if life is not _Life.CLOSING:
            self.door.lost()

    def close(self, farewell: Farewell = NO_FAREWELL) -> None:
        """Close when what was written so far has been taken, after a sentence that says why."""
        if self.is_closing:
            return
        self._life = _Life.CLOSING
        if farewell.text:
            self.door.farewell(farewell)
        self._forget_requests()
        # Not at once: it may be the answer itself that closes.
        self._clock.callLater(0, self._cancel)
        # The peer may be slow to take its leave, and has left all the same.
        self.door.lost()
        self._source.shut()

    def finish(self, farewell: Farewell = NO_FAREWELL) -> None:
        """Take no more requests; close when what was accepted is stored, shown and answered."""
        if self._life is _Life.OPEN:
            self._life = _Life.ENDED
            self._source.read(on=False)
        self._source.discard()
        self._farewell = farewell
        self.check_finished()

    def fault(self, failure: Failure | None = None) -> None:
        """Something failed that should not: log it, and end this connection alone."""
        if failure is None or not failure.check(CancelledError):
            _log.failure("A connection was given up", failure)
            self.close(FAULT)

    def _forget_requests(self) -> None:
        self._source.discard()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._hold is _Hold.WRITER:
            # It may be long until it calls back, and many may come and go meanwhile.
            self._writer.no_longer(self._writer_drained)

    def _cancel(self) -> None:
        if self._answering is not None:
            answering, self._answering = self._answering, None
            answering.cancel()

    def check_finished_soon(self) -> None:
        """The same as `check_finished`, in the next turn, when everybody has been shown what was stored."""
        if self._life is _Life.ENDED:
            self._clock.callLater(0, self.check_finished)

    def check_finished(self) -> None:
        """Close, if the peer has come to its end and nothing is owed to it any more."""
        is_busy = self._hold is _Hold.ANSWER or self._source.full or self._source.owes
        if self._life is not _Life.ENDED or is_busy or self.door.unanswered:
            return
        if self.door.has_seen_all:
            self.close(self._farewell)
        else:
            self.door.drained()
            if self._timer is None and not self.is_closing:  # nobody tells when the others have been shown its lines
                self._timer = self._clock.callLater(self._look_seconds, self._look_again)
                self._look_seconds = min(2 * self._look_seconds, MAX_LOOK_SECONDS)

    def _look_again(self) -> None:
        self._timer = None
        self.check_finished()

    # -- requests --------------------------------------------------------------------------------

    def take_now(self, request: object) -> bool:
        """Take a request that comes before all others, if nothing holds it.

        Returns:
            False if it must wait: it is to be given out by the source, and `work` called.
        """
        if self._hold is not _Hold.NONE or self._life is not _Life.OPEN:
            return False
        if self._source.full or self._writer.full:
            return False
        if self._bucket is not None and self._bucket.take(self._clock.seconds()):
            return False
        self._hold = _Hold.TURN
        self._take(request)
        if self._hold is _Hold.TURN:
            self._hold = _Hold.NONE
        return True

    def work(self) -> None:
        """Take requests, until there is none or something holds the next one."""
        if self._hold is _Hold.NONE:
            self._hold = _Hold.TURN
            for _ in range(REQUESTS_A_TURN):
                if not self._source.owes or self._is_held():
                    break
                request = self._source.next()
                if request is not None:
                    self._take(request)
                if self._hold is not _Hold.TURN:
                    break
            if self._hold is _Hold.TURN:
                self._hold = _Hold.NONE
                if self._source.owes:
                    self._hold = _Hold.QUEUE
                    self._turns.add_later(self._next_turn())
        if self._life is _Life.OPEN:
            # Whoever only waits for its turn, with little to ask, need not be stopped and started again.
            is_soon_done = self._hold is _Hold.QUEUE and not self._source.owes_much
            self._source.read(on=is_soon_done or not self._source.owes)
        self.check_finished()

    @property
    def _blocked(self) -> _Hold | None:
        """What others must do before the next request is taken."""
        if self._source.full:
            return _Hold.PEER
        return _Hold.WRITER if self._writer.full else None

    def _is_held(self) -> bool:
        """Whether the next request can't be taken now. Takes a token of the rate if it can; else arranges for later."""
        blocked = self._blocked
        if blocked is not None:
            self._hold = blocked
            if blocked is _Hold.WRITER:
                self._writer.when_drained(self._writer_drained)
        elif self._bucket is not None:
            seconds = self._bucket.take(self._clock.seconds())
            if seconds:
                self._wait(max(seconds, MIN_WAIT_SECONDS))
        return self._hold is not _Hold.TURN

    def _wait(self, seconds: float) -> None:
        self._hold = _Hold.TIME
        self._timer = self._clock.callLater(seconds, self._waited)

    def _next_turn(self) -> Iterator[None]:
        self._release(_Hold.QUEUE)
        yield from ()

    def _waited(self) -> None:
        self._timer = None
        self._release(_Hold.TIME)

    def _writer_drained(self) -> None:
        self._release(_Hold.WRITER)

    def drained(self) -> None:
        """The peer has taken what it was sent."""
        self.door.drained()
        self._release(_Hold.PEER)
        self.check_finished()

    def _release(self, hold: _Hold) -> None:
        """What held the next request holds it no more."""
        if self._hold is hold and not self.is_closing:
            self._hold = _Hold.NONE
            self.work()

    def _take(self, request: object) -> None:
        try:
            answering = self.door.request(request)
        except Exception:
            self.fault()
            return
        if answering is not None:
            self._await(Deferred.fromCoroutine(answering).addErrback(self.fault))

    def _await(self, answering: Deferred[None]) -> None:
        if not answering.called:
            if self.is_closing:
                answering.cancel()
                return
            self._hold = _Hold.ANSWER
            self._answering = answering
            answering.addCallback(self._answered)

    def _answered(self, _: None) -> None:
        self._answering = None
        self._release(_Hold.ANSWER)


_log = Logger()
