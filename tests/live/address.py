"""Where a daemon listens, and how a client gets there."""

from __future__ import annotations

import enum
import socket
from dataclasses import dataclass

from tests.certificate import client_context

__all__ = ["PATIENCE_SECONDS", "Address", "Door"]

PATIENCE_SECONDS = 60.0
"""Whatever takes so long has failed: far more than a busy machine needs."""


class Door(enum.Enum):
    """What a connection is made of."""

    TCP = "tcp"
    TLS = "tls"
    UNIX = "unix"


@dataclass(frozen=True)
class Address:
    """One way in.

    Attributes:
        door: What kind it is.
        place: A port of this machine, or a socket's path.
    """

    door: Door
    place: int | str

    def connect(self, buffer_bytes: int | None = None) -> socket.socket:
        """Connect.

        Args:
            buffer_bytes: What the kernel takes for a client that does not read; None for the usual.

        Returns:
            A socket that does not block; over TLS its handshake is done.
        """
        unix = self.door is Door.UNIX
        sock = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        if buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        sock.settimeout(PATIENCE_SECONDS)
        sock.connect(str(self.place) if unix else ("127.0.0.1", int(self.place)))
        if self.door is Door.TLS:
            sock = client_context().wrap_socket(sock, server_hostname="localhost")
        sock.setblocking(False)
        return sock
