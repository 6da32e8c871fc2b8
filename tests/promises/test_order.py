"""Order.

Everyone in a room is shown the same events in the same order, whatever they connect with. Lines of one
connection to one room stand in the order sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, PlainPeer, World
from tests.promises.book import ROOMS, Connection, Sent, View
from tests.promises.examples import run
from tests.promises.machine import ChatMachine

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
        """Where the lines stand that came into the log by this connection, as sent."""
        return [
            self.by_text[sent.text].seq
            for id_, sent in connection.sent.items()
            if sent.room == room and sent.text in self.by_text and self._stands_by(connection, id_, sent)
        ]

    def _stands_by(self, connection: Connection, id_: int, sent: Sent) -> bool:
        """Whether a line that stands came into the log by this sending, and by no other of the same line.

        A line that was sent once did. Of one that was sent again it is known only when a sending was
        acknowledged as new: the answers to the others may have been lost, or not have been read.
        """
        if self.sendings[sent.text] == 1:
            return True
        return any(answer["type"] == "ok" and "again" not in answer for answer in connection.answers.get(id_, ()))


class Order(SynchronousTestCase):
    """One order for everybody."""

    def test_any_clients(self) -> None:
        """Whatever clients do, each is shown the log in its order, which is the order of what each one said."""
        run(OrderMachine)

    def test_a_line_that_was_refused_is_sent_again_behind_a_later_one(self) -> None:
        """A line sent again on a new connection has its place in that one's order, not in the first one's.

        Found by `test_any_clients`: the book had counted it in the first one's.
        """
        machine = OrderMachine()
        machine.begin(lengths=(0, 0, 0), budget_bytes=2**26, look_seconds=0.0, rate=0)
        machine.come_as_program(buffer_bytes=4096, room="lobby", tls=False)
        # It does not know that the first line was refused when it says the second.
        machine.stop_reading(who=0)
        for broken in (True, False):
            machine.wreck(broken=broken)
            machine.say(who=0, lines=1, size=0, keyed=True, is_odd=False)
        machine.look()
        machine.vanish(who=0, reset=True)
        machine.come_back(who=0, buffer_bytes=4096, send_again=True, tls=False)
        machine.look()
        machine.teardown()
        self.assertEqual([event.text for event in machine.log["lobby"]], ["t2.", "t1."])
        [first, again] = machine.connections
        self.assertEqual([sent.text for sent in first.sent.values()], ["t1.", "t2."])
        self.assertEqual([answers[0].get("again") for answers in again.answers.values()][-2:], [None, True])

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
