from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.rooms.cases import JSON, PLAIN, RoomTestCase, Screen, events, seqs
from twistedchat.formats.base import PAGE_BYTES
from twistedchat.formats.plain import PlainFormat
from twistedchat.rooms.audience import GONE, Member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from twistedchat.events import Event

NUMBERED = PlainFormat(numbered=True)


class DealTestCase(RoomTestCase):
    """Every test runs with both ways of dealing."""

    def deal(self, new: Sequence[Event]) -> None:
        self.room.extend(new)
        for _ in self.room.audience.deal(new):
            pass

    def deal_now(self, new: Sequence[Event]) -> None:
        self.room.extend(new)
        self.room.audience.deal_now(new)

    @property
    def ways(self) -> Iterator[Callable[[Sequence[Event]], None]]:
        """Both, each in a new room."""
        for way in (self.deal, self.deal_now):
            self.room = self.make_room()
            yield way


class DealTests(DealTestCase):
    def test_everybody(self) -> None:
        """New events go to everybody, in every format, and the members stand at the last."""
        for say in self.ways:
            members = [self.enter("ann"), self.enter("bob"), self.enter("carol", PLAIN), self.enter("dan", NUMBERED)]
            say(events(1, 3))
            self.assertEqual([seqs(screen) for _, screen in members[:2]], [[1, 2, 3]] * 2)
            self.assertEqual([screen.text.count("\n") for _, screen in members[2:]], [3, 3])
            self.assertEqual([member.cursor for member, _ in members], [3] * 4)

    def test_rendered_once(self) -> None:
        """All who read a format get the same bytes, made once."""
        for say in self.ways:
            screens = [self.enter(f"p{number}", NUMBERED)[1] for number in range(3)]
            say(events(1, 2))
            self.assertEqual(len({id(screen.shown[0]) for screen in screens}), 1)

    def test_who_is_behind(self) -> None:
        """Whoever takes no more stays where it is, is not shown what follows, and delays nobody."""
        for say in self.ways:
            (slow, screen), (_, other) = self.enter("slow"), self.enter("other")
            screen.full = True
            say(events(1, 1))
            screen.full = False
            say(events(2, 2))
            self.assertEqual((slow.cursor, seqs(screen), seqs(other)), (0, [], [1, 2]))

    def test_nothing_is_shown_to(self) -> None:
        """Who has left, or whose connection is lost, is passed over."""
        for say in self.ways:
            (left, left_screen), (lost, lost_screen) = self.enter("left"), self.enter("lost")
            self.leave(left)
            lost.outlet, lost.cursor = None, GONE
            say(events(1, 1))
            self.assertEqual((left.cursor, lost.cursor), (GONE, GONE))
            self.assertEqual(left_screen.shown + lost_screen.shown, [])

    def test_large_batch(self) -> None:
        """A batch that is larger than a page goes out in several, each within the limit, in order and whole."""
        for say in self.ways:
            screens = [self.enter("ann")[1], self.enter("bob")[1]]
            say(events(1, 100, "x" * 4000))
            for screen in screens:
                self.assertEqual(seqs(screen), list(range(1, 101)))
                self.assertLessEqual(max(map(len, screen.shown)), PAGE_BYTES)

    def test_full_in_the_middle(self) -> None:
        """Whoever takes one page and not the next stands between them."""

        class Small(Screen):
            @override
            def show_presence(self, data: bytes) -> bool:
                taken = super().show_presence(data)
                self.full = True
                return taken

        for say in self.ways:
            member, screen = Member("ann", small := Small(), JSON, 0), small
            self.room.audience.add(member)
            say(events(1, 100, "x" * 4000))
            self.assertEqual(len(screen.shown), 1)
            self.assertEqual(member.cursor, seqs(screen)[-1])


class BetweenStretchesTests(RoomTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.members = [self.enter(f"p{number}") for number in range(200)]
        self.room.extend(events(1, 1))
        self.showing = self.room.audience.deal(events(1, 1))
        next(self.showing)
        self.waiting = [(member, screen) for member, screen in self.members if not screen.shown]
        self.assertTrue(0 < len(self.waiting) < 200)

    def test_changes(self) -> None:
        """Who leaves in the middle is shown nothing, and who was brought forward nothing twice."""
        (leaver, leaver_screen), (eager, eager_screen) = self.waiting[:2]
        self.leave(leaver)
        self.room.audience.show(eager, JSON.page(events(1, 1)))
        list(self.showing)
        self.assertEqual((seqs(leaver_screen), seqs(eager_screen)), ([], [1]))
        self.assertEqual(sum(len(screen.shown) for _, screen in self.members), 199)

    def test_newcomer(self) -> None:
        """Who comes in the middle and stands at the end is shown nothing of what is being shown."""
        _, screen = self.enter("late")
        list(self.showing)
        self.assertEqual(screen.shown, [])
        self.assertEqual([len(screen.shown) for _, screen in self.members], [1] * 200)

    def test_another_format(self) -> None:
        """Who changes its format in the middle is shown each event at most once, and its cursor tells which."""
        for number, (member, _) in enumerate(self.members):
            self.room.audience.reformat(member, (PLAIN, NUMBERED)[number % 2])
        list(self.showing)
        for member, screen in self.members:
            self.assertEqual(screen.text.count("\n"), member.cursor)

    def test_everybody_leaves(self) -> None:
        """When nobody is left the rest of the showing does nothing."""
        for member, _ in self.members:
            self.leave(member)
        list(self.showing)
        self.assertEqual((self.room.audience.count, list(self.room.audience.members)), (0, []))


class BrokenOutletTests(DealTestCase):
    def test_the_others(self) -> None:
        """An outlet that raises is dropped alone: those before and behind it are shown everything."""
        for say in self.ways:
            self.reported.clear()
            members = [self.enter(f"p{number}", (JSON, PLAIN)[number > 2]) for number in range(5)]
            broken, broken_screen = members.pop(1)
            broken_screen.broken = True
            say(events(1, 2))
            say(events(3, 3))
            self.assertEqual([member.cursor for member, _ in members], [3] * 4)
            self.assertEqual([screen.text.count("\n") for _, screen in members], [3] * 4)
            self.assertEqual((broken.outlet, broken.cursor), (None, GONE))
            # Once for what it was shown, and once because it raises at being told so, too.
            self.assertEqual((broken_screen.told, self.reported), (["fault"], ["p1", "p1"]))

    def test_leaves_at_once(self) -> None:
        """An outlet that leaves the room when it is told that it is at fault disturbs nobody."""

        class Leaver(Screen):
            @override
            def show_presence(self, data: bytes) -> bool:
                raise ZeroDivisionError

            @override
            def fault(_) -> None:  # noqa: N805  the test is self
                self.leave(leaver)

        for say in self.ways:
            leaver = Member("leaver", Leaver(), PLAIN, 0)
            self.room.audience.add(leaver)
            screens = [self.enter("ann", PLAIN)[1], self.enter("bob", JSON)[1]]
            say(events(1, 3))
            self.assertEqual([screen.text.count("\n") for screen in screens], [3, 3])
            self.assertEqual(self.room.audience.count, 2)

    def test_wherever_it_raises(self) -> None:
        """So it is with a page, with presence and with the word that it has seen everything."""
        audience = self.room.audience
        for use in (
            lambda member: audience.show(member, JSON.page(events(1, 1))),
            lambda member: audience.show_presence(member, b"x"),
            lambda member: audience.caught_up(member, "lobby"),
        ):
            member, screen = self.enter("ann")
            screen.broken = True
            self.assertFalse(use(member))
            self.assertEqual((screen.told, member.outlet, member.cursor), (["fault"], None, GONE))
            self.assertFalse(use(member))


class MembersTests(RoomTestCase):
    def test_count(self) -> None:
        """Everybody is a member once, whatever the format."""
        ann, _ = self.enter("ann")
        self.enter("bob", PLAIN)
        self.room.audience.reformat(ann, NUMBERED)
        self.room.audience.reformat(ann, PlainFormat(numbered=True))
        self.assertEqual(sorted(member.name for member in self.room.audience.members), ["ann", "bob"])
        self.leave(ann)
        self.assertEqual((self.room.audience.count, ann.cursor), (1, GONE))

    def test_reformatted(self) -> None:
        """From then on it is shown the room in the new format."""
        ann, screen = self.enter("ann")
        self.say(events(1, 1))
        self.room.audience.reformat(ann, NUMBERED)
        self.say(events(2, 2))
        self.assertEqual(json.loads(screen.shown[0])["seq"], 1)
        self.assertIn(b" 2] ann: hi", screen.shown[1])
