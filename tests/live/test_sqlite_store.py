"""The SQLite store with its threads and a real reactor."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted  # it ships no type hints
from twisted.internet import reactor  # a live test picks the one that runs
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from tests.drafts import draft
from twistedchat.events import Draft, Kind
from twistedchat.stores import make_store
from twistedchat.stores.base import RoomSummary, Store, Stored, StoreError
from twistedchat.stores.sqlite_log import TAIL_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from twistedchat.stores.base import Outcome

ABANDONED = """
import sys
from twisted.internet import reactor  # noqa: TID251  # a live test picks the one that runs
from twisted.internet.defer import ensureDeferred
from twistedchat.stores import make_store

store = make_store(f"sqlite:{sys.argv[1]}", reactor=reactor, clock=reactor.seconds)
ensureDeferred(store.open()).addCallback(lambda _: reactor.stop())
reactor.run()
print("ended")
"""


def live(test: Callable[..., Coroutine[Deferred[Any], Any, None]]) -> Callable[..., None]:
    """A test that waits for the reactor."""
    waiting: Callable[..., None] = pytest_twisted.ensureDeferred(test)
    return waiting


def store_at(path: Path) -> Store:
    loop: Any = reactor
    return make_store(f"sqlite:{path}", reactor=loop, clock=loop.seconds)


def soon(work: Coroutine[Deferred[Any], Any, Any]) -> Deferred[Any]:
    """What must not take long."""
    loop: Any = reactor
    return Deferred.fromCoroutine(work).addTimeout(20, loop)


def batch(text: str, count: int = 1) -> list[Draft]:
    return [draft("lobby", Kind.SAY, "alice", text)] * count


def seq_of(outcomes: Sequence[Outcome]) -> int:
    (outcome,) = outcomes
    assert isinstance(outcome, Stored)
    return outcome.event.seq


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


@live
async def test_appends_and_reads(tmp_path: Path) -> None:
    """What is appended is read; appends and pages asked for at once all come."""
    store = store_at(tmp_path / "chatroom.db")
    await soon(store.open())
    answers = await gatherResults(
        [soon(store.append(batch(str(number), 100))) for number in range(5)]
        + [soon(store.read("lobby", after=0, limit=500)) for _ in range(5)]
    )
    assert [outcome.event.seq for answer in answers[:5] for outcome in answer] == list(range(1, 501))
    page = await soon(store.read("lobby", limit=3))
    assert [event.seq for event in page] == [498, 499, 500]
    assert await soon(store.rooms()) == [RoomSummary("lobby", 500, page[-1].at, "")]
    await soon(store.close())


@live
async def test_the_tail_is_moved(tmp_path: Path) -> None:
    """When the tail is long it is moved without being asked, and neither appends nor pages are disturbed."""
    store = store_at(tmp_path / "chatroom.db")
    await soon(store.open())
    for number in range(6):
        drafts = [draft(f"room{index % 400}", Kind.SAY, "alice", str(number)) for index in range(800)]
        await soon(store.append(drafts))
        assert [event.seq for event in await soon(store.read("room7", after=0, limit=99))] == [
            *range(1, 2 * number + 3)
        ]
    await soon(store.append(batch("after")))
    with contextlib.closing(sqlite3.connect(tmp_path / "chatroom.db")) as connection:
        ((moved,),) = connection.execute("SELECT count(*) FROM events")
    assert moved >= 4801 - TAIL_EVENTS
    await soon(store.close())


@live
async def test_rooms_as_they_stand(tmp_path: Path) -> None:
    """A room is found by what looks like its name, in the next life too; the identity of the log stays."""
    identities = set()
    for life in range(2):
        store = store_at(tmp_path / "chatroom.db")
        await soon(store.open())
        identities.add(store.identity)
        assert (await soon(store.room("L0BBY"))).seq == life
        assert seq_of(await soon(store.append(batch("x")))) == life + 1
        assert (await soon(store.room("L0BBY")))[:2] == ("lobby", life + 1)
        assert await soon(store.room("new")) == RoomSummary("new", 0, 0, "")
        await soon(store.close())
    assert len(identities) == 1


@live
async def test_a_busy_reactor(tmp_path: Path) -> None:
    """A reactor that is busy all the time, in short turns of pure Python, does not starve the store."""
    loop: Any = reactor

    def busy() -> None:
        until = loop.seconds() + 0.0003
        while loop.seconds() < until:
            pass
        turns.append(loop.callLater(0, busy))

    store = store_at(tmp_path / "chatroom.db")
    await soon(store.open())
    turns: list[Any] = []
    busy()
    begun = loop.seconds()
    for _ in range(60):
        await soon(store.append(batch("x", 1000)))
    turns[-1].cancel()
    assert loop.seconds() - begun < 5  # half a second; starved, seven or more
    await soon(store.close())


@live
async def test_closes_after_what_is_under_way(tmp_path: Path) -> None:
    """What was asked before close is answered and stored; afterwards no thread is left, and asking fails."""
    before = threads()
    store = store_at(tmp_path / "chatroom.db")
    await soon(store.open())
    assert len(threads() - before) == 2
    asked = [soon(store.append(batch("x", 1000))) for _ in range(5)]
    await soon(store.close())
    assert all(answer.called for answer in asked)
    assert threads() == before
    for late in (store.append(batch("late")), store.read("lobby", limit=1), store.rooms()):
        with pytest.raises(StoreError, match="closed"):
            await soon(late)
    store = store_at(tmp_path / "chatroom.db")
    await soon(store.open())
    assert (await soon(store.rooms()))[0].seq == 5000
    await soon(store.close())


@live
async def test_closes_after_a_failed_open(tmp_path: Path) -> None:
    """A store that is refused can be closed, leaves no thread, and does not disturb the one that has the lock."""
    holder = store_at(tmp_path / "chatroom.db")
    await soon(holder.open())
    before = threads()
    refused = store_at(tmp_path / "chatroom.db")
    with pytest.raises(StoreError, match="in use by another chat server"):
        await soon(refused.open())
    await soon(refused.close())
    assert threads() == before
    assert seq_of(await soon(holder.append(batch("still here")))) == 1
    await soon(holder.close())


@live
async def test_cancelled(tmp_path: Path) -> None:
    """An append whose Deferred is cancelled is carried out, and disturbs nothing after it."""
    store = store_at(tmp_path / "chatroom.db")
    opening = soon(store.open())
    opening.cancel()
    with pytest.raises(CancelledError):
        await opening
    await soon(store.close())
    store = store_at(tmp_path / "chatroom.db")
    await soon(store.open())
    appending = soon(store.append(batch("x", 1000)))
    appending.cancel()
    with pytest.raises(CancelledError):
        await appending
    assert seq_of(await soon(store.append(batch("next")))) == 1001
    await soon(store.close())


def test_does_not_keep_the_process(tmp_path: Path) -> None:
    """When the reactor stops and nobody closes the store, the process ends all the same, in silence."""
    ended = subprocess.run(  # our own program
        [sys.executable, "-c", ABANDONED, str(tmp_path / "chatroom.db")],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("ended\n", "", 0)
