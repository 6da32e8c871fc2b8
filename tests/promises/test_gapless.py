"""Gapless.

A member is shown every event of the room from joining to leaving, each once. A client that comes back saying
the last ``seq`` it saw gets exactly the rest, then live events, with no seam.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, PlainPeer, World
from tests.promises.book import HISTORY, Connection, View
from tests.promises.examples import run
from tests.promises.machine import ChatMachine

if TYPE_CHECKING:
    from twistedchat.events import Event


class GaplessMachine(ChatMachine):
    """What is shown follows on what was shown before, and comes to the end of the log."""

    @override
    def saw(self, connection: Connection, view: View, event: Event) -> None:
        if view.events or view.exact:
            next_seq = view.events[-1].seq + 1 if view.events else view.after + 1
            assert event.seq == next_seq, f"{connection.name} was to be shown {next_seq}, not {event}"
        else:
            latest = max(0, len(self.log[event.room]) - HISTORY)
            assert view.after < event.seq <= latest + 1, f"{connection.name} was shown first {event}"

    @override
    def rested(self) -> None:
        for connection in self.connections:
            if connection.owed and not connection.ending:
                for room, view in connection.views.items():
                    seen, last = self.seen(view), len(self.log.get(room, ()))
                    assert seen == last, f"{connection.name} has seen #{room} up to {seen} of {last}"

    def seen(self, view: View) -> int:
        """How far it has come."""
        return view.events[-1].seq if view.events else view.after if view.exact else 0


class Gapless(SynchronousTestCase):
    """Every view of every client."""

    def test_another_format_in_a_long_fan_out(self) -> None:
        """Who changes how things are shown, while a batch is being shown, is shown the batch all the same."""
        world = World()
        self.addCleanup(world.close)
        speaks, changes = PlainPeer(world), PlainPeer(world)
        speaks.say("ann")
        changes.say("bob")
        world.reactor.look_seconds = 0.01
        for turns in range(10):
            changes.say("/set seq on")
            world.pass_seconds(1)
            world.hurry = True
            speaks.say(f"line {turns}")
            for _ in range(turns):
                world.run()
            changes.say("/set seq off")
            world.pass_seconds(1)
            self.assertEqual(sum(line.endswith(f"ann: line {turns}") for line in changes.lines), 1)

    def test_half_close_while_lines_are_being_stored(self) -> None:
        """A program that ends its half, and whose socket is small, is shown its own lines once before the end."""
        for buffer_bytes in range(50, 500, 50):
            world = World()
            self.addCleanup(world.close)
            program = JsonPeer(world, buffer_bytes=buffer_bytes)
            program.ask("hello", name="bot")
            program.ask("join", room="lobby")
            world.held.holding = True
            program.ask("say", room="lobby", text="one")
            program.ask("say", room="lobby", text="two")
            program.end()
            world.held.holding = False
            world.held.release()
            world.pass_seconds(1)
            self.assertTrue(program.over)
            self.assertEqual([event["seq"] for event in program.events("lobby")], [1, 2])

    def test_any_clients(self) -> None:
        """Whatever clients do, each is shown exactly the log from where it came in."""
        run(GaplessMachine)
