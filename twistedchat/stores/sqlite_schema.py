"""The tables of a SQLite store, and how a file of each older version becomes one of the next. Knows no paths.

Events stand in two tables of the same columns. ``events`` is clustered by room, for reading; ``tail`` is in the
order of arrival, for appending: a commit that has lines of 500 rooms changes a page or two of it, but 500 pages
of ``events``. From time to time all of the tail is moved into ``events`` in one transaction.
"""

from __future__ import annotations

import contextlib
import secrets
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

__all__ = ["APPLICATION_ID", "STEPS", "new_identity", "transaction"]

APPLICATION_ID = 0x63686174
"""Number in the header by which a file is known as a chat room's log. Source: the letters "chat"."""

_IDENTITY_LETTERS = string.ascii_lowercase + string.digits
_IDENTITY_LENGTH = 8
"""Length of a log's identity, in letters and digits.

Source: 41 bits; of a million logs two have the same with a chance of 1 in 6.
"""

_VERSION_1 = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    """CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
)""",
    """CREATE TABLE events (
    room INTEGER NOT NULL REFERENCES rooms,
    seq INTEGER NOT NULL,  -- 1, 2, 3 ... in its room
    at INTEGER NOT NULL,   -- milliseconds since 1970, UTC
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    text TEXT NOT NULL,
    key TEXT,              -- the sender's mark for "this line, once"
    PRIMARY KEY (room, seq)
) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX events_by_key ON events (room, key) WHERE key IS NOT NULL",
    "CREATE INDEX topics ON events (room, seq) WHERE kind = 'topic'",
    """CREATE VIEW log AS  -- for people: SELECT * FROM log WHERE room = 'lobby'
    SELECT name AS room, seq, strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') AS time, kind, who, text
    FROM events JOIN rooms ON rooms.id = events.room""",
)

_VERSION_2 = (
    """CREATE TABLE tail (      -- the newest events, as they came; moved into events from time to time
    room INTEGER NOT NULL REFERENCES rooms,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    text TEXT NOT NULL,
    key TEXT
)""",
    "CREATE UNIQUE INDEX tail_by_seq ON tail (room, seq)",
    "CREATE UNIQUE INDEX tail_by_key ON tail (room, key) WHERE key IS NOT NULL",
    "CREATE INDEX topics_of_tail ON tail (room, seq) WHERE kind = 'topic'",
    "CREATE TABLE store (identity TEXT NOT NULL)  -- one row",
    "DROP VIEW log",
    """CREATE VIEW log AS  -- for people: SELECT * FROM log WHERE room = 'lobby'
    SELECT name AS room, seq, strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') AS time, kind, who, text
    FROM events JOIN rooms ON rooms.id = events.room
    UNION ALL
    SELECT name AS room, seq, strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') AS time, kind, who, text
    FROM tail JOIN rooms ON rooms.id = tail.room""",
)

_VERSION_3 = (
    "ALTER TABLE events ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE tail ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    # Up to this seq the log is put away. SQLite takes no comment behind a column that it adds.
    "ALTER TABLE rooms ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE rooms ADD COLUMN is_shut INTEGER NOT NULL DEFAULT 0",
)


def new_identity() -> str:
    """An identity for a log: 8 lower-case letters and digits."""
    return "".join(secrets.choice(_IDENTITY_LETTERS) for _ in range(_IDENTITY_LENGTH))


def _create(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_1:
        connection.execute(statement)


def _add_tail_and_identity(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_2:
        connection.execute(statement)
    connection.execute("INSERT INTO store (identity) VALUES (?)", (new_identity(),))


def _add_tags_and_hidden(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_3:
        connection.execute(statement)


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create, _add_tail_and_identity, _add_tags_and_hidden)
"""Steps by which a file of version 0 (empty), 1, 2 … becomes one of the next version. Only ever added to."""


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything within it is in the file, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
