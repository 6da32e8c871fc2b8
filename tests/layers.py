"""What lies between a client and its connection: nothing, or TLS. Knows no server and no socket."""

from __future__ import annotations

import contextlib
import ssl

from tests.certificate import client_context

__all__ = ["Clear", "Tls"]


class Clear:
    """Nothing: bytes go as they are.

    Attributes:
        opened: Whether something can be said.
        ended: Whether the other side has said that it says no more.
    """

    opened = True
    ended = False

    def seal(self, data: bytes) -> bytes:
        """What is to be sent, so that the other side reads this."""
        return data

    def open(self, data: bytes) -> bytes:
        """What the other side wrote, of which this came."""
        return data

    def replies(self) -> bytes:
        """What is to be sent because of what came."""
        return b""

    def farewell(self) -> bytes:
        """What is to be sent before this half closes."""
        return b""


class Tls:
    """TLS in memory. Nothing can be said before the handshake is done.

    Attributes:
        opened: Whether it is done.
        ended: The other side's close_notify has come.
    """

    def __init__(self) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = client_context().wrap_bio(self._in, self._out, server_hostname="localhost")
        self.opened = self.ended = False
        self._shake_hands()

    def seal(self, data: bytes) -> bytes:
        """As of `Clear`."""
        self._ssl.write(data)
        return self._out.read()

    def open(self, data: bytes) -> bytes:
        """As of `Clear`."""
        self._in.write(data)
        if not self.opened:
            self._shake_hands()
        plain = bytearray()
        # The second: after our own farewell nothing is read that came behind theirs.
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while self.opened and not self.ended:
                piece = self._ssl.read(1 << 16)
                plain += piece
                self.ended = not piece
        return bytes(plain)

    def replies(self) -> bytes:
        """As of `Clear`."""
        return self._out.read()

    def farewell(self) -> bytes:
        """As of `Clear`: TLS's close_notify."""
        # The other side's is still to come, and need not be waited for.
        with contextlib.suppress(ssl.SSLError):
            self._ssl.unwrap()
        return self._out.read()

    def _shake_hands(self) -> None:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return
        self.opened = True
