from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import Script
from tests.client.world import ClientWorld
from twistedchat.client.address import Server
from twistedchat.client.connection import (
    FAREWELL_SECONDS,
    HEARTBEAT_SECONDS,
    WELCOME_SECONDS,
    Connection,
)
from twistedchat.client.conversation import Conversation
from twistedchat.client.notifications import Disconnected, Notification, Retrying
from twistedchat.errors import ChatError


class FirstConnectionTests(SynchronousTestCase):
    """Whatever listens there instead of a chatroom."""

    @override
    def setUp(self) -> None:
        self.script, self.clock = Script(), Clock()
        self.conversation = Conversation("alice", lambda _: None)

    def opening(self) -> Deferred[None]:
        connection = Connection(self.clock, [Server(self.script, "here")], self.conversation)
        return Deferred.fromCoroutine(connection.open())

    def why(self, opening: Deferred[None]) -> str:
        error = self.failureResultOf(opening, ChatError).value
        assert isinstance(error, ChatError)
        return error.text

    def test_refused(self) -> None:
        """A first connection that is refused is not tried again."""
        self.script.down = True
        assert "Nothing listens at here" in self.why(self.opening())
        assert self.clock.getDelayedCalls() == []

    def test_something_else(self) -> None:
        """A server that says something else and closes is no chatroom."""
        opening = self.opening()
        self.script.transport.send_line("SSH-2.0-Server")
        self.script.transport.lose(ConnectionDone())
        assert self.why(opening) == "here answers, but is no chatroom: is that the right port?"
        assert self.clock.getDelayedCalls() == []

    def test_other_json(self) -> None:
        """So is one that speaks another JSON."""
        for line in ('{"hello": 1}', "{", '{"type": "event"}', "{" * 40_000):
            with self.subTest(line=line[:20]):
                opening = self.opening()
                self.script.transport.send_line(line)
                assert "is no chatroom" in self.why(opening)

    def test_a_silent_server(self) -> None:
        """So is one that says nothing."""
        opening = self.opening()
        self.clock.advance(WELCOME_SECONDS)
        assert "here" in self.why(opening)
        assert self.clock.getDelayedCalls() == []

    def test_giving_up_connecting(self) -> None:
        """The first connection can be given up while it waits for the welcome."""
        opening = self.opening()
        opening.cancel()
        assert self.script.transport.over
        assert self.clock.getDelayedCalls() == []
        self.failureResultOf(opening)


class ConnectionTests(SynchronousTestCase):
    """A client's connection to the real server in memory."""

    @override
    def setUp(self) -> None:
        self.notified: list[Notification] = []
        self.server = ClientWorld()
        self.addCleanup(self.server.close)
        self.conversation = Conversation("alice", self.notified.append)
        self.connection, _ = self.server.open(self.conversation, lambda failures: 2.0**failures)

    def calls(self) -> list[str]:
        """What the client is still going to do."""
        calls: list[Any] = list(self.server.reactor.getDelayedCalls())
        return [str(call) for call in calls if "twistedchat.client" in getattr(call.func, "__module__", "")]

    def test_trying_again(self) -> None:
        """A lost connection is tried again and again, after longer and longer waits, which are told."""
        self.server.down = True
        self.server.lose()
        for seconds in (1, 2, 4):
            self.server.pass_seconds(seconds)
        refused = "Nothing listens at here: is the server running, and is that its port?"
        lost = "The connection to here is lost."
        assert [d.error.text for d in self.notified if isinstance(d, Disconnected)] == [lost]
        retries = [(n.seconds, n.error.text) for n in self.notified if isinstance(n, Retrying)]
        assert retries == [(1, lost), (2, refused), (4, refused), (8, refused)]

    def test_a_dead_server(self) -> None:
        """A server that answers no ping is lost."""
        self.server.link.deaf = True
        for _ in range(3):
            self.server.pass_seconds(HEARTBEAT_SECONDS)
        assert "here does not answer any more." in [d.error.text for d in self.notified if isinstance(d, Disconnected)]

    def test_a_living_server(self) -> None:
        """One that answers stays."""
        for _ in range(10):
            self.server.pass_seconds(HEARTBEAT_SECONDS)
        assert not any(isinstance(notification, Disconnected) for notification in self.notified)
        assert self.server.ops("hello") == ["ping"] * 10

    def test_closing(self) -> None:
        """Closing waits for the server, which first finishes what was said."""
        closing = Deferred.fromCoroutine(self.connection.close())
        self.assertNoResult(closing)
        self.server.run()
        self.successResultOf(closing)
        assert self.calls() == []

    def test_closing_a_dead_server(self) -> None:
        """But not for long."""
        self.server.link.deaf = True
        closing = Deferred.fromCoroutine(self.connection.close())
        self.server.pass_seconds(FAREWELL_SECONDS)
        self.successResultOf(closing)
        assert self.calls() == []

    def test_closing_while_trying(self) -> None:
        """Without a connection it ends the trying."""
        self.server.down = True
        self.server.lose()
        self.successResultOf(Deferred.fromCoroutine(self.connection.close()))
        self.server.pass_seconds(60)
        assert self.server.ops() == ["hello"]
