"""The file of a SQLite store: may it be used, is it ours, who holds it, and what its tables are.

Knows no events and no threads. Every error is a `StoreError` that names the path and the way out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["STEPS", "Sync", "check", "connect", "locked", "told", "upgrade"]

Sync = Literal["full", "normal"]
"""``full``: what is appended survives a power cut. ``normal``: it survives a crash of the server only."""

_APPLICATION_ID = 0x63686174
"""The letters "chat": by this number a file is known as a chat room's log."""

_MAX_WAL_BYTES = 16 * 1024 * 1024
"""A write-ahead log that somebody's long read has let grow is cut back to this afterwards."""

_BUSY_SECONDS = 2.0
"""How long an append waits for another program, such as an operator's shell, that writes to the file."""

_SCHEMA = (
    f"PRAGMA application_id = {_APPLICATION_ID}",
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


def _create(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA:
        connection.execute(statement)


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create,)
"""How a file of version 0 (empty), 1, 2 … becomes one of the next version. Only ever added to."""

_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk is full, {path} can't grow: make room on it.",
    sqlite3.SQLITE_IOERR: "The disk of {path} fails ({error}): see the system's log.",
    sqlite3.SQLITE_READONLY: "{path} can't be written ({error}): see its owner, permissions and file system.",
    sqlite3.SQLITE_CANTOPEN: "{path} can't be opened ({error}): see the permissions of its folder.",
    sqlite3.SQLITE_BUSY: "{path} is held by another program ({error}): end what that program does with it.",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged ({error}): move it away, or bring back a copy.",
    sqlite3.SQLITE_NOTADB: "{path} is damaged ({error}): move it away, or bring back a copy.",
}


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise within it into one sentence.

    Raises:
        StoreError: SQLite or the system failed on this path.
    """
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the error, the rest details. Source: https://sqlite.org/rescode.html
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise StoreError(_SENTENCES.get(code, "{path}: {error}.").format(path=path, error=error)) from error
    except PermissionError as error:
        raise StoreError(
            f"{error.filename} can't be read and written by this user: change its owner or permissions."
        ) from error
    except OSError as error:
        raise StoreError(f"{path} can't be used: {error.strerror}.") from error


def check(path: Path) -> None:
    """See that the path could be a store now: in nobody's use, and absent, empty, or one of ours.

    Makes and changes nothing: SQLite, which would make files beside it, has no part in it.

    Raises:
        StoreError: It could not.
    """
    with told(path):
        _check_unlocked(path)
        if not path.parent.is_dir():
            raise StoreError(f"The folder {path.parent} is missing: make it, or choose another path.")
        if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise StoreError(f"The folder {path.parent} is not writable: change that, or choose another path.")
        if path.exists():
            _check_header(path)


def _check_header(path: Path) -> None:
    if not path.is_file():
        raise StoreError(f"{path} is a folder or a device: choose a path for a file.")
    with path.open("r+b") as file:
        header = file.read(100)
    # Source: https://sqlite.org/fileformat2.html, "The Database Header"
    magic, version, application = header[:16], header[60:64], header[68:72]
    if not header:
        return
    if magic != b"SQLite format 3\0" or len(header) < 100:
        raise StoreError(f"{path} is not a database: move it away, or choose another path.")
    if int.from_bytes(application, "big") != _APPLICATION_ID:
        raise StoreError(f"{path} is a database, but not a chat room's log: choose another path.")
    _check_version(path, int.from_bytes(version, "big"), len(STEPS))


def _check_version(path: Path, version: int, newest: int) -> None:
    if version > newest:
        raise StoreError(
            f"{path} was written by a newer version of this server (format {version}, not {newest}): "
            "install that version, or choose another path."
        )


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep every other daemon off this path, by a file beside it that stays there.

    The lock is the kernel's: it ends with the process, however that ends, and an old file is no hindrance.

    Raises:
        StoreError: Another daemon has it.
    """
    descriptor = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(path, descriptor)
        yield
    finally:
        os.close(descriptor)


def _check_unlocked(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError), _lock_path(path).open("rb") as file:
        _take(path, file.fileno())


def _lock_path(path: Path) -> Path:
    return Path(f"{path}-lock")


def _take(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(f"{path} is in use by another chat server: stop that one, or choose another path.") from None


def connect(path: Path) -> sqlite3.Connection:
    """A connection on which a statement is its own transaction, for one thread at a time."""
    # Absolute: SQLite would understand a name such as ":memory:" or "file:" in its own way.
    return sqlite3.connect(path.absolute(), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def upgrade(
    connection: sqlite3.Connection,
    path: Path,
    sync: Sync,
    steps: Sequence[Callable[[sqlite3.Connection], None]] = STEPS,
) -> None:
    """Make the file one of the newest version, each step in a transaction of its own, and ready to append.

    The first step is done before the file has a write-ahead log: so its header always says whose it is.

    Raises:
        StoreError: It is of a newer version.
    """
    ((version,),) = connection.execute("PRAGMA user_version")
    _check_version(path, version, len(steps))
    for number, step in enumerate(steps[version:], version + 1):
        with transaction(connection):
            step(connection)
            connection.execute(f"PRAGMA user_version = {number}")
    for pragma in ("journal_mode = WAL", f"synchronous = {sync}", f"journal_size_limit = {_MAX_WAL_BYTES}"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    # Without it macOS leaves what is synced in the disk's own cache; elsewhere it means nothing.
    connection.execute(f"PRAGMA fullfsync = {sync == 'full'}")


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
