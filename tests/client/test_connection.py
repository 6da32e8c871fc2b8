from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import FakeServer, connect
from twistedchat.client.connection import (
    FAREWELL_SECONDS,
    SILENCE_SECONDS,
    WELCOME_SECONDS,
    Connection,
)
from twistedchat.client.conversation import Conversation
from twistedchat.client.happenings import Disconnected, Happening, Retrying
from twistedchat.errors import ChatError


class ConnectionTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.happened: list[Happening] = []
        self.server, self.clock = FakeServer(), Clock()
        self.conversation = Conversation("alice", self.happened.append)

    def opening(self) -> Deferred[None]:
        self.connection = Connection(self.clock, self.server, "here", self.conversation, lambda failures: 2.0**failures)
        return Deferred.fromCoroutine(self.connection.open())

    def why(self, opening: Deferred[None]) -> str:
        error = self.failureResultOf(opening, ChatError).value
        assert isinstance(error, ChatError)
        return error.text

    def test_refused(self) -> None:
        """A first connection that is refused is not tried again."""
        self.server.down = True
        assert "Nothing listens at here" in self.why(self.opening())
        assert self.clock.getDelayedCalls() == []

    def test_something_else(self) -> None:
        """A server that says something else and closes is no chatroom."""
        opening = self.opening()
        self.server.peer.send_line("SSH-2.0-Server")
        self.server.peer.lose(ConnectionDone())
        assert self.why(opening) == "here answers, but is no chatroom: is that the right port?"
        assert self.clock.getDelayedCalls() == []

    def test_other_json(self) -> None:
        """So is one that speaks another JSON."""
        for line in ('{"hello": 1}', "{", '{"type": "event"}', "{" * 40_000):
            with self.subTest(line=line[:20]):
                opening = self.opening()
                self.server.peer.send_line(line)
                assert "is no chatroom" in self.why(opening)

    def test_a_silent_server(self) -> None:
        """So is one that says nothing."""
        opening = self.opening()
        self.clock.advance(WELCOME_SECONDS)
        assert "here" in self.why(opening)
        assert self.clock.getDelayedCalls() == []

    def test_a_greeting_for_people(self) -> None:
        """What a server says to people before the welcome is passed over."""
        opening = self.opening()
        self.server.peer.send_line("Welcome to the chatroom!\r")
        self.server.run()
        self.successResultOf(opening)

    def test_trying_again(self) -> None:
        """A lost connection is tried again and again, after longer and longer waits, which are told."""
        connect(self.server, self.conversation, self.clock)
        self.happened.clear()
        self.connection = Connection(self.clock, self.server, "here", self.conversation, lambda failures: 2.0**failures)
        opening = Deferred.fromCoroutine(self.connection.open())
        self.server.run()
        self.successResultOf(opening)
        self.happened.clear()
        self.server.down = True
        self.server.peers[-1].lose()
        for seconds in (1, 2, 4):
            self.clock.advance(seconds)
        refused = "Nothing listens at here: is the server running, and is that its port?"
        lost = "The connection to here is lost."
        assert self.happened[0] == Disconnected(lost)
        retries = [(h.seconds, h.error.text) for h in self.happened if isinstance(h, Retrying)]
        assert retries == [(1, lost), (2, refused), (4, refused), (8, refused)]

    def test_a_dead_server(self) -> None:
        """A server that answers no ping is lost."""
        self.opening()
        self.server.run()
        self.server.deaf = True
        for _ in range(3):
            self.clock.advance(SILENCE_SECONDS)
        assert Disconnected("here does not answer any more.") in self.happened

    def test_a_living_server(self) -> None:
        """One that answers stays."""
        self.opening()
        self.server.run()
        for _ in range(10):
            self.clock.advance(SILENCE_SECONDS)
            self.server.run()
        assert Disconnected("here does not answer any more.") not in self.happened
        assert self.server.ops("hello") == ["ping"] * 10

    def test_closing(self) -> None:
        """Closing waits for the server, which first finishes what was said."""
        self.opening()
        self.server.run()
        closing = Deferred.fromCoroutine(self.connection.close())
        self.assertNoResult(closing)
        self.server.run()
        self.successResultOf(closing)
        assert self.clock.getDelayedCalls() == []

    def test_closing_a_dead_server(self) -> None:
        """But not for long."""
        self.opening()
        self.server.run()
        closing = Deferred.fromCoroutine(self.connection.close())
        self.clock.advance(FAREWELL_SECONDS)
        self.successResultOf(closing)
        assert self.clock.getDelayedCalls() == []

    def test_closing_while_trying(self) -> None:
        """Without a connection it ends the trying."""
        self.opening()
        self.server.run()
        self.server.down = True
        self.server.lose()
        self.successResultOf(Deferred.fromCoroutine(self.connection.close()))
        assert self.clock.getDelayedCalls() == []

    def test_giving_up_connecting(self) -> None:
        """The first connection can be given up while it waits for the welcome."""
        opening = self.opening()
        opening.cancel()
        assert self.server.peers == []
        assert self.clock.getDelayedCalls() == []
        self.failureResultOf(opening)
