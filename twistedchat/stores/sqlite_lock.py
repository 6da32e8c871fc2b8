"""One daemon for a database: the lock on its own inode. Knows no SQLite and no tables.

A lock by the file's name would be another lock under another name of the same file. Two facts decide how
it is done. The system drops all of a process's POSIX locks on a file, and those are SQLite's, as soon as the
process closes any descriptor of it: so the descriptor is opened before SQLite opens the file and closed after
SQLite has closed it, and never twice in one process. And on Linux ``flock`` and POSIX locks do not see each
other, while on the BSDs and macOS they do: there the lock is on a file beside the database.
Source: fcntl(2), "Record locking and POSIX"; flock(2); https://sqlite.org/howtocorrupt.html, section 2.2.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from typing import TYPE_CHECKING

from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["held"]

_PRIVATE = 0o600
"""Mode of a database that we make, whatever the umask; SQLite gives it to the files beside it, too.

Source: chosen; what is said in a room is not for other users of the machine.
"""

_LOCKS_ITSELF = sys.platform == "linux"
"""Whether ``flock`` on the database does not stand in the way of SQLite's own locks."""

_ours: set[tuple[int, int]] = set()
"""Device and inode of every database that this process holds."""


@contextlib.contextmanager
def held(path: Path, *, make: bool, locks_itself: bool = _LOCKS_ITSELF) -> Iterator[int]:
    """Keep every other daemon off a database. The kernel's lock ends with the process, however that ends.

    Args:
        path: The database, by any of its names.
        make: Make the file if there is none.
        locks_itself: Lock the database's inode; else a file beside it.

    Yields:
        A descriptor of the database. Close no other one of it within.

    Raises:
        StoreError: Another daemon has it, or this one already.
        OSError: It can't be opened.
    """
    _refuse_ours(path)
    descriptor = _open(path, make=make)
    try:
        with contextlib.ExitStack() as stack:
            _take(path, descriptor if locks_itself else stack.enter_context(_beside(path)))
            inode = _inode(os.fstat(descriptor))
            _ours.add(inode)
            stack.callback(_ours.discard, inode)
            yield descriptor
    finally:
        os.close(descriptor)


def _refuse_ours(path: Path) -> None:
    """Refuse a database that is open here: to open and close it once more would end SQLite's locks on it."""
    with contextlib.suppress(FileNotFoundError):
        if _inode(path.stat()) in _ours:
            raise _in_use(path)


def _open(path: Path, *, make: bool) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        if not make:
            raise
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    os.fchmod(descriptor, _PRIVATE)
    return descriptor


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[int]:
    """A file for the lock, beside the file that all symbolic links lead to."""
    descriptor = os.open(f"{path.resolve()}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(path) from None


def _in_use(path: Path) -> StoreError:
    return StoreError(f"{path} is in use by another chat server: stop that one, or choose another path.")


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
