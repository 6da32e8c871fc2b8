"""Appending to and reading from a SQLite file. Knows no reactor and no threads.

At every step that SQLite makes, its thread lets go of the interpreter's lock and then waits for it: up to
5 ms while the reactor is busy in pure Python. So whatever grows with its input is one statement that takes
one step: an insert of many rows that is its own transaction, a page that comes as one JSON text. Measured
beside a thread that never idles: to insert 1,000 events 9 ms, by ``executemany`` 1,950 ms; to read a page of
500 12 ms, row by row 350 ms.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from functools import lru_cache
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from twistedchat.events import Event, Kind
from twistedchat.stores.base import RoomSummary
from twistedchat.stores.sqlite_file import check, connect, locked, told, transaction, upgrade
from twistedchat.stores.stamp import Head, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from twistedchat.events import Draft
    from twistedchat.stores.sqlite_file import Sync

__all__ = ["KEYS", "NEWEST_PAGE", "PAGE", "ROOMS", "SUMMARIES", "Log", "Reader", "statements"]

Row = tuple[object, ...]
Statement = tuple[str, list[object]]
"""SQL and its variables."""

_MAX_ROWS = 1024
"""The most rows of one statement: more make it no faster, and its program no smaller."""

_MAX_INTEGER = 2**63 - 1
"""The greatest number of SQLite."""

_INSERT_EVENTS = """INSERT INTO events (room, seq, at, kind, who, text, key)
SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"""

_INSERT_ROOMS = "INSERT INTO rooms (id, name) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"

KEYS = """SELECT json_group_array(json_array(name, key, seq, at, kind, who, text))
FROM (VALUES {rows}) AS asked
CROSS JOIN events ON events.room = asked.column1 AND key = asked.column2
CROSS JOIN rooms ON rooms.id = events.room"""

ROOMS = """SELECT id, name, coalesce(seq, 0), coalesce(at, 0)
FROM rooms LEFT JOIN events ON room = id AND seq = (SELECT max(seq) FROM events WHERE room = id)"""

SUMMARIES = """SELECT json_group_array(json_array(name, seq, at, coalesce(
    (SELECT text FROM events AS topic INDEXED BY topics
    WHERE topic.room = id AND topic.kind = 'topic' ORDER BY topic.seq DESC LIMIT 1), '')))
FROM rooms CROSS JOIN events ON room = id AND seq = (SELECT max(seq) FROM events WHERE room = id)"""

PAGE = """SELECT json_group_array(json_array(seq, at, kind, who, text)) FROM (
    SELECT * FROM events
    WHERE room = (SELECT id FROM rooms WHERE name = :room) AND seq > :after AND seq < :before
    ORDER BY seq LIMIT :limit)"""

NEWEST_PAGE = PAGE.replace("ORDER BY seq", "ORDER BY seq DESC")


class Log:
    """The one that appends: one call at a time, from any thread.

    Args:
        path: The file; its folder must be there.
        sync: What an appended event survives.
    """

    _connection: sqlite3.Connection

    def __init__(self, path: Path, sync: Sync) -> None:
        self._path = path
        self._sync = sync
        self._held = contextlib.ExitStack()
        self._ids: dict[str, int] = {}
        self._heads: dict[str, Head] = {}

    def open(self) -> None:
        """Take the lock; make the file, or bring it to the newest version.

        Raises:
            StoreError: It can't be used; it was not changed, and `close` lets go of the rest.
        """
        with told(self._path):
            check(self._path)
            self._held.enter_context(locked(self._path))
            self._connection = self._held.enter_context(contextlib.closing(connect(self._path)))
            upgrade(self._connection, self._path, self._sync)
            for number, name, seq, at in self._connection.execute(ROOMS):
                self._ids[name] = number
                self._heads[name] = Head(seq, at)

    def append(self, batch: Sequence[Draft], now_ms: int) -> list[Event]:
        """As `Store.append`.

        Args:
            batch: The drafts, in the order of arrival.
            now_ms: Milliseconds since 1970.

        Raises:
            StoreError: The file is as it was before.
        """
        with told(self._path):
            standing = self._standing(batch)
            stamped = stamp(batch, heads=self._heads, standing=standing, now_ms=now_ms)
            opened = self._numbered([room for room in stamped.heads if room not in self._ids])
            ids = self._ids | opened if opened else self._ids
            rows = [
                (ids[event.room], event.seq, event.at, event.kind.value, event.who, event.text, key)
                for event, key in stamped.fresh
            ]
            self._commit(
                [
                    *self._statements(_INSERT_ROOMS, [(number, name) for name, number in opened.items()]),
                    *self._statements(_INSERT_EVENTS, rows),
                ]
            )
        self._ids.update(opened)
        self._heads.update(stamped.heads)
        return stamped.events

    def close(self) -> None:
        """Let go of the file and the lock. As the last to close it, leaves no write-ahead log behind."""
        self._held.close()

    def _standing(self, batch: Sequence[Draft]) -> dict[tuple[str, str], Event]:
        """The stored events that have a room and key of the batch."""
        asked = [
            (self._ids[draft.room], draft.key) for draft in batch if draft.key is not None and draft.room in self._ids
        ]
        found = {}
        for statement, variables in self._statements(KEYS, asked):
            ((events,),) = self._connection.execute(statement, variables)
            for room, key, seq, at, kind, who, text in json.loads(events):
                found[room, key] = Event(room, seq, at, Kind(kind), who, text)
        return found

    def _numbered(self, rooms: Sequence[str]) -> dict[str, int]:
        if not rooms:
            return {}
        return {room: number for number, room in enumerate(rooms, max(self._ids.values(), default=0) + 1)}

    def _statements(self, template: str, rows: Sequence[Row]) -> Iterator[Statement]:
        return statements(template, rows, self._connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))

    def _commit(self, work: Sequence[Statement]) -> None:
        if len(work) == 1:
            self._connection.execute(*work[0])
        elif work:
            with transaction(self._connection):
                for statement in work:
                    self._connection.execute(*statement)


def statements(template: str, rows: Sequence[Row], max_variables: int) -> Iterator[Statement]:
    """The rows in as few statements as can be, and of few sizes, so that SQLite finds them prepared.

    Each has room for a power of two of rows; what it does not fill is NULL, which every template passes over.

    Args:
        template: SQL with ``{rows}``.
        rows: All of one width.
        max_variables: What SQLite allows in a statement: 999 before its version 3.32, then 32,766 or more.
    """
    if not rows:
        return
    width = len(rows[0])
    most = min(_MAX_ROWS, 1 << (max_variables // width).bit_length() - 1)
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        size = 1 << (len(part) - 1).bit_length()
        yield _sql(template, width, size), [*chain.from_iterable(part), *repeat(None, width * (size - len(part)))]


@lru_cache
def _sql(template: str, width: int, size: int) -> str:
    row = f"({','.join('?' * width)})"
    return template.format(rows=",".join([row] * size))


class Reader:
    """The one that reads, also while a `Log` appends: one call at a time, from any thread.

    Args:
        path: The file of a `Log` that is open.
    """

    _connection: sqlite3.Connection

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = contextlib.ExitStack()

    def open(self) -> None:
        """Make ready.

        Raises:
            StoreError: It can't be read.
        """
        with told(self._path):
            self._connection = self._held.enter_context(contextlib.closing(connect(self._path)))
            self._connection.execute("PRAGMA query_only = ON")

    def read(self, room: str, *, after: int | None, before: int | None, limit: int) -> list[Event]:
        """As `Store.read`."""
        page = self._json(
            NEWEST_PAGE if after is None else PAGE,
            room=room,
            after=0 if after is None else _storable(after),
            before=_MAX_INTEGER if before is None else _storable(before),
            limit=limit,
        )
        return [Event(room, seq, at, Kind(kind), who, text) for seq, at, kind, who, text in sorted(page)]

    def rooms(self) -> list[RoomSummary]:
        """As `Store.rooms`."""
        return [RoomSummary(*summary) for summary in self._json(SUMMARIES)]

    def close(self) -> None:
        """Let go of the file; also if `open` failed."""
        self._held.close()

    def _json(self, statement: str, **variables: object) -> list[list[Any]]:
        with told(self._path):
            ((text,),) = self._connection.execute(statement, variables)
        rows: list[list[Any]] = json.loads(text)
        return rows


def _storable(seq: int) -> int:
    """A seq that somebody asked about, as one that SQLite can compare with."""
    return max(0, min(seq, _MAX_INTEGER))
