"""What every store does alike."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.stores.model import Batches, Reads, SqliteInThisThread, any_sequence, follow_model, run
from tests.stores.postgres import PostgresNow, Waiter
from twistedchat.events import Draft, Event, Kind
from twistedchat.stores.base import Refused, RoomSummary, Store, Stored
from twistedchat.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable


HUGE = 2**80


def say(text: str, room: str = "lobby", key: str | None = None, kind: Kind = Kind.SAY) -> Draft:
    return draft(room, kind, "alice", text, key)


def fresh(store: Store, *batch: Draft) -> list[Event]:
    """Append, and see that all of it is new."""
    events = []
    for outcome in run(store.append(batch)):
        assert isinstance(outcome, Stored)
        assert outcome.fresh
        events.append(outcome.event)
    return events


class Contract:
    """The behaviours; a subclass says of which store."""

    def make(self, clock: Callable[[], float]) -> Store:
        raise NotImplementedError

    def opened(self, clock: Callable[[], float]) -> Store:
        store = self.make(clock)
        run(store.open())
        return store

    def test_stamps_in_order(self) -> None:
        """Each room counts from one, and a batch comes back in its order with the store's time."""
        clock = Clock()
        clock.advance(1.5)
        store = self.opened(clock.seconds)
        assert fresh(store, say("a"), say("b", room="python"), say("c")) == [
            Event("lobby", 1, 1500, Kind.SAY, "alice", "a"),
            Event("python", 1, 1500, Kind.SAY, "alice", "b"),
            Event("lobby", 2, 1500, Kind.SAY, "alice", "c"),
        ]

    def test_time_does_not_go_back(self) -> None:
        """While the clock stands behind a room's last event, the room's time goes on by a millisecond an event."""
        now = iter([5.0, 3.0, 5.001, 6.0, 6.0])
        store = self.opened(lambda: next(now))
        assert [event.at for event in fresh(store, say("x"))] == [5000]
        assert [event.at for event in fresh(store, say("x"), say("y", room="py"), say("x"))] == [5001, 3000, 5002]
        assert [event.at for event in fresh(store, say("x"))] == [5003]
        assert [event.at for _ in range(2) for event in fresh(store, say("x"))] == [6000, 6000]

    def test_a_key_stands_once(self) -> None:
        """A line sent again comes back as the first one that stood, in one batch as in the next, and is not fresh."""
        store = self.opened(Clock().seconds)
        first, again = run(store.append([say("first", key="k"), say("again", key="k")]))
        later, other_room = run(store.append([say("later", key="k"), say("x", key="k", room="python")]))
        assert isinstance(first, Stored)
        assert isinstance(other_room, Stored)
        assert (first.fresh, first.event.text) == (True, "first")
        assert again == later == Stored(first.event, fresh=False)
        assert (other_room.fresh, other_room.event.room, other_room.event.text) == (True, "python", "x")
        assert run(store.read("lobby", limit=9)) == [first.event]

    def test_a_batch_that_stands_already(self) -> None:
        """A batch of nothing new is answered and stores nothing."""
        store = self.opened(Clock().seconds)
        batch = [say("a", key="1"), say("b", key="2")]
        events = fresh(store, *batch)
        assert run(store.append(batch)) == [Stored(event, fresh=False) for event in events]
        assert len(run(store.read("lobby", limit=9))) == 2

    def test_outcomes(self) -> None:
        """Asked again, a store says which keys stand, and refuses the rest: it never says that it does not know."""
        store = self.opened(Clock().seconds)
        stands, unkeyed, absent = say("a", key="k"), say("b"), say("c", key="other")
        (event,) = fresh(store, stands)
        answer = run(store.outcomes([absent, stands, unkeyed, say("x", room="new", key="k")]))
        assert answer[1] == Stored(event, fresh=False)
        assert all(isinstance(answer[number], Refused) for number in (0, 2, 3))
        assert len(run(store.read("lobby", limit=9))) == 1

    def test_identity(self) -> None:
        """An open store has an identity of 8 lower-case letters and digits."""
        assert re.fullmatch("[a-z0-9]{8}", self.opened(Clock().seconds).identity)

    def test_follows_nobody(self) -> None:
        """A store on one machine has no others to hear of: its own appends are not told."""
        heard: list[tuple[str, int]] = []
        store = self.make(Clock().seconds)
        store.follow(lambda room, head: heard.append((room, head)))
        run(store.open())
        fresh(store, say("a"))
        assert heard == []

    def test_pages(self) -> None:
        """With `after` a page begins at its oldest, else it ends at its newest; both bounds are left out."""
        store = self.opened(Clock().seconds)
        run(store.append([say(str(number)) for number in range(1, 11)]))

        def seqs(limit: int, after: int | None = None, before: int | None = None) -> list[int]:
            return [event.seq for event in run(store.read("lobby", after=after, before=before, limit=limit))]

        assert seqs(3) == [8, 9, 10]
        assert seqs(3, after=0) == [1, 2, 3]
        assert seqs(3, after=8) == [9, 10]
        assert seqs(3, before=5) == [2, 3, 4]
        assert seqs(9, after=2, before=5) == [3, 4]
        assert seqs(1, after=2, before=5) == [3]
        assert seqs(9, after=5, before=3) == []
        assert seqs(9, after=10) == []

    def test_pages_beyond_every_log(self) -> None:
        """Bounds that no log reaches, and a room without a log, give what there is."""
        store = self.opened(Clock().seconds)
        (event,) = fresh(store, say("only"))
        assert run(store.read("lobby", before=HUGE, limit=5)) == [event]
        assert run(store.read("lobby", after=-HUGE, limit=5)) == [event]
        assert run(store.read("lobby", after=HUGE, limit=5)) == []
        assert run(store.read("lobby", before=-HUGE, limit=5)) == []
        assert run(store.read("nowhere", limit=5)) == []
        assert run(store.read("nowhere", limit=5, max_bytes=5)) == []

    def test_pages_of_bytes(self) -> None:
        """A page ends before the event with which its texts exceed the bytes asked for, but has at least one."""
        store = self.opened(Clock().seconds)
        fresh(store, *[say(text) for text in ("äöü", "aaaa", "", "bb", "日本語日本語")])

        def seqs(max_bytes: int, after: int | None = None, before: int | None = None, limit: int = 9) -> list[int]:
            page = run(store.read("lobby", after=after, before=before, limit=limit, max_bytes=max_bytes))
            return [event.seq for event in page]

        assert seqs(10, after=0) == [1, 2, 3]
        assert seqs(9, after=0) == [1]
        assert seqs(10, after=0, limit=2) == [1, 2]
        assert seqs(0, after=0) == [1]
        assert seqs(1, after=2) == [3]
        assert seqs(0) == [5]
        assert seqs(20) == [3, 4, 5]
        assert seqs(24) == [2, 3, 4, 5]
        assert seqs(6, before=5) == [2, 3, 4]
        assert seqs(5, before=5) == [3, 4]

    def test_rooms(self) -> None:
        """Rooms come sorted by name, in pages, each with its last event and its latest topic."""
        clock = Clock()
        store = self.opened(clock.seconds)
        assert run(store.rooms()) == []
        fresh(store, say("x", room="python"), say("old", kind=Kind.TOPIC), say("new", kind=Kind.TOPIC))
        fresh(store, say("x", room="Zoo"), say("x", room="Ärger"))
        clock.advance(2)
        fresh(store, say("y"))
        rooms = [
            RoomSummary("Zoo", 1, 0, ""),
            RoomSummary("lobby", 3, 2000, "new", topic_seq=2),
            RoomSummary("python", 1, 0, ""),
            RoomSummary("Ärger", 1, 0, ""),
        ]
        assert run(store.rooms()) == rooms
        assert run(store.rooms(limit=2)) == rooms[:2]
        assert run(store.rooms("lobby", 2)) == rooms[2:]
        assert run(store.rooms("m")) == rooms[2:]
        assert run(store.rooms("Ärger")) == []

    def test_a_topic_of_many_moves(self) -> None:
        """The latest topic counts, also when much was said between topics, and after an empty one."""
        store = self.opened(Clock().seconds)
        fresh(store, say("one", kind=Kind.TOPIC))
        fresh(store, *[say(str(number)) for number in range(40)], say("two", kind=Kind.TOPIC))
        assert run(store.room("lobby")).topic == "two"
        fresh(store, say("", kind=Kind.TOPIC))
        assert run(store.room("lobby")) == RoomSummary("lobby", 43, 0, "", topic_seq=43)

    def test_room(self) -> None:
        """A room is found by whatever a person could take for its name, and told in the spelling that is kept."""
        store = self.opened(Clock().seconds)
        assert run(store.room("Lobby")) == RoomSummary("Lobby", 0, 0, "")
        fresh(store, say("tea", room="Lobby", kind=Kind.TOPIC))
        for name in ("Lobby", "lobby", "L0bby", "LOBBY"):
            assert run(store.room(name)) == RoomSummary("Lobby", 1, 0, "tea", topic_seq=1)
        fresh(store, say("x", room="Lobby"))
        assert run(store.room("lobby")) == RoomSummary("Lobby", 2, 0, "tea", topic_seq=1)
        assert run(store.room("lobbies")) == RoomSummary("lobbies", 0, 0, "")

    def test_of_rooms_that_look_alike_the_first_counts(self) -> None:
        """If the log has two rooms that look alike, the older one is found."""
        store = self.opened(Clock().seconds)
        fresh(store, say("x", room="room"))
        fresh(store, say("y", room="r00m"), say("z", room="r00m"))
        assert run(store.room("r00m")) == run(store.room("ROOM")) == RoomSummary("room", 1, 0, "")

    def test_text_is_kept_as_sent(self) -> None:
        """Control characters, line ends, NUL and any script come back unchanged, and the kind as a kind."""
        store = self.opened(Clock().seconds)
        nasty = "a\0b\r\n\x1b[31m\u202e\u2028\ufeff日本 😀\U0010ffff\uffff '\"\\ "
        appended = fresh(store, *[say(nasty, kind=kind) for kind in Kind])
        page = run(store.read("lobby", limit=9))
        assert page == appended
        assert all(event.text == nasty and isinstance(event.kind, Kind) for event in page)

    def test_tags(self) -> None:
        """Tags come back with their line, at once, when it is read, and when it is sent again with its key."""
        store = self.opened(Clock().seconds)
        tags = "+draft/reply=abc;+x=1\\:2"
        lines = [
            draft("lobby", Kind.NOTICE, "alice", str(number), str(number), tags * (number % 2)) for number in range(4)
        ]
        appended = fresh(store, *lines)
        assert [event.tags for event in appended] == ["", tags, "", tags]
        assert run(store.read("lobby", limit=9)) == appended
        assert run(store.append(lines)) == [Stored(event, fresh=False) for event in appended]
        others = [line._replace(tags="+other") for line in lines]
        assert run(store.append(others)) == [Stored(event, fresh=False) for event in appended]

    def test_put_away(self) -> None:
        """What is put away is never read again, is no topic, and makes no room; its seqs and keys stay taken."""
        store = self.opened(Clock().seconds)
        (first, _) = fresh(store, say("a", key="k"), say("tea", kind=Kind.TOPIC))
        fresh(store, say("x", room="python"))
        run(store.put_away("lobby"))
        for bounds in ({}, {"after": 0}, {"after": -1}, {"before": 2}, {"after": 1, "before": 9}):
            assert run(store.read("lobby", limit=9, **bounds)) == []
        assert run(store.room("lobby")) == RoomSummary("lobby", 2, 0, "", hidden=2)
        assert [room.name for room in run(store.rooms())] == ["python"]
        assert run(store.append([say("b", key="k")])) == [Stored(first, fresh=False)]
        (third,) = fresh(store, say("c"))
        assert third.seq == 3
        assert run(store.read("lobby", after=0, limit=9)) == run(store.read("lobby", limit=9)) == [third]
        assert run(store.rooms())[0] == RoomSummary("lobby", 3, 0, "", hidden=2)
        run(store.put_away("lobby"))
        assert run(store.room("lobby")).hidden == 3
        run(store.put_away("never"))
        assert run(store.room("never")) == RoomSummary("never", 0, 0, "")

    def test_a_closed_room(self) -> None:
        """A room that is marked as closed is read as any other one, and is put away when somebody says so."""
        store = self.opened(Clock().seconds)
        run(store.open_room("lobby"))
        run(store.shut("lobby", is_shut=True))
        (event,) = fresh(store, say("a"))
        assert run(store.read("lobby", limit=9)) == [event]
        run(store.put_away("lobby"))
        run(store.shut("lobby", is_shut=False))
        assert run(store.read("lobby", limit=9)) == []

    def test_a_lone_surrogate(self) -> None:
        """What is no text may be refused: the rest of its batch stands, and the next batch does."""
        store = self.opened(Clock().seconds)
        first, odd, last = run(store.append([say("fine"), say("\ud800"), say("as well")]))
        assert isinstance(first, Stored)
        assert isinstance(last, Stored)
        assert last.event.seq == 3 - isinstance(odd, Refused)
        assert fresh(store, say("after"))[0].seq == last.event.seq + 1

    def test_closes_unopened(self) -> None:
        """A store that was never opened can be closed."""
        run(self.make(Clock().seconds).close())


class MemoryTests(Contract, SynchronousTestCase):
    """The contract, of the memory."""

    @override
    def make(self, clock: Callable[[], float]) -> Store:
        return MemoryStore(clock)

    @any_sequence
    def test_any_sequence_of_batches(self, batches: Batches, reads: Reads) -> None:
        """Whatever is appended, with whatever keys and clock, stands and is read as in the model."""
        follow_model(self.opened, batches, reads)


class SqliteTests(Contract, SynchronousTestCase):
    """The contract, of SQLite."""

    @override
    def make(self, clock: Callable[[], float]) -> Store:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        store = SqliteInThisThread(Path(folder.name) / "chatroom.db", clock)
        self.addCleanup(run, store.close())
        return store

    @any_sequence
    def test_any_sequence_of_batches(self, batches: Batches, reads: Reads) -> None:
        """Whatever is appended, with whatever keys and clock, stands and is read as in the model."""
        follow_model(self.opened, batches, reads)


class PostgresTests(Contract, SynchronousTestCase):
    """The contract, of PostgreSQL."""

    @override
    def make(self, clock: Callable[[], float]) -> Store:
        waiter = Waiter()
        store = PostgresNow(waiter, clock)
        self.addCleanup(waiter.close)
        self.addCleanup(run, store.close())
        return store

    @any_sequence
    def test_any_sequence_of_batches(self, batches: Batches, reads: Reads) -> None:
        """Whatever is appended, with whatever keys and clock, stands and is read as in the model."""
        follow_model(self.opened, batches, reads)
