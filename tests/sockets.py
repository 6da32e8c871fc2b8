"""TCP connections that are not there: Twisted's own transport over a socket that is made up.

Knows Twisted. Must not know the server's classes.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, cast

from twisted.internet import tcp
from twisted.internet.address import IPv4Address
from typing_extensions import override

if TYPE_CHECKING:
    import socket

    from twisted.internet.interfaces import IProtocol

    from tests.reactor import Reactor

__all__ = ["Socket", "Transport"]


class Socket:
    """The server's end of a TCP connection that is not there, with its kernel's buffers.

    Args:
        buffer_bytes: So much does the kernel take from the server before the peer takes it.

    Attributes:
        inbox: What the peer sent and the server has not read.
        outbox: What the server sent and the peer has not read.
        ended: The peer sends no more.
        gone: The peer has closed; the next byte sent to it breaks the connection.
        broken: The connection is reset.
        shut: The server sends no more.
        closed: The server has closed it.
    """

    def __init__(self, buffer_bytes: int) -> None:
        self.buffer_bytes = buffer_bytes
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.ended = self.gone = self.broken = self.shut = self.closed = False

    @property
    def readable(self) -> bool:
        """Whether a reactor would call ``doRead``."""
        return bool(self.inbox) or self.ended or self.broken

    @property
    def writable(self) -> bool:
        """Whether a reactor would call ``doWrite``."""
        return self.broken or self.gone or len(self.outbox) < self.buffer_bytes

    def recv(self, most: int) -> bytes:
        """As a socket's."""
        if self.broken:
            raise OSError(errno.ECONNRESET, "reset")
        if not self.inbox and not self.ended:
            raise OSError(errno.EWOULDBLOCK, "nothing is there")
        data = bytes(self.inbox[:most])
        del self.inbox[:most]
        return data

    def send(self, data: memoryview) -> int:
        """As a socket's."""
        if self.broken:
            raise OSError(errno.EPIPE, "broken")
        if self.gone:
            self.broken = True
            return len(data)
        space = self.buffer_bytes - len(self.outbox)
        if space <= 0:
            raise OSError(errno.EWOULDBLOCK, "full")
        self.outbox += data[:space]
        return min(space, len(data))

    def fileno(self) -> int:
        """There is no file."""
        return -1

    def close(self) -> None:
        """As a socket's."""
        self.closed = True

    def shutdown(self, how: int) -> None:
        """As a socket's; the half on which the server sends."""
        self.shut = True

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    def setsockopt(self, *option: object) -> None:
        """There is nothing to tune."""


class Transport(tcp.Connection):
    """Twisted's connection, over a `Socket`, or a real one."""

    def __init__(self, sock: Socket | socket.socket, protocol: IProtocol, reactor: Reactor) -> None:
        super().__init__(cast("socket.socket", sock), protocol, reactor)
        self.connected = 1
        self.startReading()

    @override
    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 50_000)

    @override
    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 6622)

    @property
    def held_bytes(self) -> int:
        """How much the server keeps for the peer, beside what the kernel does."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen
