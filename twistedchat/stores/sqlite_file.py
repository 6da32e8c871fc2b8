"""The file of a SQLite store: may it be used, is it ours, and how a connection to it is set up.

Knows no events and no threads. Every error is a `StoreError` that names the path and the way out.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from typing import TYPE_CHECKING, Literal

from twistedchat.stores.base import DamagedError, StoreError
from twistedchat.stores.sqlite_lock import held
from twistedchat.stores.sqlite_schema import APPLICATION_ID, STEPS, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Sync", "check", "connect", "locked", "prepare", "told", "upgrade"]

Sync = Literal["full", "normal"]
"""``full``: what is appended survives a power cut. ``normal``: it survives a crash of the server only."""

_CACHE_KIB = 64 * 1024
"""Page cache of the connection that appends, in KiB: the pages that a busy server's rooms end in.

To move the tail of 500 rooms changes 500 pages or more, and SQLite's own 2 MiB hold 490. Source: measured with
200,000 events; the move takes 1.3 times as long with 2 MiB.
"""

_CHECKPOINT_PAGES = 1000
"""Size of the write-ahead log at which it is written back and begun anew, in pages.

Source: measured. A log that still grows costs a commit 0.1 ms more than one that is written over, and with 4,000
pages it grows four times as long; 500 rooms are no slower with 1,000.
"""

_MAX_WAL_BYTES = 32 * 1024 * 1024
"""Size of the write-ahead log, in bytes, to which it is cut back after somebody's long read has let it grow.

Source: twice what it holds at a checkpoint, so that the file is written over, not cut and made longer again each time.
"""

_BUSY_SECONDS = 2.0
"""Time limit, in seconds, for another program, such as an operator's shell, that writes to the file.

Source: chosen; long enough for a statement typed by hand. An append that fails is told to the senders.
"""

_DAMAGED = "{path} is damaged ({error}): bring back a copy of it, or save what can be read with sqlite3's .dump."

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}
"""SQLite's errors of a file that is not as we wrote it. SQLITE_ERROR is a table that is missing, or a value that
is of no type that we wrote. Source: https://sqlite.org/rescode.html"""

_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk is full, {path} can't grow: make room on it.",
    sqlite3.SQLITE_IOERR: "The disk of {path} fails ({error}): see the system's log.",
    sqlite3.SQLITE_READONLY: "{path} can't be written ({error}): see its owner, permissions and file system.",
    sqlite3.SQLITE_CANTOPEN: "{path} can't be opened ({error}): see the permissions of its folder.",
    sqlite3.SQLITE_BUSY: "{path} is held by another program ({error}): end what that program does with it.",
    sqlite3.SQLITE_CONSTRAINT: "Another program has written to {path} ({error}): what it wrote is counted from now on.",
}


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise within it into one sentence.

    Raises:
        StoreError: SQLite or the system failed on this path.
        DamagedError: What stands in the file is not as we wrote it.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _store_error(path, error) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DamagedError(_DAMAGED.format(path=path, error=error)) from error
    except PermissionError as error:
        raise StoreError(
            f"{error.filename} can't be read and written by this user: change its owner or permissions."
        ) from error
    except OSError as error:
        raise StoreError(f"{path} can't be used: {error.strerror}.") from error


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    # The low byte is the error, the rest details. Source: https://sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGE:
        return DamagedError(_DAMAGED.format(path=path, error=error))
    return StoreError(_SENTENCES.get(code, "{path}: {error}.").format(path=path, error=error))


def check(path: Path) -> None:
    """See that the path could be a store now: in nobody's use, and absent, empty, or one of ours.

    Makes and changes nothing: SQLite, which would make files beside it, has no part in it.

    Raises:
        StoreError: It could not.
    """
    with told(path):
        _check_place(path)
        if path.exists():
            with held(path, make=False) as descriptor:
                _check_header(path, os.pread(descriptor, 100, 0))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """The same, and keep every other daemon off it within; a file that is absent is made.

    Raises:
        StoreError: It could not be a store.
    """
    _check_place(path)
    with held(path, make=True) as descriptor:
        _check_header(path, os.pread(descriptor, 100, 0))
        yield


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"There is no folder {path.parent}: make it, or choose another path.")
    if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise StoreError(f"The folder {path.parent} is not writable: change that, or choose another path.")
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is a folder or a device: choose a path for a file.")


def _check_header(path: Path, header: bytes) -> None:
    # Source: https://sqlite.org/fileformat2.html, "The Database Header"
    magic, version, application = header[:16], header[60:64], header[68:72]
    if not header:
        return
    if magic != b"SQLite format 3\0" or len(header) < 100:
        raise StoreError(f"{path} is not a database: move it away, or choose another path.")
    if int.from_bytes(application, "big") != APPLICATION_ID:
        raise StoreError(f"{path} is a database, but not a chat room's log: choose another path.")
    _check_version(path, int.from_bytes(version, "big"), len(STEPS))


def _check_version(path: Path, version: int, newest: int) -> None:
    if version > newest:
        raise StoreError(
            f"{path} was written by a newer version of this server (format {version}, not {newest}): "
            "install that version, or choose another path."
        )


def connect(path: Path) -> sqlite3.Connection:
    """A connection on which a statement is its own transaction, for one thread at a time."""
    # Absolute: SQLite would understand a name such as ":memory:" or "file:" in its own way.
    connection = sqlite3.connect(path.absolute(), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # The module's own way of decoding raises an error that quotes the statement and the whole text.
    connection.text_factory = _decoded
    return connection


def _decoded(data: bytes) -> str:
    return data.decode()


def upgrade(
    connection: sqlite3.Connection,
    path: Path,
    steps: Sequence[Callable[[sqlite3.Connection], None]] = STEPS,
) -> None:
    """Make the file one of the newest version, each step in a transaction of its own.

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


def prepare(connection: sqlite3.Connection, sync: Sync) -> None:
    """Make a connection ready to append."""
    for pragma in (
        "journal_mode = WAL",
        f"synchronous = {sync}",
        # Without it macOS leaves what is synced in the disk's own cache; elsewhere it means nothing.
        f"fullfsync = {sync == 'full'}",
        f"cache_size = -{_CACHE_KIB}",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        f"journal_size_limit = {_MAX_WAL_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
