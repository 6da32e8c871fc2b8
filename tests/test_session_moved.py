"""Sessions that come from another node, or go on there; and rooms that only others are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.ear import Ear
from tests.fakes import HeldStore, Reactor, now
from twistedchat.comeback import resume
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.hub import Hub
from twistedchat.people.base import LINGER_SECONDS, Arrival, Deed, DeedKind
from twistedchat.people.local import LocalPeople
from twistedchat.records import Change, Rule, Standing
from twistedchat.rooms.announce import GATHER_SECONDS
from twistedchat.rooms.charter import as_text
from twistedchat.session import Session
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from twistedchat.people.base import Named, Person
    from twistedchat.stores.base import RoomSummary

FORMAT = JsonFormat()


class NodePeople(LocalPeople):
    """The register of a node beside another one.

    Attributes:
        arrivals: Sessions that come here when their token is given.
        elsewhere: Who is in rooms on the other node.
        told: What the other node was told of rooms.
        fault: Why the other node can't be asked.
    """

    def __init__(self, clock: Reactor) -> None:
        super().__init__(clock)
        self.arrivals: dict[str, Arrival] = {}
        self.elsewhere: dict[str, list[str]] = {}
        self.standings: dict[str, Standing] = {}
        self.told: list[str] = []
        self.fault: ChatError | None = None

    @override
    async def resume(self, token: str) -> Person | Arrival | None:
        return self.arrivals.get(token) or await super().resume(token)

    @override
    def adopt(self, person: Person, arrival: Arrival) -> bool:
        if self.arrivals.pop(arrival.token, None) is None:
            return False
        self._names.claim(arrival.name, person)
        self._tokens[arrival.token] = person
        return True

    @override
    def entered(self, person: Named, room: str) -> None:
        self.told.append(f"{person.name} in {room}")

    @override
    def left(self, person: Named, room: str, why: str) -> None:
        self.told.append(f"{person.name} out of {room}")

    @override
    def amended(self, room: str, changes: Sequence[Change], by: str) -> None:
        self.told.append(f"{by or 'the server'} in {room}: {' '.join(as_text(changes, 400))}")

    @override
    async def who(self, room: str) -> Collection[str]:
        if self.fault is not None:
            raise self.fault
        return self.elsewhere.get(room, ())

    @override
    def standing(self, room: str) -> Standing | None:
        return self.standings.get(room)

    @override
    def glimpse(self, room: str) -> Collection[str]:
        return self.elsewhere.get(room, ())


class NodeStore(HeldStore):
    """A store that knows how many are in a room on the other node, and whose rooms may take time."""

    def __init__(self, clock: Reactor, people: NodePeople) -> None:
        super().__init__(clock.seconds)
        self._people = people
        self.waiting_rooms: list[Deferred[None]] | None = None

    @override
    async def room(self, name: str) -> RoomSummary:
        if self.waiting_rooms is not None:
            answer: Deferred[None] = Deferred()
            self.waiting_rooms.append(answer)
            await answer
        if self.fault is not None:
            raise self.fault
        summary = await super().room(name)
        return summary._replace(members=len(self._people.elsewhere.get(summary.name, ())))


class MovedTestCase(SynchronousTestCase):
    """Zoe is in #lobby, in which two lines were said; ann was at the other node, in #lobby and #tea."""

    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.people = NodePeople(self.clock)
        self.people.elsewhere = {"lobby": ["ann"], "tea": ["ann", "cat"]}
        self.people.arrivals = {"token": Arrival("ann", "token", ["lobby", "tea"])}
        self.store = NodeStore(self.clock, self.people)
        self.store.fill([draft("lobby", Kind.SAY, "cat", text) for text in ("one", "two")])
        self.hub = Hub(self.store, self.clock, wall=self.clock.seconds, people=self.people)
        now(self.hub.open())
        self.zoe_ear, self.ear = Ear(), Ear()
        self.zoe = Session(self.hub, self.zoe_ear)
        now(self.zoe.enter("zoe"))
        now(self.zoe.join("lobby", FORMAT, after=2))
        self.people.told.clear()

    def resume(self, ear: Ear | None = None) -> Deferred[tuple[Session, object] | None]:
        return Deferred.fromCoroutine(resume(self.hub, "token", ear or self.ear, FORMAT))

    def arrive(self) -> Session:
        taken_up = self.successResultOf(self.resume())
        assert taken_up is not None
        session, before = taken_up
        self.assertIsNone(before)
        return session

    def seen_by_zoe(self) -> list[str]:
        """What zoe is told of who comes and goes."""
        self.clock.advance(GATHER_SECONDS)
        told = [line for line in self.zoe_ear.heard if line.startswith("presence")]
        self.zoe_ear.heard.clear()
        return told

    def count(self, room: str) -> int:
        return self.zoe.roster(room).count


class ArriveTests(MovedTestCase):
    def test_goes_on(self) -> None:
        """It has its name, its token and its rooms; nobody is told, here or there, and everybody counts once."""
        ann = self.arrive()
        self.assertEqual((ann.name, ann.token, list(ann.rooms)), ("ann", "token", ["lobby", "tea"]))
        self.assertEqual((self.seen_by_zoe(), self.people.told), ([], []))
        self.assertEqual((self.count("lobby"), self.count("tea")), (2, 2))
        self.hub.set_others("lobby", [])
        self.assertEqual((self.seen_by_zoe(), self.count("lobby")), ([], 2))

    def test_no_seam(self) -> None:
        """It is shown nothing before it joins, then exactly what it misses, and can speak before that."""
        ann = self.arrive()
        ann.say("lobby", "three", self.ear, "three")
        self.clock.advance(0)
        ann.show_all()
        self.assertEqual(self.ear.heard, ["stored three as 3"])
        joined = now(ann.join("lobby", FORMAT, after=1))
        ann.show_all()
        self.assertEqual((joined.seq, self.ear.seqs), (3, {"lobby": [2, 3]}))
        self.assertEqual(self.people.told, [])

    def test_room_not_readable(self) -> None:
        """A room that can't be opened now is entered by the join that comes."""
        self.people.fault = ChatError("not-ready", "Later.")
        ann = self.arrive()
        self.assertEqual(list(ann.rooms), ["lobby"])
        self.people.fault = None
        now(ann.join("tea", FORMAT))
        self.assertEqual((list(ann.rooms), self.people.told), (["lobby", "tea"], ["ann in tea"]))

    def test_nothing_readable(self) -> None:
        """So are all of them; and nobody is told that it has left."""
        self.store.fault = StoreError("The cable is cut.")
        ann = self.arrive()
        self.assertEqual((list(ann.rooms), self.seen_by_zoe()), (["lobby"], []))

    def test_lost_meanwhile(self) -> None:
        """A session whose new connection is lost while its rooms are opened waits as any other for the next one."""
        self.store.waiting_rooms = []
        arriving = self.resume()
        arriving.cancel()
        self.failureResultOf(arriving)
        self.store.waiting_rooms = None
        taken_up = self.successResultOf(self.resume())
        assert taken_up is not None
        self.assertEqual((taken_up[0].name, list(taken_up[0].rooms)), ("ann", ["lobby"]))
        self.assertEqual((self.seen_by_zoe(), self.people.told), ([], []))

    def test_lost_for_good(self) -> None:
        """If nobody comes it leaves in its time, and its name is free."""
        self.arrive().lose()
        self.clock.advance(LINGER_SECONDS)
        [told] = self.seen_by_zoe()
        self.assertIn('"left":["ann"]', told)
        self.assertIsNone(now(self.people.find("ann")))
        self.assertEqual(self.people.told, ["ann out of lobby", "ann out of tea"])

    def test_two_connections(self) -> None:
        """Of two connections that come with its token the later one has it."""
        self.store.waiting_rooms = []
        first = self.resume()
        later = Ear()
        taken_up = self.successResultOf(self.resume(later))
        assert taken_up is not None
        session, before = taken_up
        self.assertEqual((session.name, before), ("ann", self.ear))
        for answer in self.store.waiting_rooms:
            answer.callback(None)
        self.assertEqual(self.failureResultOf(first, ChatError).value.code, "lost")
        session.notify("hello")
        self.assertEqual((self.ear.heard, later.heard), ([], ["notice: hello"]))


class EvictTests(MovedTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.arrive()
        now(self.ann.join("lobby", FORMAT))
        self.seen_by_zoe()

    def test_moved(self) -> None:
        """A session that goes on elsewhere lets go of all; nobody is told, and it is still counted."""
        self.ann.evict("taken-over", "Elsewhere.", is_moved=True)
        self.assertEqual(self.ear.heard[-1], "evicted: taken-over")
        self.assertEqual((self.ann.name, list(self.ann.rooms)), ("", []))
        self.assertEqual((self.seen_by_zoe(), self.people.told), ([], []))
        self.assertEqual(self.count("lobby"), 2)
        # Nobody is in #tea here any more.
        self.assertEqual([room.name for room in self.hub.rooms], ["lobby"])
        self.hub.set_others("lobby", ["ann"])
        self.assertEqual(self.seen_by_zoe(), [])

    def test_name_lost(self) -> None:
        """Whoever has lost the name leaves, as everybody sees, and can't say anything more."""
        self.ann.evict("name-lost", "Sorry.", is_moved=False)
        [told] = self.seen_by_zoe()
        self.assertIn('"left":["ann"]', told)
        self.assertEqual(self.ear.heard[-1], "evicted: name-lost")
        with self.assertRaises(ChatError):
            self.ann.say("lobby", "hi", self.ear)

    def test_lines_under_way(self) -> None:
        """What it said before is answered."""
        self.store.holding = True
        self.ann.say("lobby", "three", self.ear, "three")
        self.clock.advance(0)
        self.ann.evict("taken-over", "Elsewhere.", is_moved=True)
        self.store.release()
        self.clock.advance(0)
        self.assertEqual(self.ear.heard[-2:], ["evicted: taken-over", "stored three as 3"])

    def test_lost(self) -> None:
        """A session that has lost the connection is let go of as well; there is nobody to tell."""
        self.ann.lose()
        self.ann.evict("taken-over", "Elsewhere.", is_moved=True)
        self.ann.notify("hello")
        self.assertEqual((self.ear.heard, self.ann.name), ([], ""))
        self.clock.advance(LINGER_SECONDS)
        self.assertEqual((self.seen_by_zoe(), self.people.told), ([], []))


class ElsewhereTests(MovedTestCase):
    """#tea, which only people of the other node are in."""

    def test_who(self) -> None:
        """It can be asked who is there."""
        roster = now(self.zoe.who("tea"))
        self.assertEqual((roster.room, roster.count, list(roster.names)), ("tea", 2, ["ann", "cat"]))
        self.assertEqual([room.name for room in self.hub.rooms], ["lobby"])

    def test_roster(self) -> None:
        """It is known at once, as it was when it was seen last."""
        roster = self.zoe.roster("tea")
        self.assertEqual((roster.count, list(roster.names)), (2, ["ann", "cat"]))
        self.assertEqual(self.zoe.roster("empty").count, 0)

    def test_nobody(self) -> None:
        """A room in which nobody is and nothing was said is none."""
        with self.assertRaises(ChatError) as caught:
            now(self.zoe.who("empty"))
        self.assertEqual(caught.exception.code, "no-such-room")

    def test_not_ready(self) -> None:
        """When the other nodes can't be asked, that is said, and nobody enters who does not see who is there."""
        self.people.fault = ChatError("not-ready", "Later.")
        for ask in (self.zoe.who("tea"), self.zoe.join("tea", FORMAT)):
            with self.assertRaises(ChatError) as caught:
                now(ask)
            self.assertEqual(caught.exception.code, "not-ready")
        self.assertEqual([room.name for room in self.hub.rooms], ["lobby"])


class RulesTests(MovedTestCase):
    """Ranks and rules of a room that people of both nodes are in."""

    def test_told(self) -> None:
        """What changes here is told to the other node, by whom, as it is told to people; who gets a rank, too."""
        ann = Session(self.hub, Ear())
        now(ann.enter("ann"))
        now(ann.join("den", FORMAT))
        now(ann.mode("den", [Change("+", "m"), Change("+", "m"), Change("+", "b", "eve")]))
        self.assertEqual(self.people.told, ["ann in den", "the server in den: +o ann", "ann in den: +mb eve!*@*"])

    def test_found(self) -> None:
        """Whoever opens here a room that has rules there finds them, and of one that is closed nobody reads the log."""
        self.people.elsewhere["den"] = ["bob"]
        self.people.standings["den"] = Standing({"bob": "o"}, [Rule("i", "", "bob", 7)])
        for ask in (self.zoe.join("den", FORMAT), self.zoe.history("den", limit=1)):
            with self.assertRaises(ChatError) as caught:
                now(ask)
            self.assertIn(caught.exception.code, {"invite-only", "not-in-room"})
        now(self.zoe.undergo(Deed(DeedKind.INVITE, "bob", "den")))
        now(self.zoe.join("den", FORMAT))
        self.zoe.leave("den")
        self.people.standings["den"] = Standing({}, [Rule("s", "", "bob", 7)])
        with self.assertRaises(ChatError) as caught:
            now(self.zoe.who("den"))
        self.assertEqual(caught.exception.code, "no-such-room")

    def test_heard(self) -> None:
        """What changes there counts here at once; of a room that nobody here is in it is nothing."""
        muted = Standing({}, [Rule("m", "", "bob", 7)])
        self.hub.set_rules("lobby", muted, [("bob", [Change("+", "m")])])
        with self.assertRaises(ChatError) as caught:
            self.zoe.say("lobby", "hi", Ear())
        self.assertEqual(caught.exception.code, "muted")
        self.hub.set_rules("nowhere", muted, [])
        self.assertIsNone(self.hub.rooms.find("nowhere"))
