from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.client.joined_rooms import RETRY_SECONDS, JoinedRooms
from twistedchat.client.messages import Answer
from twistedchat.client.notifications import JoinRefused
from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_READY = ChatError("not-ready", "The server can't reach its database now.")


class Server:
    """A server that answers when the test says so.

    Attributes:
        asked: What it was asked, and has not answered.
        later: What was put off, and for how many seconds.
    """

    ready = True

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, object], Deferred[Any]]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []

    def ask(self, op: str, **fields: object) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        self.asked.append(({"op": op, **fields}, answer))
        return answer

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        self.later.append((seconds, function))

    def accept(self, seq: int) -> dict[str, object]:
        question, answer = self.asked.pop()
        fields = {"room": question["room"], "seq": seq, "topic": "", "members": []}
        answer.callback(Answer(1, fields))
        return question

    def refuse(self, error: ChatError) -> None:
        _, answer = self.asked.pop()
        answer.errback(error)


class RefusedTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.server = Server()
        self.told: list[object] = []
        self.rooms = JoinedRooms(cast("Any", self.server), self.told.append)

    def test_for_the_time_being(self) -> None:
        """A room that we are in and that can't be read now is entered again, from where we were."""
        room = self.rooms.join("lobby", 7)
        self.server.accept(9)
        self.rooms.enter_all(resumed=False)
        self.server.refuse(NOT_READY)
        [(seconds, again)] = self.server.later
        again()
        self.assertEqual((seconds, self.server.accept(9)), (RETRY_SECONDS, {"op": "join", "room": "lobby", "after": 7}))
        self.assertEqual(self.rooms.by_name, {"lobby": room})

    def test_left_meanwhile(self) -> None:
        """Who has left it meanwhile does not come back."""
        room = self.rooms.join("lobby")
        self.server.accept(9)
        self.rooms.enter_all(resumed=False)
        self.server.refuse(NOT_READY)
        self.rooms.leave(room)
        self.server.asked.clear()
        self.server.later[0][1]()
        self.assertEqual(self.server.asked, [])

    def test_at_first(self) -> None:
        """Who was never in it is told why not."""
        room = self.rooms.join("lobby")
        self.server.refuse(NOT_READY)
        self.assertEqual((self.told, self.rooms.by_name), ([JoinRefused(room, NOT_READY)], {}))
