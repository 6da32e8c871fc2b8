"""Reading a SQLite file. Knows no reactor and no threads, nor who appends."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from twistedchat.events import Event, Kind
from twistedchat.stores.base import DamagedError, RoomSummary
from twistedchat.stores.sqlite_file import connect, told
from twistedchat.stores.sqlite_sql import MAX_INTEGER, NEWEST_PAGE, PAGE, SUMMARIES, SUMMARY

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

__all__ = ["Reader", "understood"]


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

    def read(
        self, room: str, *, after: int | None, before: int | None, limit: int, max_bytes: int | None = None
    ) -> list[Event]:
        """As `Store.read`."""
        page = self._json(
            NEWEST_PAGE if after is None else PAGE,
            room=room,
            after=0 if after is None else _storable(after),
            before=MAX_INTEGER if before is None else _storable(before),
            limit=limit,
            max_bytes=MAX_INTEGER if max_bytes is None else max_bytes,
        )
        page.sort()
        return [understood(self._path, room, *columns) for columns in page]

    def room(self, name: str) -> RoomSummary:
        """The summary of the room of exactly this name."""
        return next((RoomSummary(*summary) for summary in self._json(SUMMARY, room=name)), RoomSummary(name, 0, 0, ""))

    def rooms(self, after: str, limit: int) -> list[RoomSummary]:
        """As `Store.rooms`."""
        return [RoomSummary(*summary) for summary in self._json(SUMMARIES, after=after, limit=limit)]

    def close(self) -> None:
        """Let go of the file; also if `open` failed."""
        self._held.close()

    def _json(self, statement: str, **variables: object) -> list[list[Any]]:
        with told(self._path):
            ((text,),) = self._connection.execute(statement, variables)
            rows: list[list[Any]] = json.loads(text)
        return rows


def understood(path: Path, room: str, seq: int, at: int, kind: str, who: str, text: str, tags: str) -> Event:
    """A row as an event.

    Raises:
        DamagedError: Its kind is none that this version knows.
    """
    try:
        return Event(room, seq, at, Kind(kind), who, text, tags)
    except ValueError as error:
        raise DamagedError(
            f"{path} holds an event that this version does not understand (#{room}, seq {seq}, {error}): "
            "install the version that wrote it, or bring back a copy of the file."
        ) from error


def _storable(seq: int) -> int:
    """A seq that somebody asked about, as one that SQLite can compare with."""
    return max(0, min(seq, MAX_INTEGER))
