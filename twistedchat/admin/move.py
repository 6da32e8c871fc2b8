"""Moving a log from one store to another: SQLite to PostgreSQL, or back. Knows sources and targets, no SQL.

Everything is there at the end, or nothing: the target is filled in one transaction, and counted before it is
committed. The source stays as it was.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.admin import sqlite_log
from twistedchat.admin.rows import Tally, counted
from twistedchat.stores import is_shared
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from twistedchat.admin.rows import Line, Source, Target

__all__ = ["Moved", "move"]

PROGRESS_EVENTS = 100_000
"""Events after which it is told how far the move has come. Source: about half a second of it, measured."""


class Moved(NamedTuple):
    """What was moved."""

    rooms: int
    events: int
    keys: int


def move(origin: str, destination: str, tell: Callable[[str], None]) -> Moved:
    """Move a log.

    Args:
        origin: A store, as ``--store`` names it.
        destination: Another one, which must have no events.
        tell: Is told how far it has come.

    Raises:
        StoreError: It can't be done; nothing has changed.
    """
    with _source(origin, tell) as source, _target(destination) as target:
        return _fill(source, target, tell)


def _fill(source: Source, target: Target, tell: Callable[[str], None]) -> Moved:
    rooms = source.rooms()
    passed: dict[int, Tally] = {}
    target.fill(source.identity, rooms, _watched(counted(source.lines(), passed), tell))
    heads = {room.name: (room.seq, room.at) for room in rooms}
    expected = {room.name: passed.get(room.number, Tally()) for room in rooms}
    for name, tally in expected.items():
        if heads[name] != (tally.seq, tally.at):
            raise StoreError(
                f"#{name} ends at {heads[name][0]:,}, but the last of its events is {tally.seq:,}: "
                "somebody has changed the log by hand. Nothing was moved."
            )
    if target.tallies() != expected:
        raise StoreError("The two logs differ after the move: somebody has changed one. Nothing was moved.")
    target.commit()
    return Moved(
        len(rooms), sum(tally.events for tally in passed.values()), sum(tally.keys for tally in passed.values())
    )


def _watched(lines: Iterable[Line], tell: Callable[[str], None]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if number and not number % PROGRESS_EVENTS:
            tell(f"{number:,} events so far.")
        yield line


@contextlib.contextmanager
def _source(url: str, tell: Callable[[str], None]) -> Iterator[Source]:
    path = _path(url)
    if path is not None:
        with sqlite_log.open_source(path) as file:
            yield file
        return
    with _postgres().open_source(url) as database:
        if database.is_in_use():
            tell("A daemon runs on it: what is said from now on is not moved.")
        yield database


@contextlib.contextmanager
def _target(url: str) -> Iterator[Target]:
    path = _path(url)
    if path is not None:
        with sqlite_log.open_target(path) as file:
            yield file
        return
    with _postgres().open_target(url) as database:
        yield database


def _postgres() -> ModuleType:
    """The module for databases, which needs what not everybody has installed."""
    try:
        return import_module("twistedchat.admin.postgres_log")
    except ImportError as error:
        raise StoreError("For PostgreSQL more must be installed: pip install 'twistedchat[nodes]'") from error


def _path(url: str) -> Path | None:
    """The file of a SQLite store; None for a database.

    Raises:
        StoreError: It is neither.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        return Path(rest)
    if is_shared(url):
        return None
    raise StoreError("A log is moved from or to sqlite:PATH or postgresql://USER@HOST/DATABASE.")
