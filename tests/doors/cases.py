from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import HeldStore, JsonPeer, Reactor, World
from twistedchat.doors.channel import Pace
from twistedchat.doors.port import Settings

if TYPE_CHECKING:
    from twistedchat.events import Draft

__all__ = ["JsonTestCase"]


class JsonTestCase(SynchronousTestCase):
    """Ann, a program, is in #lobby."""

    logs: tuple[Draft, ...] = ()

    @override
    def setUp(self) -> None:
        reactor = Reactor()
        store = HeldStore(reactor.seconds)
        if self.logs:
            store.fill(self.logs)
        self.world = World(reactor=reactor, store=store, settings=Settings(title="the workshop", pace=Pace(0, 1)))
        self.addCleanup(self.world.close)
        self.ann = self.enter("ann", "lobby")

    def connect(self) -> JsonPeer:
        return JsonPeer(self.world, buffer_bytes=10**7)

    def enter(self, name: str, *rooms: str) -> JsonPeer:
        peer = self.connect()
        peer.ask("hello", name=name)
        for room in rooms:
            peer.ask("join", room=room)
        return peer

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """What ann is answered, without the id."""
        answer = dict(self.ann.answer(self.ann.ask(op, **fields)))
        del answer["re"]
        return answer

    def refusal(self, op: str, **fields: object) -> str:
        """The code of the error that ann is answered with."""
        answer = self.ask(op, **fields)
        self.assertEqual((answer["type"], set(answer)), ("error", {"type", "code", "text"}))
        return str(answer["code"])

    def answers_to(self, line: bytes) -> list[dict[str, Any]]:
        """What ann is sent for any bytes."""
        before = len(self.ann.messages)
        self.ann.send(line)
        return self.ann.messages[before:]
