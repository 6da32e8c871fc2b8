from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import HeldStore, JsonPeer, PlainPeer, Reactor, World, now
from twistedchat.events import Draft, Kind
from twistedchat.hub import LINGER_SECONDS, MAX_LINGERING, Hub
from twistedchat.room import PAGE_EVENTS
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.hub import Person


def lines(room: str, count: int) -> list[Draft]:
    return [Draft(room, Kind.SAY, "ann", f"line {number}") for number in range(1, count + 1)]


def seqs(events: Sequence[dict[str, object]]) -> list[object]:
    return [event["seq"] for event in events]


class HubTestCase(SynchronousTestCase):
    """A server whose rooms have something in them already."""

    logs: tuple[Draft, ...] = ()

    @override
    def setUp(self) -> None:
        reactor = Reactor()
        store = HeldStore(reactor.seconds)
        if self.logs:
            store.fill(self.logs)
        self.world = World(reactor=reactor, store=store)
        self.addCleanup(self.world.close)

    def program(self, name: str, *rooms: str, buffer_bytes: int = 10**7) -> JsonPeer:
        peer = JsonPeer(self.world, buffer_bytes=buffer_bytes)
        peer.ask("hello", name=name)
        for room in rooms:
            peer.ask("join", room=room)
        return peer

    def person(self, name: str) -> PlainPeer:
        peer = PlainPeer(self.world)
        peer.say(name)
        return peer

    @property
    def room_names(self) -> list[str]:
        return [room.name for room in self.world.hub.rooms]


class RoomsTests(HubTestCase):
    logs = (*lines("old", 3), Draft("topical", Kind.TOPIC, "ann", "tea"))

    def test_after_a_restart(self) -> None:
        """The rooms of the store are there when it opens, with their last seq and their topic."""
        rooms = [(room.name, room.seq, room.topic) for room in self.world.hub.rooms]
        self.assertEqual(rooms, [("old", 3, ""), ("topical", 1, "tea")])

    def test_look_alikes_in_the_store(self) -> None:
        """Two rooms of the store that look alike do not keep the server from starting: the first can be entered."""
        store = HeldStore(self.world.reactor.seconds)
        store.fill([*lines("room", 1), *lines("r00m", 2)])
        hub = Hub(store, self.world.reactor)
        now(hub.open())
        self.assertEqual([(room.name, room.seq) for room in hub.rooms], [("room", 1)])

    def test_room_without_a_log(self) -> None:
        """A room comes to be when somebody enters, and is gone when nobody is there and nothing was said."""
        ann = self.program("ann", "new")
        self.assertIn("new", self.room_names)
        ann.ask("leave", room="new")
        self.assertNotIn("new", self.room_names)

    def test_line_on_its_way(self) -> None:
        """A room whose first line is still being stored stays, though nobody is there."""
        self.world.held.holding = True
        ann = self.program("ann", "new")
        ann.ask("say", room="new", text="hi")
        ann.ask("leave", room="new")
        self.world.held.release()
        self.world.run()
        self.assertIn("new", self.room_names)

    def test_empty_room_holds_nothing(self) -> None:
        """When the last one leaves, the events are no longer in memory; the next one is shown them all the same."""
        self.program("ann", "old").close()
        self.world.pass_seconds(LINGER_SECONDS)
        room = self.world.hub.find_room("old")
        assert room is not None
        self.assertEqual((room.recent.after(0, 1), self.world.hub.pipeline.live_rooms), (None, 0))
        self.assertEqual(seqs(self.program("bob", "old").events("old")), [1, 2, 3])


class BringForwardTests(HubTestCase):
    logs = tuple(lines("old", 3 * PAGE_EVENTS))

    def test_from_the_store(self) -> None:
        """Whoever comes in far back is brought forward page by page, and then hears what is said, without a seam."""
        ann = self.program("ann")
        self.world.held.holding_reads = True
        ann.ask("join", room="old", after=100)
        bob = self.program("bob", "old")
        bob.ask("say", room="old", text="live")
        self.world.held.holding_reads = False
        self.world.held.release()
        self.world.run()
        self.assertEqual(seqs(ann.events("old")), list(range(101, 3 * PAGE_EVENTS + 2)))

    def test_read_once_for_all(self) -> None:
        """Members who stand at the same place wait for one reading of the store."""
        self.world.held.holding_reads = True
        peers = [self.program(f"p{number}", "old") for number in range(5)]
        self.assertEqual(self.world.held.waiting, 1)
        self.world.held.release()
        self.world.run()
        self.assertEqual([len(peer.events("old")) for peer in peers], [20] * 5)

    def test_leaves_while_waiting(self) -> None:
        """Whoever leaves before the page has come is shown nothing of it."""
        self.world.held.holding_reads = True
        ann = self.program("ann", "old")
        ann.ask("leave", room="old")
        self.world.held.release()
        self.world.run()
        self.assertEqual(ann.events("old"), [])

    def test_cursor_set_while_waiting(self) -> None:
        """Whoever joins again with another `after` before the page has come is shown from there, each event once."""
        self.world.held.holding_reads = True
        ann = self.program("ann", "old")
        ann.ask("join", room="old", after=3 * PAGE_EVENTS - 5)
        self.world.held.holding_reads = False
        self.world.held.release()
        self.world.run()
        self.assertEqual(seqs(ann.events("old")), list(range(3 * PAGE_EVENTS - 4, 3 * PAGE_EVENTS + 1)))

    def test_store_that_does_not_answer(self) -> None:
        """When a page can't be read it is tried again, and then nothing is missing."""
        self.world.held.fault = StoreError("the disk is on fire.")
        ann = self.program("ann", "old")
        self.world.pass_seconds(5)
        self.assertEqual(ann.events("old"), [])
        self.world.held.fault = None
        self.world.pass_seconds(5)
        self.assertEqual(len(ann.events("old")), 20)

    def test_seq_at(self) -> None:
        """The place of a time in a log is found, at its ends and in its middle."""
        room = self.world.hub.room("clock")
        for number in range(10):
            self.world.held.fill([Draft("clock", Kind.SAY, "ann", str(number))])
            self.world.pass_seconds(1)
        room.seq = 10
        first = self.world.held.log["clock"][0].at
        found = [now(self.world.hub.seq_at(room, first + ms)) for ms in (-1, 0, 1, 4500, 100_000)]
        self.assertEqual(found, [0, 0, 1, 5, 10])


class PresenceTests(HubTestCase):
    def test_gathered(self) -> None:
        """People who come at about the same time are announced in one line."""
        ann = self.person("ann")
        self.person("bob")
        self.person("carol")
        self.assertNotIn("*** bob is here now.", ann.lines)
        self.world.pass_seconds(0.3)
        self.assertEqual(ann.lines[-1], "*** bob and carol are here now.")

    def test_before_he_speaks(self) -> None:
        """Whoever speaks at once is announced before the line."""
        ann = self.person("ann")
        self.person("bob").say("hello")
        self.assertEqual(ann.lines[-3], "*** bob is here now.")
        self.assertTrue(ann.lines[-1].endswith("bob: hello"))

    def test_nobody_left_to_tell(self) -> None:
        """No timer stays behind in a room that everybody has left."""
        self.person("ann").close()
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])


class LingerTests(HubTestCase):
    def test_leaves_after_a_while(self) -> None:
        """A lost session is here for a minute, unseen by the others, and then leaves."""
        bob = self.person("bob")
        self.program("ann", "lobby").close()
        self.world.pass_seconds(LINGER_SECONDS - 1)
        bob.say("/who")
        self.assertEqual(bob.lines[-1], "*** ann and bob are in #lobby.")
        self.world.pass_seconds(2)
        self.assertEqual(bob.lines[-1], "*** ann left.")

    def test_resumed_stays(self) -> None:
        """A session that was taken up again stays, however often it was lost before."""
        ann = self.program("ann", "lobby")
        token = ann.answer(1)["session"]
        for _ in range(3):
            ann.close()
            self.world.pass_seconds(LINGER_SECONDS - 1)
            ann = JsonPeer(self.world)
            ann.ask("hello", name="ann", resume=token)
        self.world.pass_seconds(2 * LINGER_SECONDS)
        answer = ann.answer(ann.ask("say", room="lobby", text="still here"))
        self.assertEqual(answer["type"], "ok")

    def test_too_many(self) -> None:
        """Lost sessions do not pile up: past the limit the oldest leaves early."""
        closed: list[str] = []

        class Lost:
            def __init__(self, name: str) -> None:
                self.name = name

            def tell(self, sender: Person, text: str, at: int) -> None:
                """It is not told anything."""

            def close(self, why: str = "") -> None:
                closed.append(self.name)

        for number in range(MAX_LINGERING + 2):
            self.world.hub.linger(Lost(f"p{number}"))
        self.assertEqual(closed, ["p0", "p1"])

    def test_closing(self) -> None:
        """A hub that closes stores what was said, and leaves no timer behind."""
        ann = self.program("ann", "lobby")
        ann.close()
        self.world.held.holding = True
        bob = self.program("bob", "lobby")
        bob.ask("say", room="lobby", text="last words")
        closing = self.world.hub.pipeline.settled()
        self.assertNoResult(closing)
        self.world.held.release()
        self.successResultOf(closing)
        bob.close()
        now(self.world.hub.close())
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])
