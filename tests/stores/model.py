"""What a store is compared with: a model in a dozen lines; and the SQLite store without its threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from typing_extensions import override

from tests.drafts import draft
from twistedchat.events import Draft, Event, Kind
from twistedchat.stores.base import ROOMS_PER_PAGE, Outcome, RoomSummary, Store, Stored
from twistedchat.stores.sqlite_log import Log
from twistedchat.stores.sqlite_reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

T = TypeVar("T")


class SqliteInThisThread(Store):
    """The SQLite store without its threads; its tail is moved when a test says so."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.identity = ""
        self.log = Log(path, "normal")
        self.reader = Reader(path)
        self.clock = clock

    @override
    async def open(self) -> None:
        self.log.open()
        self.reader.open()
        self.identity = self.log.identity

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        return self.log.append(batch, int(self.clock() * 1000))

    @override
    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        return self.log.outcomes(batch)

    @override
    async def read(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int | None = None,
    ) -> Sequence[Event]:
        return self.reader.read(room, after=after, before=before, limit=limit, max_bytes=max_bytes)

    @override
    async def room(self, name: str) -> RoomSummary:
        return self.reader.room(self.log.names.find(name) or name)

    @override
    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        return self.reader.rooms(after, limit)

    @override
    async def shut(self, room: str, *, is_shut: bool) -> None:
        self.log.shut(room, is_shut=is_shut)

    @override
    async def put_away(self, room: str) -> None:
        self.log.put_away(room)

    @override
    def follow(self, heard: Callable[[str, int], None]) -> None:
        pass

    @override
    async def close(self) -> None:
        self.reader.close()
        self.log.close()


def run(work: Coroutine[Deferred[object], object, T]) -> T:
    """The result of what finishes at once."""
    results: list[T] = []
    failures: list[BaseException] = []
    Deferred.fromCoroutine(work).addCallbacks(results.append, lambda failure: failures.append(failure.value))
    if failures:
        raise failures[0]
    (result,) = results
    return result


class Model:
    """A store in a dozen lines: each room a list."""

    def __init__(self) -> None:
        self.rooms: dict[str, list[Event]] = {}
        self.keys: dict[tuple[str, str], Event] = {}
        self.hidden: dict[str, int] = {}

    def append(self, draft: Draft, now_ms: int) -> Stored:
        if draft.key is not None and (draft.room, draft.key) in self.keys:
            return Stored(self.keys[draft.room, draft.key], fresh=False)
        log = self.rooms.setdefault(draft.room, [])
        at = log[-1].at + 1 if log and now_ms < log[-1].at else now_ms
        event = Event(draft.room, len(log) + 1, at, draft.kind, draft.who, draft.text, draft.tags)
        log.append(event)
        if draft.key is not None:
            self.keys[draft.room, draft.key] = event
        return Stored(event, fresh=True)

    def page(self, room: str, after: int | None, before: int | None, limit: int, max_bytes: int | None) -> list[Event]:
        log = self.rooms[room][self.hidden.get(room, 0) :]
        part = [e for e in log if (after is None or e.seq > after) and (before is None or e.seq < before)]
        part = part[-limit:] if after is None else part[:limit]
        while (
            max_bytes is not None and len(part) > 1 and sum(len((e.text + e.tags).encode()) for e in part) > max_bytes
        ):
            del part[0 if after is None else -1]
        return part

    def put_away(self, room: str) -> None:
        self.hidden[room] = len(self.rooms.get(room, []))

    def summary(self, room: str) -> RoomSummary:
        log, hidden = self.rooms[room], self.hidden.get(room, 0)
        topics = [(event.text, event.seq) for event in log[hidden:] if event.kind is Kind.TOPIC]
        topic, topic_seq = (topics or [("", 0)])[-1]
        return RoomSummary(room, len(log), log[-1].at, topic, hidden=hidden, topic_seq=topic_seq)


rooms = st.sampled_from(["lobby", "python", "Ünï\0"])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
drafts = st.builds(
    draft,
    rooms,
    st.sampled_from(Kind),
    texts,
    texts,
    st.none() | st.sampled_from(["k1", "k2", "k\0", "k\0x", ""]),
    st.sampled_from(["", "+a=1;+b/c"]),
)
times = st.integers(0, 2**33).map(lambda second: second / 8)
batches = st.lists(
    st.tuples(times, st.lists(drafts, min_size=1, max_size=30), st.booleans(), st.none() | rooms), max_size=6
)
bounds = st.none() | st.integers(-2, 40)
Batches = list[tuple[float, list[Draft], bool, str | None]]
Reads = list[tuple[int | None, int | None, int, int | None]]


def any_sequence(test: Callable[[Any, Batches, Reads], None]) -> Callable[[Any], None]:
    reads = st.lists(st.tuples(bounds, bounds, st.integers(1, 50), st.none() | st.integers(0, 200)), max_size=4)
    return settings(deadline=None, max_examples=60)(given(batches=batches, reads=reads)(test))


def follow_model(
    opened: Callable[[Callable[[], float]], Store],
    batches: Batches,
    reads: Reads,
) -> None:
    now = 0.0
    store, model = opened(lambda: now), Model()
    for now, batch, settled, ended in batches:  # the store's clock is `now`
        expected = [model.append(draft, int(now * 1000)) for draft in batch]
        assert run(store.append(batch)) == expected
        if settled and isinstance(store, SqliteInThisThread):
            store.log.settle(below=1)
        if ended is not None:
            model.put_away(ended)
            run(store.put_away(ended))
    for room, log in model.rooms.items():
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        for after, before, limit, max_bytes in reads:
            page = run(store.read(room, after=after, before=before, limit=limit, max_bytes=max_bytes))
            assert page == model.page(room, after, before, limit, max_bytes)
    summaries = sorted(map(model.summary, model.rooms))
    assert run(store.rooms()) == [summary for summary in summaries if summary.seq > summary.hidden]
    assert [run(store.room(summary.name)) for summary in summaries] == summaries
    run(store.close())
