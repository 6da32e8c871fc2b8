"""Clients at real sockets.

Everything that waits has a deadline, and nothing sleeps for a time that was guessed.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Any

from tests.far_end import FarEnd, request
from tests.live.address import PATIENCE_SECONDS, Address, Door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Caller", "Program", "exchange", "until"]

POLL_SECONDS = 0.02

READ_BYTES = 1 << 16

WRITE_BYTES = 1 << 14
"""Most that is handed to a socket at once: one record of TLS, which must be offered again whole. Source: RFC 8446."""

_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so; it is asked again and again."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(POLL_SECONDS)


class Caller(FarEnd):
    """The far end of a connection to a daemon. Bytes move in `exchange` only.

    Args:
        address: The daemon's; a number is a TCP port.
        buffer_bytes: What the kernel takes for it when it does not read; None for the usual.

    Attributes:
        outbox: What is still to be sent.
        reading: Whether it takes what it is sent.
        over: The connection has ended.
        was_reset: It was broken off.
    """

    def __init__(self, address: Address | int, *, buffer_bytes: int | None = None) -> None:
        super().__init__()
        self.outbox = bytearray()
        self.reading = True
        self.over = False
        self.was_reset = False
        if isinstance(address, int):
            address = Address(Door.TCP, address)
        self.socket = address.connect(buffer_bytes)

    @property
    def tls(self) -> bool:
        """Whether the connection is over TLS."""
        return isinstance(self.socket, ssl.SSLSocket)

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.outbox += "".join(f"{line}\n" for line in lines).encode()

    def stop_reading(self) -> None:
        """Take nothing from now on."""
        self.reading = False

    def read_again(self) -> None:
        """Take everything from now on."""
        self.reading = True

    def end(self) -> None:
        """Send no more, once all is sent; still read."""
        exchange([self], lambda: not self.outbox, "all is sent")
        if self.tls:
            self._say_farewell()
        else:
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both halves."""
        self._say_farewell()
        self.vanish()

    def vanish(self) -> None:
        """Close both halves as the kernel does for a process that was killed: without TLS's farewell."""
        self.over = True
        self.socket.close()

    def reset(self) -> None:
        """Break the connection off."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.vanish()

    def _say_farewell(self) -> None:
        if isinstance(self.socket, ssl.SSLSocket) and not self.over:
            # The server's is not waited for.
            with contextlib.suppress(OSError, ValueError):
                self.socket.unwrap()

    # -- what `exchange` calls -------------------------------------------------------------------

    @property
    def wants(self) -> int:
        """What it waits for, as a selector understands it."""
        if self.over:
            return 0
        return selectors.EVENT_READ * self.reading | selectors.EVENT_WRITE * bool(self.outbox)

    def move(self, ready: int) -> None:
        """Send and receive what can be sent and received now."""
        try:
            if ready & selectors.EVENT_WRITE:
                with contextlib.suppress(*_LATER):
                    del self.outbox[: self.socket.send(self.outbox[:WRITE_BYTES])]
            if ready & selectors.EVENT_READ:
                with contextlib.suppress(*_LATER):
                    self._receive()
        except ssl.SSLZeroReturnError:
            # The server's farewell, after ours: an end like any other.
            self.vanish()
        except OSError:
            self.was_reset = True
            self.vanish()

    def _receive(self) -> None:
        """Take what has come; TLS may have more than the selector knows of."""
        data = self.socket.recv(READ_BYTES)
        while data:
            self.received += data
            if not self.tls:
                return
            data = self.socket.recv(READ_BYTES)
        self.close()


class Program(Caller):
    """A program, which has said hello.

    Args:
        address: The daemon's; a number is a TCP port.
        name: Its own.
        buffer_bytes: As of `Caller`.
        resume: What takes its session up, if it had one.
    """

    def __init__(
        self, address: Address | int, name: str, *, buffer_bytes: int | None = None, resume: str | None = None
    ) -> None:
        super().__init__(address, buffer_bytes=buffer_bytes)
        self.last_id = 0
        self.ask("hello", name=name, **({"resume": resume} if resume else {}))

    def ask(self, op: str, **fields: object) -> int:
        """Send a request; its answer has the id that is returned."""
        self.last_id += 1
        self.outbox += request(op, self.last_id, fields)
        return self.last_id

    def answer(self, id_: int) -> dict[str, Any] | None:
        """The answer to a request, if it is there."""
        return next(iter(self.answers(id_)), None)

    def call(self, op: str, **fields: object) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        id_ = self.ask(op, **fields)
        exchange([self], lambda: bool(self.answers(id_)), f"{op} is answered")
        return self.answers(id_)[0]


def exchange(callers: Iterable[Caller], done: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Send and receive at all connections, until something is so."""
    deadline = time.monotonic() + seconds
    callers = list(callers)
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        with selectors.DefaultSelector() as selector:
            for caller in callers:
                if caller.wants:
                    selector.register(caller.socket, caller.wants, caller)
            for key, ready in selector.select(POLL_SECONDS) if selector.get_map() else ():
                key.data.move(ready)
