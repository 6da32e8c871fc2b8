"""A TCP proxy before the database, which a test makes deaf, dumb or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import deferLater
from twisted.protocols.portforward import ProxyClient, ProxyClientFactory, ProxyFactory, ProxyServer
from typing_extensions import override

from tests.engines import LOOP, engine

if TYPE_CHECKING:
    from twisted.python.failure import Failure

__all__ = ["Proxy"]


class _Answers(ProxyClient):
    @override
    def dataReceived(self, data: bytes) -> None:
        calls: Any = self.peer
        calls.factory.answers += 1
        if not calls.factory.swallows_answers:
            super().dataReceived(data)


class _AnswersFactory(ProxyClientFactory):
    protocol = _Answers
    noisy = False


class _Calls(ProxyServer):
    factory: Proxy
    clientProtocolFactory = _AnswersFactory
    reactor = LOOP

    @override
    def connectionMade(self) -> None:
        self.factory.ends.append(self)
        super().connectionMade()

    @override
    def dataReceived(self, data: bytes) -> None:
        if not self.factory.swallows_calls:
            super().dataReceived(data)

    @override
    def connectionLost(self, reason: Failure | None = None) -> None:
        if self.peer is not None:
            super().connectionLost(reason)


class Proxy(ProxyFactory):
    """Listens on a port of its own.

    Attributes:
        swallows_calls: Whether what comes from clients is thrown away.
        swallows_answers: The same, of what comes from the database.
        answers: How often something came from the database.
        ends: Of all connections that there are.
        listening: The port.
    """

    protocol = _Calls
    noisy = False

    def __init__(self) -> None:
        super().__init__("127.0.0.1", engine().port)
        self.swallows_calls = False
        self.swallows_answers = False
        self.answers = 0
        self.ends: list[Any] = []
        self.listening = LOOP.listenTCP(0, self, interface="127.0.0.1")

    def url(self, of: str) -> str:
        """The address of a database by way of this proxy."""
        return of.replace(f":{engine().port}/", f":{self.listening.getHost().port}/")

    def cut(self) -> None:
        """End all connections."""
        ends, self.ends = self.ends, []
        for end in ends:
            end.transport.abortConnection()

    async def close(self) -> None:
        """Listen no longer, and end all connections."""
        await maybeDeferred(self.listening.stopListening)
        self.cut()
        await deferLater(LOOP, 0)
