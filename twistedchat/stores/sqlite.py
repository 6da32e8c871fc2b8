"""The store in a SQLite file, as a server uses it: the work is done in two threads of its own.

Knows the reactor and the threads; what is done in them is in `twistedchat.stores.sqlite_log`.
"""

from __future__ import annotations

import contextlib
import time
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from typing_extensions import override

from twistedchat.stores.base import ROOMS_PER_PAGE, RoomSummary, Store, StoreError
from twistedchat.stores.sqlite_log import Log
from twistedchat.stores.sqlite_reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads
    from twisted.python.failure import Failure

    from twistedchat.events import Draft, Event
    from twistedchat.stores.base import Outcome
    from twistedchat.stores.sqlite_file import Sync

__all__ = ["SqliteStore"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_log = Logger()

_BREATH_EVERY_SECONDS = 0.002
_BREATH_SECONDS = 0.0001
"""Interval and length of the pauses, in seconds, in which a busy reactor leaves the interpreter to a store's thread.

Source: measured, with turns of 0.3 ms of pure Python that never idle: the slowest of many batches takes 70 ms;
without it, 2,400 ms.
"""


class _Breath:
    """Keeps a busy reactor from starving the threads that it waits for.

    A thread that comes out of SQLite needs the interpreter's lock. A reactor that never idles lets it go for
    microseconds, too short for another thread to wake up and take it, again and again: so no fair turn comes.
    """

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._under_way = 0
        self._next: IDelayedCall

    @contextlib.contextmanager
    def while_waiting(self) -> Iterator[None]:
        """Within it, from time to time, the reactor's thread sleeps for a moment."""
        if not self._under_way:
            self._next = self._reactor.callLater(_BREATH_EVERY_SECONDS, self._breathe)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._next.cancel()

    def _breathe(self) -> None:
        time.sleep(_BREATH_SECONDS)
        self._next = self._reactor.callLater(_BREATH_EVERY_SECONDS, self._breathe)


class _OneThread(ThreadPool):
    """Does one thing at a time, in the order asked; does not keep alive a process that wants to end."""

    threadFactory = staticmethod(partial(Thread, daemon=True))  # type: ignore[assignment]  # it makes one

    def __init__(self, name: str) -> None:
        super().__init__(1, 1, name)


class SqliteStore(Store):
    """Keeps the logs in one file, in rooms of any length.

    Appends and reads have a thread each, so that neither waits for the other and a slow disk holds up
    nobody. A call whose Deferred is cancelled is carried out all the same.

    Args:
        path: The file. A relative one is taken from the folder that is current at the time of `open`.
        sync: What an appended event survives.
        reactor: Where the answers of the threads come in; it also provides IReactorTime.
        clock: Seconds since 1970.
    """

    def __init__(self, path: Path, *, sync: Sync, reactor: IReactorFromThreads, clock: Callable[[], float]) -> None:
        self.identity = ""
        self._path = path
        self._reactor = reactor
        self._clock = clock
        self._breath = _Breath(IReactorTime(reactor))
        self._log = Log(path, sync)
        self._reader = Reader(path)
        self._appending = _OneThread("append")
        self._reading = _OneThread("read")

    @override
    async def open(self) -> None:
        self._appending.start()
        self._reading.start()
        await self._run(self._appending, self._log.open)
        await self._run(self._reading, self._reader.open)
        self.identity = self._log.identity

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        outcomes = await self._run(self._appending, self._log.append, batch, int(self._clock() * 1000))
        if self._log.must_settle:
            # Whoever waits for the outcomes does not wait for this; the next append does.
            Deferred.fromCoroutine(self._run(self._appending, self._log.settle)).addErrback(self._not_settled)
        return outcomes

    @override
    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        return await self._run(self._appending, self._log.outcomes, batch)

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
        return await self._run(
            self._reading, self._reader.read, room, after=after, before=before, limit=limit, max_bytes=max_bytes
        )

    @override
    async def room(self, name: str) -> RoomSummary:
        kept = self._log.names.find(name)
        if kept is None:
            return RoomSummary(name, 0, 0, "")
        return await self._run(self._reading, self._reader.room, kept)

    @override
    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        return await self._run(self._reading, self._reader.rooms, after, limit)

    @override
    async def shut(self, room: str, *, is_shut: bool) -> None:
        await self._run(self._appending, self._log.shut, room, is_shut=is_shut)

    @override
    async def put_away(self, room: str) -> None:
        await self._run(self._appending, self._log.put_away, room)

    @override
    def follow(self, heard: Callable[[str, int], None]) -> None:
        pass

    @override
    async def close(self) -> None:
        if not self._appending.started:
            return
        # The one that appends comes last: the last to close clears up the file.
        await self._run(self._reading, self._reader.close)
        await self._run(self._appending, self._log.close)
        self._reading.stop()
        self._appending.stop()

    async def _run(self, thread: ThreadPool, work: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        if thread.joined:
            raise StoreError(f"{self._path} is closed.")
        with self._breath.while_waiting():
            return await deferToThreadPool(self._reactor, thread, work, *args, **kwargs)

    def _not_settled(self, failure: Failure) -> None:
        if failure.check(StoreError):
            _log.error("What is stored can't be put in order, and is kept as it came: {error}", error=failure.value)
        else:
            _log.failure("What is stored can't be put in order", failure)
