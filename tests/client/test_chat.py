from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import FakeServer
from twistedchat.client.chat import MAX_WAITING, Chat
from twistedchat.client.connection import Connection
from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from twistedchat.client.happenings import Tell


class ChatTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.server, self.clock = FakeServer(), Clock()
        self.chat = Chat("bot")
        connection = Connection(self.clock, self.server, "here", self.chat.conversation, lambda _: 1.0)
        opening = Deferred.fromCoroutine(self.chat.open(connection))
        self.server.run()
        self.successResultOf(opening)
        self.joining = self.chat.join("#Lobby")
        self.server.run()

    def test_joining(self) -> None:
        """Joining gives the room's own name; a room that is closed is an error."""
        assert self.successResultOf(self.joining) == "lobby"
        assert self.successResultOf(self.chat.join("lobby")) == "lobby"
        refused = self.chat.join("closed")
        self.server.run()
        self.failureResultOf(refused, ChatError)

    def test_saying(self) -> None:
        """Saying ends when the line is stored, over lost connections."""
        saying = self.chat.say("lobby", "hi")
        self.server.lose()
        self.assertNoResult(saying)
        self.clock.advance(1)
        self.server.run()
        assert self.successResultOf(saying) == 1
        self.failureResultOf(self.chat.say("elsewhere", "hi"), ChatError)

    def test_a_refused_line(self) -> None:
        """A line that is not stored is an error."""
        self.server.failing = True
        saying = self.chat.say("lobby", "hi")
        self.server.run()
        self.failureResultOf(saying, ChatError)

    def test_iterating(self) -> None:
        """Events come in order, as they are asked for, and end with the chat."""
        found: list[str] = []

        async def read() -> None:
            found.extend([event.text async for event in self.chat])

        reading = Deferred.fromCoroutine(read())
        for text in "abc":
            self.server.say(text)
        closing = Deferred.fromCoroutine(self.chat.close())
        self.server.run()
        self.successResultOf(closing)
        self.successResultOf(reading)
        assert found == list("abc")

    def test_a_slow_program(self) -> None:
        """However slowly it reads, a bounded number of events waits, none is lost, and it can talk."""
        total = 3 * MAX_WAITING
        for number in range(total):
            self.server.say(str(number))
        assert len(self.chat._waiting) == MAX_WAITING  # noqa: SLF001
        saying = self.chat.say("lobby", "slow down")
        self.server.run()
        self.successResultOf(saying)
        found = []
        for _ in range(total):
            found.append(self.successResultOf(Deferred.fromCoroutine(anext(self.chat))).text)
            self.server.run()
        assert found == [str(number) for number in range(total)]

    def test_private_lines(self) -> None:
        """They come to a function."""
        told: list[Tell] = []
        self.chat.told = told.append
        Deferred.fromCoroutine(self.chat.tell("bot", "psst"))
        self.server.run()
        assert [tell.text for tell in told] == ["psst"]
