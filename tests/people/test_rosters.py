"""Who is in rooms on other nodes: read when it has changed, not too often, and handed on with what was heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.people.asking import HeldAsking
from tests.reactor import Reactor
from twistedchat.people.rosters import GATHER_SECONDS, MAX_HINTS, Rosters
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from twistedchat.errors import ChatError
    from twistedchat.profiles import Profile
    from twistedchat.records import Change, Standing

LOST = StoreError("The cable is cut.")
CROWD = [f"p{number}" for number in range(10_000)]


class Rooms:
    """A server that is told who is in its rooms elsewhere."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[str], list[tuple[str, str]], list[tuple[str, str]]]] = []

    def set_others(
        self,
        room: str,
        names: Collection[str],
        *,
        renamed: Iterable[tuple[str, str]] = (),
        left: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.told.append((room, [*names], [*renamed], [*left]))

    def heads(self) -> Iterator[tuple[str, int, int]]:
        return iter(())

    def heard(self, room: str, head: int) -> None:
        """Rosters are not lines."""

    def set_rules(self, room: str, standing: Standing, hints: Sequence[tuple[str, Sequence[Change]]]) -> None:
        """No rules change here."""

    def seen_anew(self, name: str, before: Profile, now: Profile, rooms: Collection[str]) -> None:
        """Nor how people are seen."""

    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        """Nor signals."""

    def cut_off(self, error: ChatError) -> None:
        """Nor leases."""

    def joined_up(self) -> None:
        """Likewise."""

    def log_lost(self, room: str, head: int, at: int) -> None:
        """Likewise."""


class RostersTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.asking = HeldAsking()
        self.home = Rooms()
        self.rosters = Rosters(self.asking, self.clock)
        self.rosters.open(self.home)
        self.watch("lobby")

    def watch(self, room: str) -> None:
        """Somebody here is about to be in that room."""
        looked = Deferred.fromCoroutine(self.rosters.look(room))
        self.assertEqual(self.asking.look(), [("roster", room)])
        self.asking.answer([(room, 1, ["ann"])])
        self.assertEqual([*self.successResultOf(looked)], ["ann"])

    def due(self) -> list[tuple[object, ...]]:
        """What is asked, as soon as that is due."""
        self.clock.advance(GATHER_SECONDS)
        return self.asking.look()

    def told(self) -> list[tuple[str, list[str], list[tuple[str, str]], list[tuple[str, str]]]]:
        told, self.home.told = self.home.told, []
        return told

    def test_read(self) -> None:
        """What has changed within a moment is read at once for all rooms, and handed on."""
        self.watch("tea")
        self.rosters.heard(["lobby", "other"], [], [])
        self.rosters.changed(["tea"])
        self.assertEqual(self.due(), [("roster", "lobby", "tea")])
        self.asking.answer([("lobby", 2, ["bob"]), ("tea", 2, [])])
        self.assertEqual(self.told(), [("lobby", ["bob"], [], []), ("tea", [], [], [])])
        self.assertEqual((self.due(), self.rosters.versions), ([], {"lobby": 2, "tea": 2}))

    def test_rooms_of_others(self) -> None:
        """Rooms that nobody here is in are not read."""
        self.rosters.heard(["other"], [("a", "b")], [("other", "c", "bye")])
        self.rosters.changed(["other"])
        self.assertEqual((self.due(), self.told()), ([], []))

    def test_changed_while_reading(self) -> None:
        """What changes while it is read is read again afterwards, not at the same time."""
        self.rosters.changed(["lobby"])
        self.assertEqual(self.due(), [("roster", "lobby")])
        self.rosters.changed(["lobby"])
        self.assertEqual(self.due(), [])
        self.asking.answer([("lobby", 2, ["bob"])])
        self.assertEqual(self.asking.look(), [])
        self.assertEqual(self.due(), [("roster", "lobby")])

    def test_changed_while_reading_again(self) -> None:
        """So it is when the read under way is itself one that had to wait."""
        self.rosters.changed(["lobby"])
        self.due()
        self.rosters.changed(["lobby"])
        self.asking.answer([("lobby", 2, ["bob"])])
        self.assertEqual(self.due(), [("roster", "lobby")])
        self.rosters.changed(["lobby"])
        self.assertEqual(self.due(), [])
        self.asking.answer([("lobby", 3, ["bob"])])
        self.assertEqual(self.due(), [("roster", "lobby")])

    def test_crowd(self) -> None:
        """While thousands come in they are read a few times a second, not for each who comes."""
        reads = 0
        for _ in range(100):
            self.rosters.heard(["lobby"], [], [])
            if self.due():
                reads += 1
                self.asking.answer([("lobby", reads, CROWD)])
        self.assertIn(reads, range(2, 12))

    def test_hints(self) -> None:
        """Renames and parting words are handed on with the roster that they belong to, once."""
        self.watch("tea")
        self.rosters.heard(["lobby", "tea"], [("bob", "bea")], [("lobby", "cat", "bye"), ("tea", "dan", "so long")])
        self.due()
        self.asking.answer([("lobby", 2, ["bea"]), ("tea", 2, [])])
        self.assertEqual(
            self.told(),
            [
                ("lobby", ["bea"], [("bob", "bea")], [("cat", "bye")]),
                ("tea", [], [("bob", "bea")], [("dan", "so long")]),
            ],
        )
        self.rosters.changed(["lobby"])
        self.due()
        self.asking.answer([("lobby", 3, [])])
        self.assertEqual(self.told(), [("lobby", [], [], [])])

    def test_many_hints(self) -> None:
        """Not more than so many are kept: past it people come and go without words."""
        for number in range(MAX_HINTS + 10):
            self.rosters.heard(["lobby"], [(f"a{number}", f"b{number}")], [])
        self.due()
        self.asking.answer([("lobby", 2, [])])
        self.assertEqual([len(renamed) for _, _, renamed, _ in self.home.told], [MAX_HINTS])

    def test_not_readable(self) -> None:
        """A roster that can't be read stays as it was: its version tells the beat, and it is read when that says so."""
        self.rosters.changed(["lobby"])
        self.due()
        self.asking.fail(LOST)
        self.assertEqual((self.due(), self.told(), self.rosters.versions), ([], [], {"lobby": 1}))
        self.rosters.changed(["lobby"])
        self.assertEqual(self.due(), [("roster", "lobby")])

    def test_own_fault(self) -> None:
        """A fault of our own is logged, and rosters are read afterwards as before."""
        self.rosters.changed(["lobby"])
        self.due()
        self.asking.answer([("lobby",)])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.rosters.changed(["lobby"])
        self.assertEqual(self.due(), [("roster", "lobby")])

    def test_look_fails(self) -> None:
        """A room whose roster can't be read is not watched, unless it was."""
        for room in ("tea", "lobby"):
            looked = Deferred.fromCoroutine(self.rosters.look(room))
            self.asking.fail(LOST)
            self.failureResultOf(looked, StoreError)
        self.assertEqual(self.rosters.versions, {"lobby": 1})

    def test_looked_at_together(self) -> None:
        """Rooms that are looked at while a look is under way are the next question, each once."""
        looks = [Deferred.fromCoroutine(self.rosters.look(room)) for room in ("tea", "tea", "beer", "tea", "milk")]
        self.assertEqual(self.asking.look(), [("roster", "tea")])
        looks[4].addErrback(lambda _: None)
        looks[4].cancel()
        self.asking.answer([("tea", 1, ["bob"])])
        self.assertEqual(self.asking.look(), [("roster", "tea", "beer", "milk")])
        self.assertEqual([[*self.successResultOf(look)] for look in looks[:1]], [["bob"]])
        self.asking.answer([("tea", 2, []), ("beer", 1, ["eve"]), ("milk", 1, [])])
        self.assertEqual([[*self.successResultOf(look)] for look in looks[1:4]], [[], ["eve"], []])
        self.assertEqual(self.rosters.versions, {"lobby": 1, "tea": 2, "beer": 1})

    def test_looks_that_fail_together(self) -> None:
        """An error is told to all who wait for that answer, and to nobody else."""
        looks = [Deferred.fromCoroutine(self.rosters.look(room)) for room in ("tea", "beer", "milk")]
        self.asking.answer([("tea", 1, [])])
        self.asking.fail(LOST)
        self.assertEqual([*self.successResultOf(looks[0])], [])
        for look in looks[1:]:
            self.failureResultOf(look, StoreError)
        self.assertEqual(self.rosters.versions, {"lobby": 1, "tea": 1})

    def test_looks_together(self) -> None:
        """What is looked at while something else is, is looked at together, once; who is gone is not waited for."""
        looks = [Deferred.fromCoroutine(self.rosters.look(room)) for room in ("tea", "py", "lobby", "py")]
        self.assertEqual(self.asking.look(), [("roster", "tea")])
        self.asking.answer([("tea", 1, [])])
        self.assertEqual(self.asking.look(), [("roster", "py", "lobby")])
        looks[1].cancel()
        self.failureResultOf(looks[1], CancelledError)
        self.asking.answer([("py", 3, ["bob"]), ("lobby", 4, [])])
        self.assertEqual([[*self.successResultOf(looks[place])] for place in (0, 2, 3)], [[], [], ["bob"]])
        self.assertEqual(self.rosters.versions["lobby"], 4)
        self.assertEqual(self.asking.look(), [])

    def test_looks_fail_together(self) -> None:
        """If that fails each is told, and the next look asks again."""
        looks = [Deferred.fromCoroutine(self.rosters.look(room)) for room in ("tea", "py", "lobby")]
        self.asking.answer([("tea", 1, [])])
        self.asking.fail(LOST)
        for look in looks[1:]:
            self.failureResultOf(look, StoreError)
        self.assertEqual(self.rosters.versions, {"lobby": 1, "tea": 1})
        self.asking.look()
        self.watch("py")

    def test_glimpse(self) -> None:
        """The room glimpsed last is read, and again when it changes, though nobody here is in it."""
        self.assertEqual([*self.rosters.glimpse("tea")], [])
        self.assertEqual(self.due(), [("roster", "tea")])
        self.asking.answer([("tea", 1, ["bob"])])
        self.assertEqual(([*self.rosters.glimpse("tea")], self.due()), (["bob"], []))
        self.rosters.heard(["tea"], [], [])
        self.assertEqual(self.due(), [("roster", "tea")])
        self.asking.answer([("tea", 2, [])])
        self.assertEqual(([*self.rosters.glimpse("tea")], self.told()), ([], []))

    def test_forgotten(self) -> None:
        """A room that nobody here is in any more is not read."""
        self.rosters.changed(["lobby"])
        self.rosters.watch_only([])
        self.assertEqual((self.due(), self.rosters.versions), ([], {}))

    def test_closed(self) -> None:
        """What is closed reads nothing, and leaves nothing on the reactor."""
        self.rosters.changed(["lobby"])
        self.rosters.close()
        self.rosters.changed(["lobby"])
        self.assertEqual((self.due(), self.clock.getDelayedCalls()), ([], []))

    def test_closed_while_reading(self) -> None:
        """The same while a roster is on its way."""
        self.rosters.changed(["lobby"])
        self.due()
        self.rosters.close()
        self.asking.answer([("lobby", 2, [])])
        self.assertEqual(self.clock.getDelayedCalls(), [])
