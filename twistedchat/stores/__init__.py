"""Where the logs are kept. A store is named by a URL: ``memory:``, ``sqlite:`` and a path, or ``postgresql://``."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twistedchat.stores.base import Store, StoreError
from twistedchat.stores.memory import MemoryStore
from twistedchat.stores.sqlite import SqliteStore
from twistedchat.stores.sqlite_file import check
from twistedchat.stores.sqlite_schema import new_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IReactorFromThreads

    from twistedchat.stores.sqlite_file import Sync

__all__ = ["check_store", "is_shared", "make_store"]


def is_shared(url: str) -> bool:
    """Whether a URL names a database that several nodes share."""
    return url.startswith(("postgresql://", "postgres://"))


def make_store(
    url: str, *, sync: Sync = "full", node: str = "", reactor: IReactorFromThreads, clock: Callable[[], float]
) -> Store:
    """The store that a URL names, not yet open.

    Args:
        url: ``memory:``, ``sqlite:chatroom.db`` (in the current folder) or ``sqlite:/var/lib/chatroom.db``; or what
            libpq takes, ``postgresql://chat@db1,db2/chat?target_session_attrs=read-write``.
        sync: What an appended event survives, if the store outlives the server at all.
        node: The name of this node, where there are several.
        reactor: Where a store's threads bring their answers, or whose sockets it uses; it also provides IReactorTime.
        clock: Seconds since 1970.

    Raises:
        StoreError: There is no such store.
    """
    if is_shared(url):
        with _extra():
            from twistedchat.postgres.database import Database  # noqa: PLC0415  libpq is an extra
            from twistedchat.stores.postgres import PostgresStore  # noqa: PLC0415  the same
        return PostgresStore(Database(cast("Any", reactor), url, sync=sync, name=node))
    path = _path(url)
    if path is None:
        return MemoryStore(clock, new_identity())
    return SqliteStore(path, sync=sync, reactor=reactor, clock=clock)


def check_store(url: str, folder: str = ".") -> None:
    """See that a store could be opened now, before there is a reactor. Makes and changes nothing.

    Args:
        url: As for `make_store`.
        folder: Where a relative path begins: the folder in which the server will run.

    Raises:
        StoreError: It could not; one sentence that says why and what to do.
    """
    if is_shared(url):
        with _extra():
            from twistedchat.postgres.check import check as check_shared  # noqa: PLC0415  libpq is an extra
        check_shared(url)
    elif (path := _path(url)) is not None:
        check(folder / path)


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Say what to install, if what is imported within it is not there."""
    try:
        yield
    except ImportError as error:
        raise StoreError("A PostgreSQL database needs the extra [nodes]: pip install 'twistedchat[nodes]'.") from error


def _path(url: str) -> Path | None:
    """The file of a SQLite store; None for the memory."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        return Path(rest)
    if url == "memory:":
        return None
    raise StoreError(
        f"There is no store {url!r}: it can be sqlite:PATH, such as sqlite:chatroom.db, "
        "postgresql://USER@HOST/DATABASE for many nodes, or memory: (all is forgotten when the server stops)."
    )
