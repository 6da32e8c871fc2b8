"""Stores in a folder of their own, and what several tests do with them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from twistedchat.events import Draft, Event, Kind
from twistedchat.stores.base import Stored, StoreError
from twistedchat.stores.sqlite_log import Log
from twistedchat.stores.sqlite_reader import Reader

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence


def sentence(attempt: Callable[[], object]) -> str:
    with pytest.raises(StoreError) as raised:
        attempt()
    return str(raised.value)


class FileCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "chatroom.db"

    def make_log(self) -> Log:
        log = Log(self.path, "full")
        self.addCleanup(log.close)
        return log

    def written(self) -> None:
        log = self.make_log()
        log.open()
        log.append([draft("lobby", Kind.SAY, "alice", "hello")], 1000)
        log.close()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


def add_mood(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE events ADD COLUMN mood TEXT")


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE rooms")
    connection.execute("no SQL")


def say(text: str, room: str = "lobby", key: str | None = None) -> Draft:
    return draft(room, Kind.SAY, "alice", text, key)


def stored(log: Log, batch: Sequence[Draft], now_ms: int = 0) -> list[Event]:
    """Append, and see that all of it stands."""
    outcomes = log.append(batch, now_ms)
    return [outcome.event for outcome in outcomes if isinstance(outcome, Stored)]


class LogCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "chatroom.db"

    def open_log(self) -> Log:
        log = Log(self.path, "full")
        self.addCleanup(log.close)
        log.open()
        return log

    def open_reader(self) -> Reader:
        reader = Reader(self.path)
        self.addCleanup(reader.close)
        reader.open()
        return reader

    def read(self, room: str = "lobby") -> list[Event]:
        reader = self.open_reader()
        page = reader.read(room, after=0, before=None, limit=10**6)
        reader.close()
        return page
