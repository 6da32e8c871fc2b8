"""The way out of one connection: bytes are written at once, and whoever writes is told when no more is taken.

Knows a Twisted transport. Must not know what the bytes mean.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITransport

__all__ = ["SEND_BUFFER_BYTES", "STALL_SECONDS", "Wire"]

STALL_SECONDS = 60.0
"""Time limit for a peer that takes nothing of what waits for it, in seconds. Source: docs/protocol.md, "Limits"."""

SEND_BUFFER_BYTES = 256 * 2**10
"""Size of the kernel's send buffer of a connection, in bytes, so that 9,000 slow readers can't take all memory.

Source: ten batches of a busy room (docs/capacity.md); left to itself Linux goes up to 4 MiB.
"""


@implementer(IPushProducer, IPullProducer)
class Wire:
    """Writes to a transport, with flow control: `full` is its high-water mark.

    As long as nothing waits in the transport, bytes go to its socket at once: half the time of
    ``transport.write`` (docs/capacity.md), which waits for the next turn of the reactor. As soon as
    the socket takes only a part, the wire is `full`, the rest waits in the transport, and the wire
    is its pull producer: asked for more when all has been taken, and then no longer full. A
    transport without a socket of its own (TLS) has the wire as its push producer for good.

    Args:
        transport: A connected transport.
        reactor: For the time.
        drained: Called when the wire is no longer full.
        stalled: Called when the peer has taken nothing for `STALL_SECONDS`.

    Attributes:
        full: Whether something waits to be written. What can be left out should not be written now.
        has_stalled: Whether the peer was given up, because it took nothing for too long.
    """

    __slots__ = (
        "_drained",
        "_ended",
        "_patience",
        "_producing",
        "_reactor",
        "_send",
        "_socket",
        "_stalled",
        "_transport",
        "_untaken",
        "full",
        "has_stalled",
    )

    def __init__(
        self,
        transport: ITransport,
        reactor: IReactorTime,
        drained: Callable[[], None],
        stalled: Callable[[], None],
    ) -> None:
        self.full = self.has_stalled = False
        self._transport = transport
        self._reactor = reactor
        self._drained = drained
        self._stalled = stalled
        self._patience: IDelayedCall | None = None
        self._untaken: tuple[int, ...] = ()
        innermost = _innermost(transport)
        handle = innermost.getHandle() if hasattr(innermost, "getHandle") else None
        self._socket = handle if isinstance(handle, socket.socket) else None
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._send: Callable[[bytes], int] | None = None
        if innermost is transport:
            self._send = getattr(handle, "send", None)
        self._producing = False
        self._ended = False
        if self._send is None:
            transport.registerProducer(self, True)  # type: ignore[attr-defined]  # every stream transport is an IConsumer

    @property
    def has_own_order(self) -> bool:
        """Whether the transport closes in an order of its own (TLS), and knows no half-close."""
        return self._send is None

    def write(self, data: bytes) -> None:
        """Write, now or in order as soon as the peer takes it."""
        if not self.full and self._send is not None:
            try:
                sent = self._send(data)
            except OSError:
                # The socket takes nothing, or is gone: the transport finds out which.
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
            self._fill()
            self._producing = True
            self._transport.registerProducer(self, False)  # type: ignore[attr-defined]
            self._producing = False
        if not self._ended:
            self._transport.write(data)

    def close(self, *, in_order: bool) -> None:
        """Write nothing more; close when what waits has been taken, or nothing is for too long.

        Args:
            in_order: Whether the peer may still send: then only this half is closed, and the transport tells
                its protocol when that is done (``writeConnectionLost``). TLS has such an order of its own.
        """
        if self.full or self._send is None:
            self._transport.unregisterProducer()  # type: ignore[attr-defined]
        self._fill()
        self._end()
        if in_order and self._send is not None:
            self._transport.loseWriteConnection()  # type: ignore[attr-defined]  # every socket transport has it
        else:
            self._transport.loseConnection()

    def lost(self) -> None:
        """The connection is gone: nothing more is written, nobody is called."""
        self._end()
        self._forget_patience()

    def _end(self) -> None:
        self.full = self._ended = True
        self._drained = _nothing

    # -- what the transport calls ----------------------------------------------------------------

    def pauseProducing(self) -> None:
        """The transport's buffer is full (a transport without a socket of its own)."""
        self._fill()

    def resumeProducing(self) -> None:
        """All that waited has been taken."""
        if self._producing or not self.full:
            # A pull producer is asked once as soon as it is registered.
            return
        if self._send is not None:
            self._transport.unregisterProducer()  # type: ignore[attr-defined]
        self.full = False
        self._forget_patience()
        self._drained()

    def stopProducing(self) -> None:
        """The connection is going."""
        self.full = True

    # -- patience --------------------------------------------------------------------------------

    def _fill(self) -> None:
        if not self.full:
            self.full = True
            self._untaken = self._measure_untaken()
            self._patience = self._reactor.callLater(STALL_SECONDS, self._check)

    def _check(self) -> None:
        """Let the peer go, unless it has taken something since the last time."""
        before, self._untaken = self._untaken, self._measure_untaken()
        if self._untaken != before:
            self._patience = self._reactor.callLater(STALL_SECONDS, self._check)
        else:
            self._patience = None
            self.has_stalled = True
            self._stalled()

    def _forget_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _measure_untaken(self) -> tuple[int, ...]:
        """What waits in the transport and in the kernel; it changes whenever the peer takes something.

        The kernel says that a socket can be written to only when a good part of its buffer is free, so
        a slow reader can take for a long time without the transport's noticing; and when the transport
        has filled it again, only the transport's own numbers differ. Source: tcp(7), SIOCOUTQ.
        """
        transport = _innermost(self._transport)
        waiting = (len(getattr(transport, "dataBuffer", b"")), getattr(transport, "offset", 0))
        if self._socket is None or not sys.platform.startswith("linux"):
            return waiting
        try:
            return (*waiting, *struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4))))
        except (OSError, ValueError):
            # Closed in the meantime.
            return waiting


def _innermost(transport: Any) -> Any:
    """The transport that carries the others: TLS, for one, is a layer over one."""
    while hasattr(transport, "transport"):
        transport = transport.transport
    return transport


def _nothing() -> None:
    """A closed wire has nobody to tell."""
