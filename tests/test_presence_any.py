"""Whatever happens and whoever takes nothing, what people were told in steps comes to who is there."""

from __future__ import annotations

import contextlib
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldStore, Reactor, now
from tests.onlookers import Onlooker
from twistedchat.errors import ChatError
from twistedchat.hub import Hub
from twistedchat.records import Change
from twistedchat.rooms.announce import LINES_A_SECOND, PAGE_SECONDS
from twistedchat.rooms.audience import SMALL_ROOM

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = 5
ROOMS = ("den", "hall")
NAMES = ("ann", "bob", "cat", "dan", "eve", "fay", "gus")

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["join", "join", "leave", "rename", "quit", "say", "op", "deop", "kick", "full", "drain", "spend", "wait"]
        ),
        st.integers(0, PEOPLE - 1),
        st.sampled_from(ROOMS),
        st.sampled_from(NAMES),
    ),
    max_size=60,
)


class AnyOrderTests(SynchronousTestCase):
    def start(self, *, large: bool) -> None:
        self.clock = Reactor()
        self.hub = Hub(HeldStore(self.clock.seconds), self.clock, wall=self.clock.seconds)
        now(self.hub.open())
        self.addCleanup(lambda: now(self.hub.close()))
        self.people: dict[int, Onlooker] = {}
        self.gone = count()
        if large:
            self.crowd = [Onlooker(self.hub, f"p{number}") for number in range(SMALL_ROOM + 10)]
            for one in self.crowd:
                for room in ROOMS:
                    one.join(room)
        else:
            self.crowd = []

    @given(steps, st.booleans())
    @settings(deadline=None, max_examples=200)
    def test_comes_to_who_is_there(self, steps: list[tuple[str, int, str, str]], large: bool) -> None:
        """Names and ranks are right for everybody as soon as it takes something; whoever speaks is known before."""
        self.start(large=large)
        for verb, number, room, name in steps:
            self.do(verb, number, room, name)
        for one in self.all():
            one.drain()
        self.clock.pump([PAGE_SECONDS] * 3)
        for one in self.all():
            self.assertEqual(one.known, {each: self.there(each) for each in one.session.rooms}, one.session.name)
            self.assertEqual((one.strangers, "fault" in one.heard), ([], False))

    def all(self) -> list[Onlooker]:
        return [*self.people.values(), *self.crowd]

    def there(self, name: str) -> dict[str, str]:
        room = self.hub.rooms.get(name)
        assert room is not None
        return {one: room.charter.rank(one) for one in room.presence.names}

    def do(self, verb: str, number: int, room: str, name: str) -> None:
        one = self.people.get(number)
        if verb == "wait":
            self.clock.pump([PAGE_SECONDS / 4] * (number + 1))
        elif verb == "spend":
            self.hub.announcer.spend(LINES_A_SECOND - number * 3)
            self.hub.announcer.spend(number)
        elif one is None:
            self.people[number] = one = Onlooker(self.hub, f"new{next(self.gone)}")
            one.join(room)
        elif verb == "full":
            one.full = True
        elif verb == "drain":
            one.drain()
        elif verb == "quit":
            one.session.close("bye")
            del self.people[number]
        elif verb == "join" and room not in one.session.rooms:
            one.join(room)
        elif verb == "rename":
            self.attempt(lambda: one.rename(name))
        elif room in one.session.rooms:
            self.in_room(verb, one, room, name)

    def in_room(self, verb: str, one: Onlooker, room: str, name: str) -> None:
        if verb == "leave":
            one.leave(room)
        elif verb == "say":
            one.session.say(room, "hi", one)
            self.clock.advance(0)
            self.clock.advance(0)
        elif verb in {"op", "deop"}:
            change = Change("+" if verb == "op" else "-", "o" if name < "d" else "v", self.somebody(room, name))
            self.attempt(lambda: one.mode(room, [change]))
        elif verb == "kick":
            self.attempt(lambda: one.kick(room, self.somebody(room, name)))

    def somebody(self, room: str, name: str) -> str:
        """Any of the few who are in a room."""
        few = sorted(one.session.name for one in self.people.values() if room in one.session.rooms)
        return few[NAMES.index(name) % len(few)]

    @staticmethod
    def attempt(verb: Callable[[], None]) -> None:
        with contextlib.suppress(ChatError):
            verb()
