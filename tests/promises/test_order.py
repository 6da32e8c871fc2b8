"""Order.

Everyone in a room is shown the same events in the same order, whatever they connect with. Lines of one
connection to one room stand in the order sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, PlainPeer, World
from tests.promises.machine import PROMISE, ROOMS, ChatMachine, Connection, View

if TYPE_CHECKING:
    from twistedchat.events import Event


class OrderMachine(ChatMachine):
    """The log has one order; what is shown keeps it, and it keeps the order in which each one speaks.

    That what is shown is what stands in the log, word for word, the machine itself checks.
    """

    @override
    def saw(self, connection: Connection, view: View, event: Event) -> None:
        last = view.events[-1].seq if view.events else 0
        assert event.seq > last, f"{connection.name} was shown {event} after {last}"

    @override
    def rested(self) -> None:
        for connection in self.connections:
            for room in ROOMS:
                seqs = list(self._stands(connection, room))
                assert seqs == sorted(seqs), f"what {connection.name} said in #{room} stands at {seqs}"
        for log in self.log.values():
            assert [event.seq for event in log] == list(range(1, len(log) + 1))
            times = [event.at for event in log]
            assert times == sorted(times)

    def _stands(self, connection: Connection, room: str) -> list[int]:
        """Where the lines of a connection stand, as sent; those that had stood before they came say nothing."""
        seqs = []
        for id_, sent in connection.sent.items():
            again = any(answer.get("again") for answer in connection.answers.get(id_, ()))
            if sent.room == room and not again and not sent.repeated and sent.text in self.by_text:
                seqs.append(self.by_text[sent.text].seq)
        return seqs


class Order(SynchronousTestCase):
    """One order for everybody."""

    def test_any_clients(self) -> None:
        """Whatever clients do, each is shown the log in its order, which is the order of what each one said."""
        run_state_machine_as_test(OrderMachine, settings=PROMISE)

    def test_a_crowd_in_a_long_fan_out(self) -> None:
        """A batch that is shown to a crowd in many turns comes before the next batch, to each of them."""
        world = World()
        self.addCleanup(world.close)
        world.reactor.look_seconds = 0.004
        speaker = PlainPeer(world)
        speaker.say("speaker")
        crowd = [JsonPeer(world, buffer_bytes=1 << 20) for _ in range(200)]
        for number, peer in enumerate(crowd):
            peer.ask("hello", name=f"bot{number}")
            peer.ask("join", room="lobby")
        for batch in range(5):
            speaker.socket.inbox += "".join(f"{batch}.{line}\r\n" for line in range(20)).encode()
            # Not to rest: the next lines come while these are being shown.
            world.reactor.advance(0)
            speaker.turn()
        world.pass_seconds(1)
        for peer in crowd:
            said = [event["text"] for event in peer.events("lobby")]
            self.assertEqual(said, [f"{batch}.{line}" for batch in range(5) for line in range(20)])
        self.assertEqual(world.faults, [])
