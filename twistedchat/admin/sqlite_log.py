"""A SQLite file that is moved from, or to. No daemon may have it: the lock is taken for as long."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from twistedchat.admin.rows import Room, Tally
from twistedchat.stores.base import DamagedError, StoreError
from twistedchat.stores.sqlite_file import check, told
from twistedchat.stores.sqlite_log import Log
from twistedchat.stores.sqlite_sql import HEADS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from twistedchat.admin.rows import Line

__all__ = ["SqliteSource", "SqliteTarget", "open_source", "open_target"]

_BOTH = "(SELECT * FROM events UNION ALL SELECT * FROM tail)"
"""All events; opening the file moves the tail, but a full disk may keep it from that."""

_LINES = f"SELECT room, seq, at, kind, who, text, key, tags FROM {_BOTH} ORDER BY room, seq"  # noqa: S608  no input

_TOPICS = f"SELECT room, max(seq) FROM {_BOTH} WHERE kind = 'topic' GROUP BY room"  # noqa: S608

_STRANGE = f"""SELECT name, seq FROM {_BOTH} JOIN rooms ON rooms.id = room
WHERE (typeof(seq), typeof(at)) <> ('integer', 'integer')
OR (typeof(kind), typeof(who), typeof(text), typeof(tags)) <> ('text', 'text', 'text', 'text')
OR typeof(key) NOT IN ('text', 'null') LIMIT 1"""  # noqa: S608
"""An event that we did not write: SQLite keeps values of any type in any column."""

_TALLIES = f"""SELECT name, count(*), count(key), max(seq), max(at)
FROM {_BOTH} JOIN rooms ON rooms.id = room GROUP BY room"""  # noqa: S608


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[SqliteSource]:
    """A file to move from.

    Raises:
        StoreError: There is none, a daemon has it, or it is no log.
    """
    if not path.exists():
        raise StoreError(f"There is no file {path}.")
    with _opened(path) as log, told(path):
        yield SqliteSource(path, log)


@contextlib.contextmanager
def open_target(path: Path) -> Iterator[SqliteTarget]:
    """A file to move to. One that we make is removed again unless all goes well.

    Raises:
        StoreError: It can't be written, a daemon has it, or it has events already.
    """
    is_new = not path.exists()
    check(path)
    try:
        with _opened(path) as log, told(path):
            log.connection.execute("BEGIN IMMEDIATE")
            yield SqliteTarget(path, log)
    except BaseException:
        if is_new:
            path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Log]:
    log = Log(path, "full")
    try:
        log.open()
        yield log
    finally:
        with contextlib.suppress(AttributeError, StoreError):
            # Not open, or nothing is under way.
            if log.connection.in_transaction:
                log.connection.execute("ROLLBACK")
        log.close()


class SqliteSource:
    """A file that is read.

    Attributes:
        identity: The log's.
    """

    def __init__(self, path: Path, log: Log) -> None:
        self.identity = log.identity
        self._path = path
        self._connection = log.connection

    def rooms(self) -> Sequence[Room]:
        """As `Source.rooms`."""
        for name, seq in self._connection.execute(_STRANGE):
            raise DamagedError(f"{self._path} is damaged: the event {seq} of #{name} is none. Nothing was moved.")
        topics = dict(self._connection.execute(_TOPICS))
        return [
            Room(number, name, seq, at, topics.get(number, 0), hidden)
            for number, name, hidden, seq, at in self._connection.execute(HEADS)
            if seq
        ]

    def lines(self) -> Iterator[Line]:
        """As `Source.lines`."""
        return self._connection.execute(_LINES)


class SqliteTarget:
    """A file that is filled, in one transaction."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._connection = log.connection

    def fill(self, identity: str, rooms: Sequence[Room], lines: Iterable[Line]) -> None:
        """As `Target.fill`."""
        for (count,) in self._connection.execute(f"SELECT count(*) FROM {_BOTH}"):  # noqa: S608  no input
            if count:
                raise StoreError(f"{self._path} has {count:,} events already: name a file that is not there yet.")
        numbers = {room.number: number for number, room in enumerate(rooms, 1)}
        self._connection.execute("DELETE FROM rooms")
        self._connection.executemany(
            "INSERT INTO rooms (id, name, hidden) VALUES (?, ?, ?)",
            ((number, room.name, room.hidden) for number, room in enumerate(rooms, 1)),
        )
        self._connection.executemany(
            "INSERT INTO events (room, seq, at, kind, who, text, key, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((numbers[line[0]], *line[1:]) for line in lines),
        )
        self._connection.execute("UPDATE store SET identity = ?", (identity,))

    def tallies(self) -> dict[str, Tally]:
        """As `Target.tallies`."""
        return {name: Tally(*counts) for name, *counts in self._connection.execute(_TALLIES)}

    def commit(self) -> None:
        """As `Target.commit`."""
        self._connection.execute("COMMIT")
