from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tests.fakes import Reactor
from tests.rooms.cases import JSON, PLAIN, RoomTestCase, Screen
from twistedchat.rooms.announce import GATHER_SECONDS, LARGE_GATHER_SECONDS, Announcer
from twistedchat.rooms.audience import SMALL_ROOM, Member
from twistedchat.turns import Turns

if TYPE_CHECKING:
    from twistedchat.formats.base import Format


class AnnouncerTests(RoomTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.clock = Reactor()
        self.announcer = Announcer(self.clock, Turns(self.clock))
        _, self.ann = self.come("ann")
        self.clock.advance(GATHER_SECONDS)

    def come(self, name: str, format_: Format = PLAIN) -> tuple[Member, Screen]:
        member, screen = self.enter(name, format_)
        self.announcer.changed(self.room)
        return member, screen

    def crowd(self) -> Screen:
        """The room becomes a large one, which was announced; a program in it."""
        _, program = self.come("bot", JSON)
        for number in range(SMALL_ROOM):
            self.come(f"p{number}")
        self.clock.advance(LARGE_GATHER_SECONDS)
        return program

    def test_gathered(self) -> None:
        """Who comes at about the same time is told together, when the first has waited long enough."""
        self.come("bob")
        self.clock.advance(GATHER_SECONDS * 0.9)
        self.come("carol")
        self.assertEqual(self.ann.shown, [])
        self.clock.advance(GATHER_SECONDS * 0.1)
        self.assertEqual(self.ann.text, "*** bob and carol are here now.\r\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_before_speech(self) -> None:
        """Whoever speaks at once is announced before; and then not again."""
        self.come("bob")
        self.announcer.before_speech(self.room)
        self.assertEqual(self.ann.text, "*** bob is here now.\r\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.announcer.before_speech(self.room)
        self.assertEqual(len(self.ann.shown), 1)

    def test_large_room(self) -> None:
        """In a large room only the count is told, and nobody's line waits for it."""
        program = self.crowd()
        before = len(program.shown)
        self.come("late")
        self.announcer.before_speech(self.room)
        self.clock.advance(LARGE_GATHER_SECONDS * 0.9)
        self.assertEqual(len(program.shown), before)
        self.clock.advance(LARGE_GATHER_SECONDS * 0.1)
        self.assertEqual((len(program.shown), b'"joined":[]' in program.shown[-1]), (before + 1, True))

    def test_nobody_left(self) -> None:
        """A room that is forgotten, and a server that stops, leave no timer."""
        for end in (lambda: self.announcer.forget(self.room), self.announcer.close):
            self.come("bob")
            end()
            self.assertEqual(self.clock.getDelayedCalls(), [])
        self.announcer.forget(self.room)

    def test_each_room_alone(self) -> None:
        """Speaking in one room announces nothing in another."""
        here, self.room = self.room, self.make_room("py")
        _, there = self.come("carol")
        self.come("dan")
        self.announcer.before_speech(here)
        self.assertEqual(there.shown, [])
        self.clock.advance(GATHER_SECONDS)
        self.assertEqual(there.text, "*** dan is here now.\r\n")
