from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.events import Event, Kind
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.formats.plain import PlainFormat
from twistedchat.room import GONE, PAGE_EVENTS, PRESENCE_LIMIT, Member, Room

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twistedchat.formats.base import Format, Page


def joined(names: Sequence[str]) -> bytes:
    """A rendered list of names."""
    return ",".join(names).encode()


PLAIN, NUMBERED, JSON = PlainFormat(), PlainFormat(numbered=True), JsonFormat()


class Screen:
    """An outlet that takes what it is shown, as long as it is not full."""

    def __init__(self) -> None:
        self.full = False
        self.shown: list[bytes] = []

    def show(self, page: Page) -> bool:
        if not self.full:
            self.shown.append(page.data)
        return not self.full

    def show_presence(self, data: bytes) -> bool:
        if not self.full:
            self.shown.append(data)
        return not self.full

    def caught_up(self, room: Room) -> None:
        """Nothing waits for it."""


def events(first: int, last: int) -> list[Event]:
    return [Event("lobby", seq, 0, Kind.SAY, "ann", f"line {seq}") for seq in range(first, last + 1)]


def seqs(screen: Screen) -> list[int]:
    return [json.loads(line)["seq"] for data in screen.shown for line in data.splitlines()]


class RoomTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.room = Room("lobby")

    def enter(self, name: str, format_: Format = JSON) -> tuple[Member, Screen]:
        screen = Screen()
        member = Member(name, screen, format_, self.room.seq)
        self.room.add(member)
        return member, screen

    def say(self, page: Sequence[Event]) -> Iterator[None]:
        self.room.extend(page)
        return self.room.deal(page)


class DealTests(RoomTestCase):
    def test_everybody(self) -> None:
        """New events go to everybody, and the room and its members stand at the last."""
        ann, ann_screen = self.enter("ann")
        _, bob_screen = self.enter("bob")
        list(self.say(events(1, 3)))
        self.assertEqual([seqs(ann_screen), seqs(bob_screen)], [[1, 2, 3], [1, 2, 3]])
        self.assertEqual([self.room.seq, ann.cursor], [3, 3])

    def test_rendered_once(self) -> None:
        """All who read a format get the same bytes, made once."""
        screens = [self.enter(f"p{number}", NUMBERED)[1] for number in range(3)]
        list(self.say(events(1, 2)))
        self.assertEqual(len({id(screen.shown[0]) for screen in screens}), 1)

    def test_rendered_pages_are_forgotten(self) -> None:
        """What was rendered is kept only until something new is said."""
        self.room.extend(events(1, 2))
        page = self.room.page(JSON, events(1, 2))
        self.assertIs(self.room.page(JSON, events(1, 2)), page)
        self.room.extend(events(3, 3))
        self.assertIsNot(self.room.page(JSON, events(1, 2)), page)

    def test_full_is_left_behind(self) -> None:
        """Whoever takes no more stays where it is, is not shown what follows, and delays nobody."""
        slow, screen = self.enter("slow")
        _, other = self.enter("other")
        screen.full = True
        list(self.say(events(1, 1)))
        screen.full = False
        list(self.say(events(2, 2)))
        self.assertEqual((slow.cursor, seqs(screen), seqs(other)), (0, [], [1, 2]))

    def test_changes_between_stretches(self) -> None:
        """Who leaves in the middle is shown nothing, and who was brought forward nothing twice."""
        members = [self.enter(f"p{number}") for number in range(200)]
        showing = self.say(events(1, 1))
        next(showing)
        (leaver, leaver_screen), (eager, eager_screen) = [one for one in members if not one[1].shown][:2]
        self.room.remove(leaver)
        self.room.bring_forward(eager)
        list(showing)
        self.assertEqual((seqs(leaver_screen), seqs(eager_screen)), ([], [1]))
        self.assertEqual(sum(len(screen.shown) for _, screen in members), 199)

    def test_lost_connection(self) -> None:
        """A member whose connection is lost is passed over."""
        member, screen = self.enter("ann")
        member.outlet, member.cursor = None, GONE
        list(self.say(events(1, 1)))
        self.assertEqual((member.cursor, screen.shown), (GONE, []))

    def test_topic(self) -> None:
        """The last topic event is the topic."""
        list(self.say([Event("lobby", 1, 0, Kind.TOPIC, "ann", "tea"), *events(2, 2)]))
        self.assertEqual(self.room.topic, "tea")


class BringForwardTests(RoomTestCase):
    def test_pages(self) -> None:
        """A member that is behind is brought to the end, a page at a time, and the seam is whole."""
        self.enter("bob")
        list(self.say(events(1, 1200)))
        late, screen = self.enter("late")
        late.cursor = 50
        self.assertTrue(self.room.bring_forward(late))
        list(self.say(events(1201, 1201)))
        self.assertEqual(seqs(screen), list(range(51, 1202)))
        self.assertLessEqual(max(len(page.splitlines()) for page in screen.shown), PAGE_EVENTS)

    def test_stops_when_full(self) -> None:
        """It goes on only as far as the outlet takes it."""
        self.enter("bob")
        list(self.say(events(1, 3)))
        late, screen = self.enter("late")
        late.cursor, screen.full = 0, True
        self.assertTrue(self.room.bring_forward(late))
        self.assertEqual((late.cursor, screen.shown), (0, []))

    def test_not_in_memory(self) -> None:
        """What has been forgotten is not skipped: the caller has to read it from the store."""
        self.enter("bob")
        self.room.recent.max_bytes = 0
        list(self.say(events(1, 3)))
        late, screen = self.enter("late")
        late.cursor = 0
        self.assertFalse(self.room.bring_forward(late))
        self.assertEqual((late.cursor, screen.shown), (0, []))


class PresenceTests(RoomTestCase):
    def tell(self) -> None:
        list(self.room.tell_presence())

    def test_others_are_told(self) -> None:
        """Who comes and goes is told to the others, not to himself, and only once."""
        _, ann = self.enter("ann", PLAIN)
        bob, bob_screen = self.enter("bob", PLAIN)
        self.tell()
        self.room.remove(bob, "good night")
        self.tell()
        self.tell()
        self.assertEqual(ann.shown, [b"*** bob is here now.\r\n", b"*** bob left: good night\r\n"])
        self.assertEqual(bob_screen.shown, [])

    def test_gathered(self) -> None:
        """Who came and left again in between is not spoken of."""
        _, ann = self.enter("ann", PLAIN)
        bob, _ = self.enter("bob", PLAIN)
        self.enter("carol", PLAIN)
        self.room.remove(bob)
        self.tell()
        self.assertEqual(ann.shown, [b"*** carol is here now.\r\n"])

    def test_full_is_told_later(self) -> None:
        """Whoever takes no more is told the difference later, not each step."""
        _, ann = self.enter("ann", PLAIN)
        ann.full = True
        self.enter("bob", PLAIN)
        self.tell()
        ann.full = False
        self.enter("carol", PLAIN)
        self.tell()
        self.assertEqual(ann.shown, [b"*** bob and carol are here now.\r\n"])

    def test_renames(self) -> None:
        """Several renames are told as one, from the name that was known; a newcomer hears only the last."""
        _, ann = self.enter("ann", PLAIN)
        bob, bob_screen = self.enter("bob", PLAIN)
        self.tell()
        self.room.rename(bob, "bea")
        self.room.rename(bob, "cat")
        self.enter("dan", PLAIN)
        self.tell()
        self.assertEqual(ann.shown[1:], [b"*** dan is here now.\r\n*** bob is now called cat.\r\n"])
        self.assertEqual(bob_screen.shown, [b"*** dan is here now.\r\n"])

    def test_large_room(self) -> None:
        """With more than 50 members no names are told; programs are told how many there are."""
        _, plain = self.enter("ann", PLAIN)
        _, program = self.enter("bot")
        for number in range(PRESENCE_LIMIT):
            self.enter(f"p{number}", PLAIN)
        self.tell()
        self.assertEqual(plain.shown, [b""])
        told = json.loads(program.shown[0])
        self.assertEqual((told["joined"], told["left"], told["count"]), ([], [], PRESENCE_LIMIT + 2))

    def test_large_room_shrinks(self) -> None:
        """A room that has shrunk announces again, but only what happened since."""
        _, ann = self.enter("ann", PLAIN)
        crowd = [self.enter(f"p{number}", PLAIN)[0] for number in range(PRESENCE_LIMIT)]
        self.tell()
        for member in crowd[1:]:
            self.room.remove(member)
        self.tell()
        self.room.remove(crowd[0])
        self.tell()
        self.assertEqual(b"".join(ann.shown), b"*** p0 left.\r\n")

    def test_roster_of_many(self) -> None:
        """In a large room the list is rendered once for all who come at about the same time."""
        rendered: list[int] = []

        def count(names: Sequence[str]) -> bytes:
            rendered.append(len(names))
            return joined(names)

        for number in range(2 * PRESENCE_LIMIT):
            self.enter(f"p{number}")
            self.room.roster(count)
        self.assertEqual(max(rendered), PRESENCE_LIMIT + 1)
        self.tell()
        self.assertEqual(self.room.roster(count).count(b","), 2 * PRESENCE_LIMIT - 1)

    def test_roster(self) -> None:
        """Whoever comes into a small room is given everybody's name, sorted."""
        for name in ["carol", "ann", "bob"]:
            self.enter(name)
            self.assertIn(name.encode(), self.room.roster(joined))
        self.assertEqual(list(self.room.names), ["ann", "bob", "carol"])
