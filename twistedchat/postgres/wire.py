"""libpq's socket on the reactor. Knows file descriptors, not what is said over them."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorFDSet
    from twisted.python.failure import Failure

__all__ = ["Wire", "ready"]


@implementer(IReadDescriptor, IWriteDescriptor)
class Wire:
    """A descriptor of our own for libpq's socket: libpq may close its own while the reactor still looks at it.

    Args:
        reactor: Looks at it.
        fileno: libpq's.
        on_ready: Called whenever it can be read or written, whichever is waited for, or is broken.
    """

    def __init__(self, reactor: IReactorFDSet, fileno: int, on_ready: Callable[[], None]) -> None:
        self._reactor = reactor
        self._on_ready = on_ready
        self._fileno = os.dup(fileno)

    def read(self) -> None:
        """Call back when it can be read, until `close`."""
        self._reactor.addReader(self)

    def write(self, *, wanted: bool) -> None:
        """Call back when it can be written, or no longer."""
        if wanted:
            self._reactor.addWriter(self)
        else:
            self._reactor.removeWriter(self)

    def cut(self) -> None:
        """End the connection at once: whatever is still to be sent does not wait for the peer."""
        # Not connected, or no longer.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._fileno)) as end:
            end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Look at it no longer; libpq's own stays as it is."""
        if self._fileno >= 0:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            os.close(self._fileno)
            self._fileno = -1

    def fileno(self) -> int:
        """For the reactor."""
        return self._fileno

    def logPrefix(self) -> str:
        """For the reactor's log."""
        return "postgres"

    def doRead(self) -> None:
        """Something can be read."""
        self._on_ready()

    def doWrite(self) -> None:
        """Something can be written."""
        self._on_ready()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002  libpq finds out itself
        """The reactor has seen that it is broken, and looks at it no longer."""
        self._on_ready()


async def ready(reactor: IReactorFDSet, fileno: int, *, to_write: bool) -> None:
    """Wait until a socket can be read or written, or is broken; may be cancelled."""
    waiting: Deferred[None] = Deferred()
    wire = Wire(reactor, fileno, lambda: None if waiting.called else waiting.callback(None))
    try:
        if to_write:
            wire.write(wanted=True)
        else:
            wire.read()
        await waiting
    finally:
        wire.close()
