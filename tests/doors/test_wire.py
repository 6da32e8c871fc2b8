from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from twisted.internet.address import IPv4Address
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import Reactor, Socket, Transport
from twistedchat.doors.wire import STALL_SECONDS, Wire

if TYPE_CHECKING:
    from twisted.internet.interfaces import ITransport


class SocketTestCase(SynchronousTestCase):
    """A wire over a socket whose kernel takes 10 bytes."""

    @override
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.socket = Socket(10)
        self.transport = Transport(self.socket, Protocol(), self.reactor)
        self.events: list[str] = []
        self.closing = False
        self.wire = Wire(
            self.transport,
            self.reactor,
            lambda: self.events.append("drained"),
            lambda: self.events.append("stalled"),
        )

    def take(self) -> bytes:
        """The peer takes what the kernel has, and the reactor has its turn."""
        taken = bytes(self.socket.outbox)
        self.socket.outbox.clear()
        if self.transport in self.reactor.getWriters():
            self.closing = self.transport.doWrite() is CONNECTION_DONE
        return taken


class WriteTests(SocketTestCase):
    def test_straight(self) -> None:
        """What the kernel takes is with it at once, and the wire is not full."""
        self.wire.write(b"hello")
        self.assertEqual((bytes(self.socket.outbox), self.wire.full), (b"hello", False))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_full(self) -> None:
        """What it does not take waits, in order, and the wire is full until the last byte is taken."""
        self.wire.write(b"0123456789abcdefgh")
        self.wire.write(b"ijkl")
        self.assertTrue(self.wire.full)
        self.assertEqual(self.take() + self.take() + self.take(), b"0123456789abcdefghijkl")
        self.take()
        self.assertEqual((self.wire.full, self.events), (False, ["drained"]))

    def test_full_again(self) -> None:
        """After it has drained, all is as at the beginning."""
        for _ in range(3):
            self.wire.write(b"0123456789abcde")
            while self.wire.full:
                self.take()
            self.take()
        self.assertEqual(self.events, ["drained"] * 3)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_broken(self) -> None:
        """Writing to a broken connection raises nothing."""
        self.socket.broken = True
        self.wire.write(b"hello")
        self.wire.write(b"hello")
        self.assertTrue(self.wire.full)


class PatienceTests(SocketTestCase):
    def test_stalled(self) -> None:
        """A peer that takes nothing for a minute is let go, not before, and once."""
        self.wire.write(b"x" * 20)
        self.reactor.advance(STALL_SECONDS - 1)
        self.assertEqual(self.events, [])
        self.reactor.advance(1)
        self.reactor.advance(10 * STALL_SECONDS)
        self.assertEqual(self.events, ["stalled"])

    def test_took_all(self) -> None:
        """One that has taken all in time is not."""
        self.wire.write(b"x" * 20)
        self.take()
        self.take()
        self.reactor.advance(10 * STALL_SECONDS)
        self.assertEqual(self.events, ["drained"])

    def test_takes_slowly(self) -> None:
        """One that takes something each minute is not, however little."""
        self.wire.write(b"x" * 100)
        for _ in range(50):
            self.reactor.advance(STALL_SECONDS - 1)
            del self.socket.outbox[:1]
            self.transport.doWrite()
        self.assertEqual(self.events, [])
        self.reactor.pump([STALL_SECONDS] * 3)
        self.assertEqual(self.events, ["stalled"])

    def test_takes_from_the_kernel(self) -> None:
        """What the kernel holds counts too: a peer takes from there long before the transport notices."""
        near, far = socket.socketpair()
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        near.setblocking(False)
        transport = Connection(near, Protocol(), self.reactor)
        transport.connected = 1
        wire = Wire(transport, self.reactor, lambda: None, lambda: self.events.append("stalled"))
        for _ in range(1000):
            wire.write(b"x" * 1000)
        for _ in range(5):
            self.reactor.advance(STALL_SECONDS - 1)
            far.recv(5000)
        self.assertEqual(self.events, [])
        self.reactor.pump([STALL_SECONDS] * 3)
        self.assertEqual(self.events, ["stalled"])


class EndTests(SocketTestCase):
    def test_close(self) -> None:
        """What waits is still sent; what is written after it is not, and nobody is called."""
        self.wire.write(b"0123456789abcde")
        self.wire.close(in_order=False)
        self.wire.write(b"too late")
        self.assertEqual(self.take() + self.take(), b"0123456789abcde")
        self.assertTrue(self.closing)
        self.assertEqual(self.events, [])

    def test_close_at_rest(self) -> None:
        """With nothing waiting it closes at once."""
        self.wire.write(b"bye")
        self.wire.close(in_order=False)
        self.assertEqual(self.take(), b"bye")
        self.assertTrue(self.closing)

    def test_close_in_order(self) -> None:
        """Where the peer may still send, only the writing side is closed, behind what waits, and it can be read on."""
        self.wire.write(b"0123456789abcde")
        self.wire.close(in_order=True)
        self.assertFalse(self.socket.shut)
        self.assertEqual(self.take() + self.take(), b"0123456789abcde")
        self.assertEqual((self.socket.shut, self.closing, self.events), (True, False, []))
        self.assertIn(self.transport, self.reactor.getReaders())

    def test_close_unanswered(self) -> None:
        """A peer that takes nothing more of what waits does not stay for ever."""
        self.wire.write(b"x" * 20)
        self.wire.close(in_order=True)
        self.reactor.advance(STALL_SECONDS)
        self.assertEqual(self.events, ["stalled"])

    def test_lost(self) -> None:
        """A connection that is gone leaves no timer, calls nobody, and takes what is written without a word."""
        self.wire.write(b"x" * 20)
        self.wire.lost()
        self.wire.write(b"too late")
        self.wire.stopProducing()
        self.assertEqual((self.reactor.getDelayedCalls(), self.events), ([], []))


class Layer:
    """A layer over a transport, which like TLS passes on what it does not know itself."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """It asks for nothing."""

    def __getattr__(self, name: str) -> object:
        return getattr(self.transport, name)


class LayerTests(SocketTestCase):
    def test_nothing_goes_around_it(self) -> None:
        """What is written over a layer goes through it, never straight to the socket below."""
        layer = Layer(self.transport)
        Wire(cast("ITransport", layer), self.reactor, lambda: None, lambda: None).write(b"secret")
        self.assertEqual((layer.written, bytes(self.socket.outbox)), (b"secret", b""))


class OtherTransportTests(SynchronousTestCase):
    """A transport without a socket of its own, as TLS has it."""

    @override
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.transport = StringTransport(IPv4Address("TCP", "127.0.0.1", 1))
        self.events: list[str] = []
        self.wire = Wire(
            self.transport,
            self.reactor,
            lambda: self.events.append("drained"),
            lambda: self.events.append("stalled"),
        )

    def test_written(self) -> None:
        """Bytes go to the transport."""
        self.wire.write(b"hello")
        self.assertEqual(self.transport.value(), b"hello")

    def test_paused(self) -> None:
        """The wire is full between the transport's pause and its resume."""
        assert self.transport.producer is not None
        self.transport.producer.pauseProducing()
        self.assertTrue(self.wire.full)
        self.transport.producer.resumeProducing()
        self.assertEqual((self.wire.full, self.events), (False, ["drained"]))

    def test_stalled(self) -> None:
        """A peer behind it that takes nothing is let go too."""
        self.wire.pauseProducing()
        self.reactor.advance(STALL_SECONDS)
        self.assertEqual(self.events, ["stalled"])

    def test_close(self) -> None:
        """It is the transport's producer no longer, so that the transport can close as TLS does."""
        self.wire.close(in_order=True)
        self.assertEqual((self.transport.producer, self.transport.disconnecting), (None, True))
