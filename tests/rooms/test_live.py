from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from typing_extensions import override

from tests.drafts import draft
from tests.fakes import HeldStore, Reactor, now
from tests.rooms.cases import RoomTestCase
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.rooms.live import LiveRooms
from twistedchat.stores.base import RoomSummary, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.rooms.room import Room


class SlowStore(HeldStore):
    """A store that may be slow, or fail, at looking a room up."""

    failing = False
    slow: list[Deferred[None]] | None = None

    @override
    async def room(self, name: str) -> RoomSummary:
        summary = await super().room(name)
        if self.slow is not None:
            answer: Deferred[None] = Deferred()
            self.slow.append(answer)
            await answer
        if self.failing:
            raise StoreError("The disk is on fire.")
        return summary

    @override
    async def rooms(self, after: str = "", limit: int = 1000) -> Sequence[RoomSummary]:
        if self.failing:
            raise StoreError("The disk is on fire.")
        return await super().rooms(after, limit)


class LiveRoomsTests(RoomTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.store = SlowStore(Reactor().seconds)
        self.store.fill([draft("Old", Kind.TOPIC, "ann", "tea"), draft("Old", Kind.SAY, "ann", "hi")])
        self.rooms = LiveRooms(self.store, lambda summary: self.make_room(summary.name, seq=summary.seq))

    def open(self, name: str) -> Room:
        room = now(self.rooms.open(name))
        room.entering -= 1
        return room

    def test_from_the_store(self) -> None:
        """A room is opened as the store knows it, under its kept spelling, and then found by any that counts as it."""
        room = self.open("old")
        self.assertEqual((room.name, room.seq), ("Old", 2))
        self.assertIs(self.open("0ld"), room)
        self.assertEqual((self.rooms.get("Old"), self.rooms.get("old"), self.rooms.find("OLD")), (room, None, room))
        self.assertEqual(list(self.rooms), [room])

    def test_new(self) -> None:
        """A room that nobody knows is opened under the name that was asked for."""
        room = self.open("New")
        self.assertEqual((room.name, room.seq), ("New", 0))
        self.assertIs(self.open("new"), room)

    def test_at_the_same_time(self) -> None:
        """Those who enter at the same time, by whatever spelling, are in one room; each counts as entering."""
        for spellings in (("Old", "old", "0LD"), ("fresh", "Fresh", "FRESH")):
            self.store.slow = []
            opened = [Deferred.fromCoroutine(self.rooms.open(name)) for name in spellings]
            for answer in self.store.slow:
                answer.callback(None)
            rooms = {self.successResultOf(one) for one in opened}
            self.assertEqual([room.entering for room in rooms], [3])

    def test_forgotten(self) -> None:
        """A room that is forgotten is not found, holds nothing, and is opened anew."""
        room = self.open("old")
        self.enter("ann")
        self.rooms.forget(room)
        self.assertEqual((self.rooms.find("old"), list(self.rooms)), (None, []))
        another = self.open("old")
        self.assertIsNot(another, room)
        self.rooms.forget(room)
        self.assertIs(self.rooms.find("old"), another)

    def test_not_readable(self) -> None:
        """When the store fails it is said so, and no room is left half open."""
        self.store.failing = True
        for ask in (self.rooms.open("old"), self.rooms.summary("old"), self.rooms.stored("", 10)):
            with self.assertRaises(ChatError) as caught:
                now(ask)
            self.assertEqual(caught.exception.code, "not-readable")
            self.assertNotIn("fire", caught.exception.text)
        self.assertEqual((list(self.rooms), self.rooms.find("old")), ([], None))


class PrepareTests(RoomTestCase):
    """A room that has become live is prepared before anybody enters."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.preparing: list[Deferred[None]] = []
        self.rooms = LiveRooms(
            HeldStore(Reactor().seconds), lambda summary: self.make_room(summary.name), lambda _: self.prepare()
        )

    async def prepare(self) -> None:
        answer: Deferred[None] = Deferred()
        self.preparing.append(answer)
        await answer

    def open(self, name: str = "tea") -> Deferred[Room]:
        return Deferred.fromCoroutine(self.rooms.open(name))

    def test_all_wait(self) -> None:
        """Whoever enters meanwhile waits, too; it is prepared once, and whoever comes later does not wait."""
        opened = [self.open(name) for name in ("tea", "Tea", "TEA")]
        for each in opened:
            self.assertNoResult(each)
        [answer] = self.preparing
        answer.callback(None)
        rooms = {self.successResultOf(each) for each in [*opened, self.open()]}
        self.assertEqual([room.entering for room in rooms], [4])

    def test_fails(self) -> None:
        """If it can't be prepared nobody enters, the room is forgotten, and prepared anew for who comes next."""
        opened = [self.open(), self.open()]
        self.preparing.pop().errback(ChatError("not-ready", "Later."))
        for each in opened:
            self.assertEqual(self.failureResultOf(each, ChatError).value.code, "not-ready")
        self.assertEqual(list(self.rooms), [])
        again = self.open()
        self.preparing.pop().callback(None)
        self.assertEqual(self.successResultOf(again).entering, 1)

    def test_one_is_gone(self) -> None:
        """Who is lost meanwhile, the first or another one, is not waited for; the others enter."""
        for gone in (0, 1):
            opened = [self.open(), self.open()]
            lost = opened.pop(gone)
            lost.cancel()
            self.failureResultOf(lost, CancelledError)
            self.preparing.pop().callback(None)
            room = self.successResultOf(opened[0])
            self.assertEqual(room.entering, 1)
            room.entering = 0
            self.rooms.forget(room)

    def test_all_are_gone(self) -> None:
        """When all are lost meanwhile the room is forgotten; whoever comes then has it prepared anew."""
        opened = [self.open(), self.open()]
        for each in opened:
            each.cancel()
            self.failureResultOf(each, CancelledError)
        self.assertEqual(list(self.rooms), [])
        again = self.open()
        first, second = self.preparing
        first.callback(None)
        self.assertNoResult(again)
        second.callback(None)
        self.assertEqual(list(self.rooms), [self.successResultOf(again)])


class ListingTests(RoomTestCase):
    def test_asked_once_for_all(self) -> None:
        """Whoever asks for the same part of the list meanwhile gets the same answer, also if one of them is gone."""
        answers: list[Deferred[list[RoomSummary]]] = []

        class Slow(HeldStore):
            @override
            async def rooms(self, after: str = "", limit: int = 9) -> list[RoomSummary]:
                answers.append(Deferred())
                return await answers[-1]

        live = LiveRooms(Slow(Reactor().seconds), lambda _: self.fail("no room is opened"))
        asked = [Deferred.fromCoroutine(live.stored("", 9)) for _ in range(3)]
        asked[1].cancel()
        self.failureResultOf(asked[1], CancelledError)
        [answer] = answers
        answer.callback([RoomSummary("lobby", 1, 1, "")])
        for each in (asked[0], asked[2]):
            self.assertEqual([room.name for room in self.successResultOf(each)], ["lobby"])
        again = Deferred.fromCoroutine(live.stored("", 9))
        answers[-1].errback(StoreError("broken"))
        self.failureResultOf(again, ChatError)
