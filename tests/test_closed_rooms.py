"""Rooms that are closed: the store knows it, and their log is put away when the last member has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from typing_extensions import override

from tests.ear import Ear
from tests.fakes import HeldStore, now
from tests.test_ruler import RulerTestCase
from tests.test_session import FORMAT
from twistedchat.events import Kind
from twistedchat.records import Change
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twistedchat.session import Session


class ShutStore(HeldStore):
    """A store that says what it is told of closed rooms, and may be slow, or fail, at it.

    Attributes:
        told: What it was told.
        failing: Whether it fails.
        slow: What waits, if it is slow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.told: list[str] = []
        self.failing = False
        self.slow: list[Deferred[None]] | None = None

    @override
    async def shut(self, room: str, *, is_shut: bool) -> None:
        await self._tell(f"{room} is {'shut' if is_shut else 'open'}")
        await super().shut(room, is_shut=is_shut)

    @override
    async def put_away(self, room: str) -> None:
        await self._tell(f"{room} is put away")
        await super().put_away(room)

    async def _tell(self, what: str) -> None:
        if self.slow is not None:
            done: Deferred[None] = Deferred()
            self.slow.append(done)
            await done
        if self.failing:
            raise StoreError("The disk is on fire.")
        self.told.append(what)

    def go_on(self) -> None:
        slow, self.slow = self.slow or [], None
        for one in slow:
            one.callback(None)


class ClosedTestCase(RulerTestCase):
    """#den is closed by a key, and something was said there."""

    @override
    def make_store(self) -> ShutStore:
        return ShutStore(self.clock.seconds)

    @property
    def shut_store(self) -> ShutStore:
        assert isinstance(self.store, ShutStore)
        return self.store

    @override
    def setUp(self) -> None:
        super().setUp()
        self.mode(self.ann, "+k tea")
        self.ann.say("den", "a secret", self.ear, kind=Kind.TOPIC)
        self.ann.say("den", "another", self.ear)
        self.clock.advance(0)

    def leave(self) -> None:
        for session in (self.ann, self.bob):
            session.leave("den")

    def joining(self, session: Session, key: str = "") -> Deferred[object]:
        return Deferred.fromCoroutine(session.join("den", FORMAT, key=key))


class MarkTests(ClosedTestCase):
    def test_shut_before_it_is_closed(self) -> None:
        """The store knows that a room is closed before anybody does, and knows when the last such rule is lifted."""
        self.assertEqual(self.shut_store.told, ["den is shut"])
        self.mode(self.ann, "+i", "-k", "+s", "+m")
        self.mode(self.ann, "-s", "-m")
        self.assertEqual(self.shut_store.told, ["den is shut"])
        self.mode(self.ann, "-i")
        self.assertEqual(self.shut_store.told, ["den is shut", "den is open"])

    def test_not_closed_at_all(self) -> None:
        """A rule that is refused closes nothing, and the store knows it."""
        self.mode(self.ann, "-k")
        self.assertEqual(self.mode(self.ann, "+k a,b"), ["bad-key"])
        self.assertEqual(self.shut_store.told[2:], ["den is shut", "den is open"])

    def test_other_rules(self) -> None:
        """Of other rules the store knows nothing."""
        self.mode(self.ann, "-k")
        self.mode(self.ann, "+m", "-n", "+b eve", "+l 3", "+v bob")
        self.assertEqual(len(self.shut_store.told), 2)

    def test_store_fails(self) -> None:
        """A room that the store can't mark is not closed, and whoever wanted it is told."""
        self.mode(self.ann, "-k")
        self.shut_store.failing = True
        self.assertEqual(self.refusal(self.ann.mode("den", [Change("+", "i")])), "not-stored")
        self.assertEqual(self.ann.rules("den").flags, "n")

    def test_rank_lost_meanwhile(self) -> None:
        """Whoever is no op any more when the store has answered changes nothing, and the mark goes."""
        self.mode(self.ann, "-k", "+o bob")
        self.shut_store.slow = []
        closing = Deferred.fromCoroutine(self.ann.mode("den", [Change("+", "i")]))
        self.ann.leave("den")
        self.shut_store.go_on()
        self.failureResultOf(closing)
        self.assertEqual((self.bob.rules("den").flags, self.shut_store.told[-1]), ("n", "den is open"))

    def test_connection_lost_meanwhile(self) -> None:
        """Nothing is changed for a connection that is lost when the store answers."""
        self.mode(self.ann, "-k")
        self.shut_store.slow = []
        closing = Deferred.fromCoroutine(self.ann.mode("den", [Change("+", "i")]))
        self.ann.lose()
        self.shut_store.go_on()
        self.failureResultOf(closing)
        self.assertEqual((self.bob.rules("den").flags, self.shut_store.told[-1]), ("n", "den is open"))


class EndTests(ClosedTestCase):
    def test_put_away(self) -> None:
        """When the last member leaves, the log is put away, and the room is open from then on."""
        self.ann.leave("den")
        self.assertNotIn("den is put away", self.shut_store.told)
        self.bob.leave("den")
        self.assertEqual(self.shut_store.told[-1], "den is put away")
        joined = self.join(self.eve, "den", 0)
        self.eve.say("den", "a new word", self.ears["eve"])
        self.clock.advance(1)
        self.assertEqual((self.eve.rules("den").key, joined.topic, joined.seq), ("", "", 2))
        self.assertEqual(self.ears["eve"].seqs["den"], [3])
        read = now(self.ann.history("den", limit=9)).events
        self.assertEqual([(event.seq, event.text) for event in read], [(3, "a new word")])

    def test_open_rooms(self) -> None:
        """The log of a room that is open again stays."""
        self.mode(self.ann, "-k")
        self.leave()
        self.assertEqual(self.shut_store.told, ["den is shut", "den is open"])

    def test_entering_meanwhile(self) -> None:
        """Whoever comes while the log is being put away waits, and is let in without the key."""
        self.shut_store.slow = []
        self.leave()
        joining = [self.joining(self.eve), self.joining(self.bob)]
        self.assertNoResult(joining[0])
        self.assertEqual(self.refusal(self.eve.history("den", limit=9)), "not-in-room")
        self.shut_store.go_on()
        for each in joining:
            self.successResultOf(each)
        self.assertEqual(self.eve.roster("den").count, 2)
        self.assertEqual(self.shut_store.told.count("den is put away"), 1)

    def test_what_waits_is_put_away_too(self) -> None:
        """What the last member has said, and is not stored yet, is put away along with the rest."""
        self.store.holding = True
        self.bob.say("den", "the last word", Ear())
        self.clock.advance(0)
        self.leave()
        joining = self.joining(self.eve)
        self.assertNotIn("den is put away", self.shut_store.told)
        self.store.release()
        self.clock.advance(1)
        self.assertEqual(self.shut_store.told[-1], "den is put away")
        self.successResultOf(joining)

    def test_lost_meanwhile(self) -> None:
        """Whoever waits and is gone leaves nothing behind; the others go on."""
        self.shut_store.slow = []
        self.leave()
        first, second = self.joining(self.eve), self.joining(self.bob)
        first.addErrback(lambda _: None)
        first.cancel()
        self.shut_store.go_on()
        self.successResultOf(second)
        self.assertEqual(list(self.bob.roster("den").names), ["bob"])

    def test_store_fails(self) -> None:
        """While the log can't be put away nobody enters, and whoever tries makes the store try again."""
        self.shut_store.failing = True
        self.leave()
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.assertEqual(self.refusal(self.eve.join("den", FORMAT)), "not-readable")
        self.assertEqual(self.refusal(self.eve.history("den", limit=9)), "not-in-room")
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.shut_store.failing = False
        self.join(self.eve, "den")
        self.assertEqual(self.shut_store.told[-1], "den is put away")

    def test_nothing_from_outside(self) -> None:
        """Nothing is said from outside in a room whose log is being put away."""
        self.mode(self.ann, "-n")
        self.shut_store.slow = []
        self.leave()
        self.assertEqual(self.speak(self.eve), "not-in-room")
