from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.health import REQUEST_SECONDS, HealthSite


class HealthTests(SynchronousTestCase):
    """What a load balancer is answered."""

    @override
    def setUp(self) -> None:
        self.fault = ""
        self.clock = Clock()
        self.site = HealthSite(lambda: self.fault, self.clock)

    def connect(self) -> StringTransport:
        transport = StringTransport()
        self.protocol = self.site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        self.protocol.makeConnection(transport)
        return transport

    def ask(self, request: str) -> tuple[int, str]:
        """The status and the body of an answer."""
        transport = self.connect()
        self.protocol.dataReceived(f"{request}\r\nHost: here\r\n\r\n".encode())
        head, _, body = transport.value().decode().partition("\r\n\r\n")
        return int(head.split()[1]), body

    def test_healthy(self) -> None:
        """While lines can be stored it answers 200."""
        assert self.ask("GET /healthz HTTP/1.0") == (200, "ok\n")

    def test_faulty(self) -> None:
        """When they can't be it answers 503, and why; when they can be again, 200."""
        self.fault = "The database does not answer."
        assert self.ask("GET /healthz HTTP/1.0") == (503, "The database does not answer.\n")
        self.fault = ""
        assert self.ask("GET /healthz HTTP/1.0")[0] == 200

    def test_without_a_body(self) -> None:
        """A balancer that asks for the head alone is answered with the status."""
        self.fault = "No."
        assert self.ask("HEAD /healthz HTTP/1.0") == (503, "")

    def test_nothing_else(self) -> None:
        """Nothing else is there."""
        for path in ("/", "/healthz/", "/healthz/x", "/metrics", "//healthz"):
            with self.subTest(path=path):
                assert self.ask(f"GET {path} HTTP/1.0")[0] == 404
        assert self.ask("POST /healthz HTTP/1.0")[0] == 404

    def test_one_who_asks_nothing(self) -> None:
        """A connection over which nothing is asked is closed after a while."""
        transport = self.connect()
        self.clock.advance(REQUEST_SECONDS)
        assert transport.disconnecting
