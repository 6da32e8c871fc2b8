"""The far ends of connections to a world.

Must not know the server's classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure

from tests.far_end import FarEnd, request
from tests.layers import Clear, Tls
from tests.sockets import Socket, Transport

if TYPE_CHECKING:
    from tests.world import World

__all__ = ["JsonPeer", "Peer", "PlainPeer"]


class Peer(FarEnd):
    """The far end of a connection to a world.

    Args:
        world: The server's.
        buffer_bytes: What the kernel takes for a peer that does not read.
        tls: Whether the connection is over TLS.

    Attributes:
        reading: Whether it takes what it is sent, as soon as it is sent.
        tls: Whether the connection is over TLS.
        transport: The server's end.
    """

    def __init__(self, world: World, *, buffer_bytes: int = 4096, tls: bool = False) -> None:
        super().__init__()
        self.world = world
        self.reading = True
        self.tls = tls
        self.socket = Socket(buffer_bytes)
        self._layer = Tls() if tls else Clear()
        self.transport = Transport(self.socket, world.protocol(tls=tls), world.reactor)
        world.add(self)
        self.transport.protocol.makeConnection(self.transport)
        # TLS begins with the client, which says nothing before the handshake is done.
        self.socket.inbox += self._layer.replies()
        world.run()
        while not self._layer.opened:
            world.run()

    # -- what the peer does ----------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send bytes, and let the server do what it will."""
        self.write(data)
        self.world.run()

    def write(self, data: bytes) -> None:
        """Send bytes, which lie in the server's socket until it reads."""
        self.socket.inbox += self._layer.seal(data)

    def take(self, most_bytes: int) -> None:
        """Take some of what was sent, once."""
        self._take(most_bytes)
        self.world.run()

    def stop_reading(self) -> None:
        """Take nothing from now on."""
        self.reading = False

    def read_again(self) -> None:
        """Take everything from now on."""
        self.reading = True
        self._take(len(self.socket.outbox))
        self.world.run()

    def end(self) -> None:
        """Close the half on which it sends; it still reads."""
        self.socket.inbox += self._layer.farewell()
        self.socket.ended = True
        self.world.run()

    def close(self) -> None:
        """Close both halves; what was not taken is lost."""
        self.socket.inbox += self._layer.farewell()
        self.vanish()

    def vanish(self) -> None:
        """Close both halves as the kernel does for a process that was killed: without TLS's farewell."""
        self.reading = False
        self.socket.ended = self.socket.gone = True
        self.world.run()

    def reset(self) -> None:
        """Break the connection."""
        self.reading = False
        self.socket.broken = True
        self.world.run()

    @property
    def over(self) -> bool:
        """Whether the server's end is closed."""
        return self.socket.closed

    @property
    def has_more(self) -> bool:
        """Whether it is going to take more."""
        return self.reading and bool(self.socket.outbox)

    # -- what a reactor does ---------------------------------------------------------------------

    def turn(self) -> bool:
        """Do what an event loop would do with this connection; say whether there was anything to do."""
        busy = self.reading and self._take(len(self.socket.outbox))
        if self.reading and self.socket.shut and not self.socket.outbox and not self.socket.ended:
            # A program that has read to the end closes.
            self.socket.ended = busy = True
        if not self.over and self.socket.readable and self.transport in self.world.reactor.readers:
            self._ended(self.transport.doRead(), reading=True)
            busy = True
        elif not self.over and self.socket.broken:
            # Told by poll even to those who do not read.
            self._ended(CONNECTION_LOST, reading=False)
            busy = True
        if not self.over and self.socket.writable and self.transport in self.world.reactor.writers:
            self._ended(self.transport.doWrite(), reading=False)
            busy = True
        return busy

    def _ended(self, why: Exception | None, *, reading: bool) -> None:
        if why is None:
            return
        self.world.reactor.removeReader(self.transport)
        if reading and why is not CONNECTION_LOST:
            self.transport.readConnectionLost(Failure(why))
        else:
            self.world.reactor.removeWriter(self.transport)
            self.transport.connectionLost(Failure(why))

    def _take(self, most_bytes: int) -> bool:
        data = self.socket.outbox[:most_bytes]
        del self.socket.outbox[:most_bytes]
        self.received += self._layer.open(bytes(data))
        self.socket.inbox += self._layer.replies()
        if self._layer.ended and not self.socket.ended:
            # As TLS's libraries do: the other side waits for it before it closes.
            self.socket.inbox += self._layer.farewell()
            self.socket.ended = True
        return bool(data)


class PlainPeer(Peer):
    """Somebody at telnet or nc."""

    def say(self, *lines: str) -> None:
        """Type lines."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())


class JsonPeer(Peer):
    """A program.

    Attributes:
        last_id: The id of the last request.
    """

    def __init__(self, world: World, *, buffer_bytes: int = 4096, tls: bool = False) -> None:
        super().__init__(world, buffer_bytes=buffer_bytes, tls=tls)
        self.last_id = 0

    def ask(self, op: str, **fields: object) -> int:
        """Send one request; its answer has the id that is returned."""
        self.prepare(op, **fields)
        self.world.run()
        return self.last_id

    def prepare(self, op: str, **fields: object) -> None:
        """Send a request, and another one may come along in the same piece."""
        self.last_id += 1
        self.write(request(op, self.last_id, fields))

    def answer(self, id_: int) -> dict[str, Any]:
        """The one answer to a request."""
        [answer] = self.answers(id_)
        return answer
