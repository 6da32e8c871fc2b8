"""Where the logs are kept. A store is named by a URL: ``memory:``, or ``sqlite:`` and a path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twistedchat.stores.base import Store, StoreError
from twistedchat.stores.memory import MemoryStore
from twistedchat.stores.sqlite import SqliteStore
from twistedchat.stores.sqlite_file import check
from twistedchat.stores.sqlite_schema import new_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorFromThreads

    from twistedchat.stores.sqlite_file import Sync

__all__ = ["check_store", "make_store"]


def make_store(url: str, *, sync: Sync = "full", reactor: IReactorFromThreads, clock: Callable[[], float]) -> Store:
    """The store that a URL names, not yet open.

    Args:
        url: ``memory:``, ``sqlite:chatroom.db`` (in the current folder) or ``sqlite:/var/lib/chatroom.db``.
        sync: What an appended event survives, if the store outlives the server at all.
        reactor: Where a store's threads bring their answers; it also provides IReactorTime.
        clock: Seconds since 1970.

    Raises:
        StoreError: There is no such store.
    """
    path = _path(url)
    if path is None:
        return MemoryStore(clock, new_identity())
    return SqliteStore(path, sync=sync, reactor=reactor, clock=clock)


def check_store(url: str, folder: str = ".") -> None:
    """See that a store could be opened now, before there is a reactor. Makes and changes no file.

    Args:
        url: As for `make_store`.
        folder: Where a relative path begins: the folder in which the server will run.

    Raises:
        StoreError: It could not; one sentence that says why and what to do.
    """
    path = _path(url)
    if path is not None:
        check(folder / path)


def _path(url: str) -> Path | None:
    """The file of a SQLite store; None for the memory."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        return Path(rest)
    if url == "memory:":
        return None
    raise StoreError(
        f"There is no store {url!r}: it can be sqlite:PATH, such as sqlite:chatroom.db, "
        "or memory: (all is forgotten when the server stops)."
    )
