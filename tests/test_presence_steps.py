"""Who comes, goes and changes, told in steps: at once while there is budget, else together; and before it is spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import HeldStore, Reactor, now
from tests.onlookers import Onlooker
from twistedchat.hub import Hub
from twistedchat.records import Change
from twistedchat.rooms.announce import LINES_A_SECOND, PAGE_SECONDS
from twistedchat.rooms.audience import SMALL_ROOM
from twistedchat.rooms.ring import MAX_STEPS, PAGE_BYTES
from twistedchat.rooms.steps import StepKind, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.rooms.steps import Run, Step


class Watcher(Onlooker):
    """An onlooker that keeps what it was told.

    Attributes:
        runs: Of each send the steps.
    """

    def __init__(self, hub: Hub, name: str) -> None:
        self.runs: list[Sequence[Step]] = []
        super().__init__(hub, name)

    @override
    def show_steps(self, room: str, run: Run, known: Sequence[int]) -> bool:
        if not super().show_steps(room, run, known):
            return False
        self.runs.append([step for index, step in enumerate(run.steps) if index not in known])
        self.heard += [f"{step.kind} {step.who}" for step in self.runs[-1]]
        return True


class StepsCase(SynchronousTestCase):
    """A server, and ann, who looks on in two rooms."""

    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.hub = Hub(HeldStore(self.clock.seconds), self.clock, wall=self.clock.seconds)
        now(self.hub.open())
        self.ann = Watcher(self.hub, "ann")
        for room in ("den", "hall"):
            self.ann.join(room)

    def come(self, name: str, *rooms: str) -> Onlooker:
        one = Onlooker(self.hub, name)
        for room in rooms or ("den",):
            one.join(room)
        return one

    def spend(self) -> None:
        """There is no budget left at the moment."""
        while self.hub.announcer.spend(1):
            self.hub.announcer.spend(LINES_A_SECOND // 4)

    def told(self) -> list[str]:
        """What ann was told since the last time."""
        told, self.ann.heard = self.ann.heard, []
        return told

    def say(self, one: Onlooker, text: str = "hi") -> None:
        one.session.say("den", text, one)
        self.clock.advance(0)
        self.clock.advance(0)

    def check(self, *people: Onlooker) -> None:
        """What people know is so."""
        for one in people:
            for name in one.session.rooms:
                room = self.hub.rooms.get(name)
                assert room is not None
                self.assertEqual(one.known[name], {each: room.charter.rank(each) for each in room.presence.names})


class AtOnceTests(StepsCase):
    def test_once(self) -> None:
        """Who shares several rooms is told once of a new name, of what is true everywhere, and of an end."""
        bob = self.come("bob", "den", "hall")
        self.told()
        bob.rename("bea")
        bob.session.set_profile(bob.session.profile._replace(away="out", real="Bea"))
        bob.session.close()
        self.assertEqual(self.told(), ["nick bob", "away bea", "setname bea", "quit bea"])
        self.check(self.ann)

    def test_not_to_oneself(self) -> None:
        """Whoever does something is not told of it."""
        self.ann.rename("anna")
        self.ann.mode("den", [Change("+", "t")])
        self.ann.leave("hall")
        self.assertEqual(self.ann.runs, [])

    def test_budget(self) -> None:
        """What would be more than the budget of a second is told together a second after it began, once."""
        self.spend()
        people = [self.come(f"p{number}") for number in range(5)]
        people[0].session.close()
        self.assertEqual(self.told(), [])
        self.clock.advance(PAGE_SECONDS)
        self.assertEqual(self.told(), [f"join p{number}" for number in range(1, 5)])
        self.assertEqual(self.ann.sends, 1)
        self.check(self.ann, *people[1:])
        self.come("late")
        self.assertEqual(self.told(), ["join late"])

    def test_other_nodes(self) -> None:
        """Coming and going elsewhere is told as steps of the room, with parting words."""
        self.hub.set_others("den", ["zoe", "yan"])
        self.hub.set_others("den", ["yan"], left=[("zoe", "bye")])
        self.assertEqual(self.told(), ["join yan", "join zoe", "part zoe"])
        self.assertEqual(self.ann.runs[-1][0].text, "bye")
        self.hub.set_others("den", ["yves"], renamed=[("yan", "yves")])
        self.check(self.ann)


class SpeakerTests(StepsCase):
    def test_gathered(self) -> None:
        """Whoever speaks has been told of before, with all that happened before it came; in a large room, too."""
        for people in (3, SMALL_ROOM + 10):
            for number in range(people):
                self.come(f"q{people}-{number}")
            self.spend()
            self.come(f"early{people}")
            bob = self.come(f"bob{people}")
            self.come(f"after{people}")
            self.told()
            self.say(bob)
            self.assertEqual(self.told(), [f"join early{people}", f"join bob{people}", "shown hi"])
            self.clock.advance(PAGE_SECONDS)
            self.assertEqual(self.told(), [f"join after{people}"])
        self.check(self.ann)

    def test_known_speaker(self) -> None:
        """For somebody who has been there nobody is told earlier."""
        bob = self.come("bob")
        self.spend()
        self.come("cat")
        self.told()
        self.say(bob)
        self.assertEqual(self.told(), ["shown hi"])

    def test_drained(self) -> None:
        """Who took nothing is told who came before it is shown what they said."""
        self.ann.full = True
        bob = self.come("bob")
        self.say(bob)
        self.ann.drain()
        self.assertEqual(self.told(), ["join bob", "shown hi"])

    def test_drained_while_gathered(self) -> None:
        """So is it, if nobody else has been told of the speaker yet."""
        self.spend()
        self.ann.full = True
        bob = self.come("bob")
        bob.session.say("den", "hi", bob)
        room = self.hub.rooms.get("den")
        assert room is not None
        self.clock.advance(0)
        self.ann.full = False
        self.hub.catch_up.bring_forward(room, next(m for m in room.audience.stepwise if m.name == "ann"))
        self.clock.advance(0)
        self.assertEqual(self.told(), ["join bob", "shown hi"])


class TogetherTests(StepsCase):
    def test_right_whatever_was_told_elsewhere(self) -> None:
        """Somebody who went, was told gone in another room, and came again, is told as one who went and came."""
        bob = self.come("bob", "den", "hall")
        self.spend()
        self.come("cat", "den")
        self.clock.advance(PAGE_SECONDS / 2)
        self.told()
        bob.session.close()
        self.assertEqual(self.told(), ["quit bob"])
        bob = self.come("bob", "den", "hall")
        self.assertEqual(self.told(), ["join bob"])
        self.clock.advance(PAGE_SECONDS / 2)
        self.assertEqual(self.told(), ["part bob", "join cat", "join bob"])
        self.check(self.ann, bob)

    def test_ranks(self) -> None:
        """Whoever has come is shown with its rank; of those who were there, the changes are."""
        bob = self.come("bob")
        self.spend()
        self.come("cat")
        self.ann.mode("den", [Change("+", "o", "bob")])
        bob.mode("den", [Change("+", "v", "cat"), Change("+", "o", "cat"), Change("+", "s")])
        self.clock.advance(PAGE_SECONDS)
        come, changed = self.ann.runs[-1]
        self.assertEqual((come.who, come.rank), ("cat", "ov"))
        self.assertEqual((changed.who, list(changed.changes)), ("bob", [Change("+", "s")]))
        self.check(self.ann, bob)

    def test_last_of_each(self) -> None:
        """Of what somebody says about itself the last counts; of who came meanwhile it is told with its coming."""
        bob = self.come("bob")
        self.spend()
        cat = self.come("cat")
        for one in (bob, cat):
            for away in ("one", "two"):
                one.session.set_profile(one.session.profile._replace(away=away))
        self.clock.advance(PAGE_SECONDS)
        come, last = self.ann.runs[-1]
        self.assertEqual((come.kind, come.who, come.profile and come.profile.away), (StepKind.JOIN, "cat", "two"))
        self.assertEqual((last.kind, last.who, last.text), (StepKind.AWAY, "bob", "two"))

    def test_forgotten(self) -> None:
        """Who was not told more than is remembered is shown anew who is there, and then goes on."""
        bob = self.come("bob")
        self.ann.full = True
        for number in range(MAX_STEPS // 2 + 1):
            bob.rename(f"b{number}")
            bob.leave("den")
            bob.join("den")
        self.ann.drain()
        self.assertEqual((self.ann.anew, self.ann.sends), (1, 1))
        self.check(self.ann)
        self.clock.pump([PAGE_SECONDS] * 2)
        self.come("cat")
        self.assertEqual(self.ann.lines, 2)
        self.check(self.ann)

    def test_remembered_no_longer_than_needed(self) -> None:
        """When everybody has been told, nothing of it is kept."""
        room = self.hub.rooms.get("den")
        assert room is not None
        self.ann.full = True
        self.come("bob").session.close()
        self.assertEqual(room.presence.ring.last - room.presence.ring.first, 2)
        self.ann.drain()
        self.come("cat")
        self.assertEqual(room.presence.ring.last, room.presence.ring.first)

    def test_lost(self) -> None:
        """For somebody whose connection is lost nothing is kept."""
        lost = Onlooker(self.hub, "")
        now(lost.session.enter("lost", resumable=True))
        lost.join("den")
        lost.session.lose()
        self.come("bob")
        self.come("cat")
        room = self.hub.rooms.get("den")
        assert room is not None
        self.assertEqual(room.presence.ring.last, room.presence.ring.first)


class CrowdTests(StepsCase):
    def test_a_thousand(self) -> None:
        """A thousand who come at once are told to each in a few sends, and no page is larger than it may be."""
        people = [self.ann, *(self.come(f"p{number}") for number in range(1000))]
        self.clock.pump([PAGE_SECONDS / 10] * 60)
        self.check(*people)
        before = self.ann.lines
        self.assertEqual(before, 1000)
        page_count = self.ann.sends - sum(len(run) == 1 for run in self.ann.runs)
        self.assertLessEqual(page_count, 5)
        self.assertLess(sum(one.sends for one in people), LINES_A_SECOND + 8 * len(people))
        for run in self.ann.runs:
            self.assertLessEqual(sum(map(size, run)), PAGE_BYTES)

    def test_one_who_comes_late(self) -> None:
        """Who comes into a large room that is gathering gets the names as of a while ago, with itself, and the rest."""
        for number in range(SMALL_ROOM + 10):
            self.come(f"p{number}")
        self.spend()
        first, second = self.come("first"), self.come("second")
        self.assertEqual("first" in second.known["den"], True)
        self.assertEqual("second" in second.known["den"], True)
        self.clock.advance(PAGE_SECONDS)
        self.check(self.ann, first, second)
