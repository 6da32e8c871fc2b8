"""Standard input and output as lines, with a bound on what waits on either side.

Knows Twisted's `StandardIO`. Must not know what the lines mean.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from typing_extensions import override
from zope.interface import implementer

from twistedchat.client.lines import LineCutter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.stdio import StandardIO
    from twisted.python.failure import Failure

__all__ = ["StdioLines", "Stream", "User", "blocking_again"]


class Stream(Protocol):
    """Where lines are written, and where they come from."""

    def write(self, text: str) -> None:
        """Write, as soon as it is taken."""
        ...

    def pause_input(self) -> None:
        """Bring no more lines for now."""
        ...

    def resume_input(self) -> None:
        """Bring lines again."""
        ...


class User(Protocol):
    """What takes the input's lines, and writes the output."""

    def typed(self, text: str) -> None:
        """A line came in; never empty."""
        ...

    def ended(self) -> None:
        """There will be no more input."""
        ...

    def closed(self) -> None:
        """Nobody reads the output any more."""
        ...

    def full(self) -> None:
        """Write no more than you must: the output is not taken."""
        ...

    def drained(self) -> None:
        """Write again."""
        ...


@implementer(IHalfCloseableProtocol, IPushProducer)
class StdioLines(TwistedProtocol):
    """Standard input and output, for a `User`."""

    transport: StandardIO

    def __init__(self, user: User) -> None:
        self._user = user
        self._cutter = LineCutter()
        self._open = True
        self._gone: Deferred[None] = Deferred()

    @override
    def connectionMade(self) -> None:
        """Ask to be told when the output is not taken."""
        self.transport.registerProducer(self, True)

    @override
    def dataReceived(self, data: bytes) -> None:
        """Hand on the lines."""
        for text in self._cutter.feed(data):
            self._user.typed(text)

    def write(self, text: str) -> None:
        """Write, as soon as it is taken."""
        if self._open and text:
            self.transport.write(text.encode(errors="replace"))

    def pause_input(self) -> None:
        """Read no more for now."""
        self.transport.pauseProducing()

    def resume_input(self) -> None:
        """Read on."""
        self.transport.resumeProducing()

    def finish(self) -> Deferred[None]:
        """Close; fires when all that was written is taken."""
        if self._open:
            self.transport.unregisterProducer()
            self.transport.loseConnection()
        return self._gone

    def readConnectionLost(self) -> None:
        """Hand on what is left, and the news."""
        for text in self._cutter.end():
            self._user.typed(text)
        self._user.ended()

    def writeConnectionLost(self) -> None:
        """Nobody reads any more."""
        self._close()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Both sides are gone."""
        self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._gone.callback(None)
            self._user.closed()

    def pauseProducing(self) -> None:
        """The output is not taken."""
        self._user.full()

    def resumeProducing(self) -> None:
        """The output is taken again."""
        self._user.drained()

    def stopProducing(self) -> None:
        """The output is gone; `writeConnectionLost` tells."""


@contextlib.contextmanager
def blocking_again() -> Iterator[None]:
    """Leave standard input and output as they were found.

    Twisted makes them non-blocking, for everybody who has the same terminal or pipe open.
    """
    flags: dict[int, int] = {}
    for number in range(3):
        with contextlib.suppress(OSError):
            flags[number] = fcntl.fcntl(number, fcntl.F_GETFL)
    try:
        yield
    finally:
        for number, before in flags.items():
            with contextlib.suppress(OSError):
                if not before & os.O_NONBLOCK:
                    fcntl.fcntl(number, fcntl.F_SETFL, before)
