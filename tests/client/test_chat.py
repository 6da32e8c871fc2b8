from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.world import ClientWorld
from twistedchat.client.address import Server
from twistedchat.client.chat import MAX_WAITING, Chat
from twistedchat.client.connection import Connection
from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from twistedchat.client.messages import Tell


class ChatTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.server = ClientWorld()
        self.addCleanup(self.server.close)
        self.chat = Chat("bot")
        connection = Connection(
            self.server.reactor, [Server(self.server, "here")], self.chat.conversation, lambda _: 1.0
        )
        opening = Deferred.fromCoroutine(self.chat.open(connection))
        self.server.run()
        self.successResultOf(opening)
        self.joining = self.chat.join("#Lobby")
        self.server.run()

    def code(self, deferred: Deferred[int] | Deferred[str]) -> str:
        """The code of the error that came of it."""
        error = self.failureResultOf(deferred, ChatError).value
        assert isinstance(error, ChatError)
        return error.code

    def test_joining(self) -> None:
        """Joining gives the room's own name; a room that can't be is an error."""
        assert self.successResultOf(self.joining) == "lobby"
        assert self.successResultOf(self.chat.join("lobby")) == "lobby"
        refused = self.chat.join("a b")
        self.server.run()
        assert self.code(refused) == "bad-room"

    def test_saying(self) -> None:
        """Saying ends when the line is stored, over lost connections."""
        saying = self.chat.say("lobby", "hi")
        self.server.link.lose()
        self.assertNoResult(saying)
        self.server.pass_seconds(1)
        assert self.successResultOf(saying) == 1
        assert self.code(self.chat.say("elsewhere", "hi")) == "not-in-room"

    def test_a_refused_line(self) -> None:
        """A line that is not taken is an error."""
        saying = self.chat.say("lobby", "")
        self.server.run()
        assert self.code(saying) == "empty-text"

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
        self.server.fill([str(number) for number in range(total)])
        assert len(self.chat._waiting) == MAX_WAITING  # noqa: SLF001
        saying = self.chat.say("lobby", "slow down")
        self.server.run()
        self.successResultOf(saying)
        found = []
        for _ in range(total):
            found.append(self.successResultOf(Deferred.fromCoroutine(anext(self.chat))).text)
            self.server.run()
        assert found == [str(number) for number in range(total)]

    def test_joining_twice_before_the_answer(self) -> None:
        """Whoever joins again before the first answer came is answered for both."""
        joining = [self.chat.join("dev"), self.chat.join("#DEV"), self.chat.join("dev", after=0)]
        self.server.run()
        assert [self.successResultOf(each) for each in joining] == ["dev", "dev", "dev"]

    def test_joining_by_another_spelling(self) -> None:
        """Whoever joins a room that looks like one that was joined is answered with that one's name."""
        joining = [self.chat.join("lan"), self.chat.join("Ian")]
        self.server.run()
        assert [self.successResultOf(each) for each in joining] == ["lan", "lan"]

    def test_joining_while_reading_slowly(self) -> None:
        """A room that was joined is answered at once, however many events wait to be read."""
        self.server.fill([str(number) for number in range(2 * MAX_WAITING)])
        assert self.successResultOf(self.chat.join("lobby")) == "lobby"

    def test_a_full_disk(self) -> None:
        """While lines can't be stored saying waits; they are stored once, in order, when that is possible again."""
        self.server.break_disk()
        saying = [self.chat.say("lobby", text) for text in "ab"]
        self.server.pass_seconds(1)
        saying.append(self.chat.say("lobby", "c"))
        self.server.pass_seconds(30)
        for each in saying:
            self.assertNoResult(each)
        self.server.mend_disk()
        self.server.pass_seconds(5)
        assert [self.successResultOf(each) for each in saying] == [1, 2, 3]
        assert [event.text for event in self.server.log()] == ["a", "b", "c"]

    def test_closing_ends_what_waits(self) -> None:
        """Closing without a server fails what was asked and not answered; asking afterwards fails, too."""
        self.server.down = True
        self.server.lose()
        waiting: list[Deferred[int] | Deferred[str]] = [self.chat.say("lobby", "hi"), self.chat.join("dev")]
        self.successResultOf(Deferred.fromCoroutine(self.chat.close()))
        waiting += [self.chat.say("lobby", "hi"), self.chat.join("dev")]
        assert [self.code(each) for each in waiting] == ["closed"] * 4

    def test_closing_a_dead_server(self) -> None:
        """Closing ends what waits also if the server does not answer any more."""
        self.server.link.deaf = True
        saying = self.chat.say("lobby", "hi")
        closing = Deferred.fromCoroutine(self.chat.close())
        self.assertNoResult(saying)
        self.server.pass_seconds(60)
        self.successResultOf(closing)
        assert self.code(saying) == "closed"

    def test_closing_lets_the_server_finish(self) -> None:
        """What the server stores before it closes counts as stored."""
        saying = self.chat.say("lobby", "hi")
        closing = Deferred.fromCoroutine(self.chat.close())
        self.server.run()
        self.successResultOf(closing)
        assert self.successResultOf(saying) == 1

    def test_private_lines(self) -> None:
        """They come to a function."""
        told: list[Tell] = []
        self.chat.told = told.append
        Deferred.fromCoroutine(self.chat.tell("bot", "psst"))
        self.server.run()
        assert [tell.text for tell in told] == ["psst"]
