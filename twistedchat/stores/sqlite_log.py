"""Appending to a SQLite file. Knows no reactor and no threads."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

from twistedchat.names import Register
from twistedchat.stores.base import Refused, StoreError
from twistedchat.stores.sqlite_file import connect, locked, prepare, told, upgrade
from twistedchat.stores.sqlite_reader import understood
from twistedchat.stores.sqlite_schema import transaction
from twistedchat.stores.sqlite_sql import (
    HEADS,
    INSERT_EVENTS,
    INSERT_ROOMS,
    INSERT_TAIL,
    KEYS,
    LAST_TO_MOVE,
    MAX_INTEGER,
    MOVE,
    PUT_AWAY,
    SHUT,
    SHUT_ROOMS,
    statements,
)
from twistedchat.stores.stamp import Head, know, outcomes_by_key, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from twistedchat.events import Draft, Event
    from twistedchat.stores.base import Outcome
    from twistedchat.stores.sqlite_file import Sync
    from twistedchat.stores.sqlite_sql import Row, Statement

__all__ = ["TAIL_EVENTS", "Log"]

TAIL_EVENTS = 4096
"""Length of the tail, in events, from which on a part of it is moved into the clustered table.

With 500 rooms that is 8 events for each page that a move changes. Source: measured; with 1,024 a batch of 100 lines of
500 rooms took 1.7 times as long.
"""

_MOVED_EVENTS = 1024
"""Events in one move, or a few more: all that the tail has of some rooms; the next move takes the rooms behind them.

The next append waits for it. Source: measured; all 4,096 at once took 40 to 70 ms, with keys 120 to 180.
"""

_CLUSTERED_EVENTS = 8
"""Events for each of its rooms from which on a batch goes into the clustered table at once.

Such a batch changes few pages there, and by way of the tail everything is written twice: half the speed of one
busy room. Source: measured, 1 room, batches of 20 to 1,000.
"""


class Log:
    """The one that appends: one call at a time, from any thread.

    Args:
        path: The file; its folder must be there.
        sync: What an appended event survives.

    Attributes:
        connection: To the file, while it is open.
        identity: The log's own, once it is open.
        names: Each room that has an event, under its name. `open` fills it, and `append` adds to it; other
            threads may only `find` in it.
    """

    connection: sqlite3.Connection

    def __init__(self, path: Path, sync: Sync) -> None:
        self.identity = ""
        self.names: Register[str] = Register()
        self._path = path
        self._sync = sync
        self._held = contextlib.ExitStack()
        self._ids: dict[str, int] = {}
        self._heads: dict[str, Head] = {}
        self._tail_events = 0
        self._moved_to = 0

    def open(self) -> None:
        """Take the lock; make the file, or bring it to the newest version.

        Raises:
            StoreError: It can't be used; it was not changed, and `close` lets go of the rest.
        """
        with told(self._path):
            self._held.enter_context(locked(self._path))
            self.connection = self._held.enter_context(contextlib.closing(connect(self._path)))
            upgrade(self.connection, self._path)
            prepare(self.connection, self._sync)
            ((self.identity,),) = self.connection.execute("SELECT identity FROM store")
            ((tail_events,),) = self.connection.execute("SELECT count(*) FROM tail")
            self._load()
        # Not before all is known to be readable: what is damaged is left as it is.
        self._tail_events = tail_events
        self._settle_if_possible()
        know(self.names, [room for room, head in self._heads.items() if head.seq])
        with told(self._path):
            # Closed rooms of a daemon that has died: nobody is in them any more.
            for (room,) in self.connection.execute(SHUT_ROOMS).fetchall():
                self.put_away(room)

    def append(self, batch: Sequence[Draft], now_ms: int) -> list[Outcome]:
        """As `Store.append`. A draft that can't be UTF-8 is refused, and the rest of its batch is stored.

        Args:
            batch: The drafts, in the order of arrival.
            now_ms: Milliseconds since 1970.

        Raises:
            StoreError: The file is as it was before.
        """
        try:
            return [*self._append(batch, now_ms)]
        except UnicodeEncodeError:
            faults = [_fault(draft) for draft in batch]
        sound = [draft for draft, fault in zip(batch, faults, strict=True) if fault is None]
        outcomes = iter(self._append(sound, now_ms))
        return [next(outcomes) if fault is None else fault for fault in faults]

    def outcomes(self, batch: Sequence[Draft]) -> list[Outcome]:
        """As `Store.outcomes`."""
        with told(self._path):
            return outcomes_by_key(batch, self._standing(batch))

    def shut(self, room: str, *, is_shut: bool) -> None:
        """As `Store.shut`."""
        with told(self._path):
            opened = self._numbered([room] if room not in self._ids else [])
            self._commit(
                [
                    *self._statements(INSERT_ROOMS, [(number, name) for name, number in opened.items()]),
                    (SHUT, {"is_shut": is_shut, "id": (self._ids | opened)[room]}),
                ]
            )
        self._ids.update(opened)

    def put_away(self, room: str) -> None:
        """As `Store.put_away`."""
        if room in self._ids:
            with told(self._path):
                seq = self._heads.get(room, Head()).seq
                self.connection.execute(PUT_AWAY, {"seq": seq, "id": self._ids[room]})

    @property
    def must_settle(self) -> bool:
        """Whether the tail is long enough for `settle`."""
        return self._tail_events >= TAIL_EVENTS

    def settle(self, *, below: int = TAIL_EVENTS) -> None:
        """Move parts of the tail into the clustered table; to be called between appends.

        Args:
            below: Until the tail has fewer events.

        Raises:
            StoreError: One part, and what comes behind it, is where it was before. It will be time again
                when the tail has grown by as much.
        """
        events, self._tail_events = self._tail_events, 0
        with told(self._path):
            while events >= max(below, 1):
                # Behind the last room there may be nothing: then from the first one on.
                moved = self._move() or self._move()
                events = max(0, events - moved) if moved else 0
        self._tail_events = events

    def _move(self) -> int:
        """Move what the tail has of the next rooms, and say how many events these were."""
        first = self._moved_to
        found = self.connection.execute(LAST_TO_MOVE, {"first": first, "events": _MOVED_EVENTS - 1}).fetchall()
        ((last,),) = found or [(MAX_INTEGER,)]
        with transaction(self.connection):
            moved, _ = [self.connection.execute(part, {"first": first, "last": last}).rowcount for part in MOVE]
        self._moved_to = last if found else 0
        return moved

    def close(self) -> None:
        """Let go of the file and the lock. As the last to close it, leaves no write-ahead log behind."""
        self._settle_if_possible()
        self._held.close()

    def _settle_if_possible(self) -> None:
        """Else the events stay in the tail, and are moved another time."""
        with contextlib.suppress(StoreError):
            self.settle(below=1)

    def _load(self) -> None:
        """Learn which rooms there are, and where their logs end."""
        for number, name, _, seq, at in self.connection.execute(HEADS):
            self._ids[name] = number
            self._heads[name] = Head(seq, at)

    def _append(self, batch: Sequence[Draft], now_ms: int) -> Sequence[Outcome]:
        with told(self._path):
            stamped = stamp(batch, heads=self._heads, standing=self._standing(batch), now_ms=now_ms)
            opened = self._numbered([room for room in stamped.heads if room not in self._ids])
            ids = self._ids | opened if opened else self._ids
            rows = [
                (ids[event.room], event.seq, event.at, str(event.kind), event.who, event.text, key, event.tags)
                for event, key in stamped.fresh
            ]
            to_tail = len(rows) < _CLUSTERED_EVENTS * len(stamped.heads)
            self._commit(
                [
                    *self._statements(INSERT_ROOMS, [(number, name) for name, number in opened.items()]),
                    *self._statements(INSERT_TAIL if to_tail else INSERT_EVENTS, rows),
                ]
            )
        if to_tail:
            self._tail_events += len(rows)
        know(self.names, [room for room in stamped.heads if not self._heads.get(room, Head()).seq])
        self._ids.update(opened)
        self._heads.update(stamped.heads)
        return stamped.outcomes

    def _standing(self, batch: Sequence[Draft]) -> dict[tuple[str, str], Event]:
        """The stored events that have a room and key of the batch."""
        asked = [
            (self._ids[draft.room], draft.key) for draft in batch if draft.key is not None and draft.room in self._ids
        ]
        found = {}
        for statement, variables in self._statements(KEYS, asked):
            ((events,),) = self.connection.execute(statement, variables)
            for room, key, *columns in json.loads(events):
                found[room, key] = understood(self._path, room, *columns)
        return found

    def _numbered(self, rooms: Sequence[str]) -> dict[str, int]:
        if not rooms:
            return {}
        return {room: number for number, room in enumerate(rooms, max(self._ids.values(), default=0) + 1)}

    def _statements(self, template: str, rows: Sequence[Row]) -> Iterator[Statement]:
        return statements(template, rows, self.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))

    def _commit(self, work: Sequence[Statement]) -> None:
        try:
            if len(work) == 1:
                self.connection.execute(*work[0])
            elif work:
                with transaction(self.connection):
                    for statement in work:
                        self.connection.execute(*statement)
        except sqlite3.IntegrityError:
            # Somebody has added events or rooms by hand: the next batch comes behind them.
            self._load()
            raise


def _fault(draft: Draft) -> Refused | None:
    """Why a draft can't be stored, whatever becomes of the others."""
    try:
        "".join((draft.room, draft.who, draft.text, draft.key or "", draft.tags)).encode()
    except UnicodeEncodeError as error:
        return Refused(StoreError(f"The line is no text that can be stored ({error.reason})."))
    return None
