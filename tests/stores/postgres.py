"""The PostgreSQL store as the tests of every store want it: each call has finished when it returns."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure
from typing_extensions import override

from tests.engines import new_database
from twistedchat.postgres.database import Database
from twistedchat.stores.base import ROOMS_PER_PAGE, Outcome, RoomSummary, Store
from twistedchat.stores.postgres import PostgresStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from twistedchat.events import Draft, Event

__all__ = ["PostgresNow", "Waiter"]

T = TypeVar("T")

TABLES = "chat.rooms, chat.events, chat.alike, chat.nodes, chat.people, chat.names, chat.here"

_database = cache(new_database)

FOREVER = str(2**62)


class Waiter:
    """A reactor that runs while somebody waits for something."""

    def __init__(self) -> None:
        self.reactor: Any = SelectReactor()

    def wait(self, work: Coroutine[Deferred[Any], Any, T]) -> T:
        results: list[T | Failure] = []
        Deferred.fromCoroutine(work).addTimeout(20, self.reactor).addBoth(results.append)
        while not results:
            self.reactor.runUntilCurrent()
            self.reactor.doIteration(self.reactor.timeout())
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def close(self) -> None:
        for end in self.reactor.removeAll():
            end.connectionLost(None)


class PostgresNow(Store):
    """The store in an empty database, whose clock a test moves, and whose lease does not end.

    Args:
        waiter: Waits for it.
        clock: Seconds since 1970.
    """

    def __init__(self, waiter: Waiter, clock: Callable[[], float]) -> None:
        self.identity = ""
        self.waiter = waiter
        self.clock = clock
        self.inner = PostgresStore(Database(waiter.reactor, _database()))

    @override
    async def open(self) -> None:
        self.waiter.wait(self.inner.open())
        self.identity = self.inner.identity
        self.sql(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
        self.waiter.wait(self.inner.database.renew())

    def sql(self, statement: str) -> None:
        self.waiter.wait(self.inner.database.ear.call(statement))

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        now_ms = int(self.clock() * 1000)
        self.sql(f"CREATE OR REPLACE FUNCTION chat.now_ms() RETURNS bigint LANGUAGE sql AS 'SELECT {now_ms}::bigint'")
        self.sql(f"UPDATE chat.nodes SET until = {FOREVER}")
        return self.waiter.wait(self.inner.append(batch))

    @override
    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        return self.waiter.wait(self.inner.outcomes(batch))

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
        return self.waiter.wait(self.inner.read(room, after=after, before=before, limit=limit, max_bytes=max_bytes))

    @override
    async def room(self, name: str) -> RoomSummary:
        return self.waiter.wait(self.inner.room(name))

    @override
    async def open_room(self, name: str) -> RoomSummary:
        return self.waiter.wait(self.inner.open_room(name))

    @override
    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        return self.waiter.wait(self.inner.rooms(after, limit))

    @override
    async def shut(self, room: str, *, is_shut: bool) -> None:
        self.waiter.wait(self.inner.shut(room, is_shut=is_shut))

    @override
    async def put_away(self, room: str) -> None:
        self.waiter.wait(self.inner.put_away(room))

    @override
    def follow(self, heard: Callable[[str, int], None]) -> None:
        self.inner.follow(heard)

    @override
    async def close(self) -> None:
        self.waiter.wait(self.inner.close())
