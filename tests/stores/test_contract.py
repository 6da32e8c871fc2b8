"""What every store does alike."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.events import Draft, Event, Kind
from twistedchat.stores.base import RoomSummary, Store
from twistedchat.stores.memory import MemoryStore
from twistedchat.stores.sqlite_log import Log, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

T = TypeVar("T")

HUGE = 2**80


class SqliteInThisThread(Store):
    """The SQLite store without its threads."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.log = Log(path, "normal")
        self.reader = Reader(path)
        self.clock = clock

    @override
    async def open(self) -> None:
        self.log.open()
        self.reader.open()

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Event]:
        return self.log.append(batch, int(self.clock() * 1000))

    @override
    async def read(
        self, room: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Sequence[Event]:
        return self.reader.read(room, after=after, before=before, limit=limit)

    @override
    async def rooms(self) -> Sequence[RoomSummary]:
        return self.reader.rooms()

    @override
    async def close(self) -> None:
        self.reader.close()
        self.log.close()


def say(text: str, room: str = "lobby", key: str | None = None, kind: Kind = Kind.SAY) -> Draft:
    return Draft(room, kind, "alice", text, key)


class Model:
    """A store in a dozen lines: each room a list."""

    def __init__(self) -> None:
        self.rooms: dict[str, list[Event]] = {}
        self.keys: dict[tuple[str, str], Event] = {}

    def append(self, draft: Draft, now_ms: int) -> Event:
        if draft.key is not None and (draft.room, draft.key) in self.keys:
            return self.keys[draft.room, draft.key]
        log = self.rooms.setdefault(draft.room, [])
        at = max([now_ms, *(event.at for event in log)])
        event = Event(draft.room, len(log) + 1, at, draft.kind, draft.who, draft.text)
        log.append(event)
        if draft.key is not None:
            self.keys[draft.room, draft.key] = event
        return event


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
drafts = st.builds(
    Draft,
    st.sampled_from(["lobby", "python", "Ünï\0"]),
    st.sampled_from(Kind),
    texts,
    texts,
    st.none() | st.sampled_from(["k1", "k2", "k\0", "k\0x", ""]),
)
times = st.integers(0, 2**33).map(lambda second: second / 8)
batches = st.lists(st.tuples(times, st.lists(drafts, min_size=1, max_size=9)), max_size=6)
bounds = st.none() | st.integers(-2, 40)
Batches = list[tuple[float, list[Draft]]]
Reads = list[tuple[int | None, int | None, int]]


def any_sequence(test: Callable[[Any, Batches, Reads], None]) -> Callable[[Any], None]:
    reads = st.lists(st.tuples(bounds, bounds, st.integers(1, 50)), max_size=4)
    return settings(deadline=None, max_examples=60)(given(batches=batches, reads=reads)(test))


def follow_model(
    opened: Callable[[Callable[[], float]], Store],
    batches: Batches,
    reads: Reads,
) -> None:
    now = 0.0
    store, model = opened(lambda: now), Model()
    for now, batch in batches:  # the store's clock is `now`
        expected = [model.append(draft, int(now * 1000)) for draft in batch]
        assert run(store.append(batch)) == expected
    for room, log in model.rooms.items():
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        for after, before, limit in reads:
            part = [e for e in log if (after is None or e.seq > after) and (before is None or e.seq < before)]
            part = part[-limit:] if after is None else part[:limit]
            assert run(store.read(room, after=after, before=before, limit=limit)) == part
    topics = {room: [e.text for e in log if e.kind is Kind.TOPIC] for room, log in model.rooms.items()}
    assert sorted(run(store.rooms())) == sorted(
        RoomSummary(room, len(log), log[-1].at, (topics[room] or [""])[-1]) for room, log in model.rooms.items()
    )
    run(store.close())


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
        batch = [say("a"), say("b", room="python"), say("c")]
        assert run(store.append(batch)) == [
            Event("lobby", 1, 1500, Kind.SAY, "alice", "a"),
            Event("python", 1, 1500, Kind.SAY, "alice", "b"),
            Event("lobby", 2, 1500, Kind.SAY, "alice", "c"),
        ]

    def test_time_does_not_go_back(self) -> None:
        """When the clock is set back, a room's time stands still until the clock has come up to it."""
        now = iter([5.0, 3.0, 6.0])
        store = self.opened(lambda: next(now))
        assert [run(store.append([say("x")]))[0].at for _ in range(3)] == [5000, 5000, 6000]

    def test_a_key_stands_once(self) -> None:
        """A line sent again comes back as the first one that stood, in one batch as in the next."""
        store = self.opened(Clock().seconds)
        first, again = run(store.append([say("first", key="k"), say("again", key="k")]))
        (later, other_room) = run(store.append([say("later", key="k"), say("x", key="k", room="python")]))
        assert [first, again, later] == [first] * 3
        assert (other_room.room, other_room.text) == ("python", "x")
        assert run(store.read("lobby", limit=9)) == [first]

    def test_a_batch_that_stands_already(self) -> None:
        """A batch of nothing new is answered and stores nothing."""
        store = self.opened(Clock().seconds)
        batch = [say("a", key="1"), say("b", key="2")]
        assert run(store.append(batch)) == run(store.append(batch))
        assert len(run(store.read("lobby", limit=9))) == 2

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
        (event,) = run(store.append([say("only")]))
        assert run(store.read("lobby", before=HUGE, limit=5)) == [event]
        assert run(store.read("lobby", after=-HUGE, limit=5)) == [event]
        assert run(store.read("lobby", after=HUGE, limit=5)) == []
        assert run(store.read("lobby", before=-HUGE, limit=5)) == []
        assert run(store.read("nowhere", limit=5)) == []

    def test_rooms(self) -> None:
        """Every room is told with its last event and its latest topic."""
        clock = Clock()
        store = self.opened(clock.seconds)
        assert run(store.rooms()) == []
        run(store.append([say("old", kind=Kind.TOPIC), say("new", kind=Kind.TOPIC), say("x", room="python")]))
        clock.advance(2)
        run(store.append([say("y")]))
        assert sorted(run(store.rooms())) == [RoomSummary("lobby", 3, 2000, "new"), RoomSummary("python", 1, 0, "")]

    def test_text_is_kept_as_sent(self) -> None:
        """Control characters, line ends, NUL and any script come back unchanged, and the kind as a kind."""
        store = self.opened(Clock().seconds)
        nasty = "a\0b\r\n\x1b[31m\u202e\u2028\ufeff日本 😀\U0010ffff\uffff '\"\\ "
        appended = run(store.append([say(nasty, kind=kind) for kind in Kind]))
        page = run(store.read("lobby", limit=9))
        assert page == appended
        assert all(event.text == nasty and isinstance(event.kind, Kind) for event in page)

    def test_a_lone_surrogate(self) -> None:
        """What is no text may be refused: then nothing of its batch stands, and the next batch does."""
        store = self.opened(Clock().seconds)
        try:
            run(store.append([say("fine"), say("\ud800")]))
        except UnicodeEncodeError:
            assert run(store.read("lobby", limit=9)) == []
        before = len(run(store.read("lobby", limit=9)))
        assert run(store.append([say("after")]))[0].seq == before + 1

    def test_closes_unopened(self) -> None:
        """A store that was never opened can be closed."""
        run(self.make(Clock().seconds).close())


def run(work: Coroutine[Deferred[object], object, T]) -> T:
    """The result of what finishes at once."""
    results: list[T] = []
    failures: list[BaseException] = []
    Deferred.fromCoroutine(work).addCallbacks(results.append, lambda failure: failures.append(failure.value))
    if failures:
        raise failures[0]
    (result,) = results
    return result


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
