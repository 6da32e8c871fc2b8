"""How a file of an older version becomes one of the newest."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from typing_extensions import override

from tests.drafts import draft
from tests.stores.cases import FileCase, add_mood, fail
from twistedchat.events import Event, Kind
from twistedchat.stores.base import RoomSummary, Stored
from twistedchat.stores.sqlite_file import connect, upgrade
from twistedchat.stores.sqlite_reader import Reader
from twistedchat.stores.sqlite_schema import STEPS


class UpgradeTests(FileCase):
    """From version to version, one step at a time."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.connection = connect(self.path)
        self.addCleanup(self.connection.close)
        upgrade(self.connection, self.path, steps=STEPS[:1])
        self.connection.execute("INSERT INTO rooms VALUES (1, 'lobby'), (2, 'python')")
        self.connection.execute(
            """INSERT INTO events VALUES
            (1, 1, 1000, 'say', 'alice', 'hello', 'k'),
            (1, 2, 1000, 'topic', 'alice', 'tea', NULL),
            (2, 1, 2000, 'me', 'bob', 'waves', NULL)"""
        )

    def version(self) -> int:
        ((version,),) = self.connection.execute("PRAGMA user_version")
        assert isinstance(version, int)
        return version

    def test_version_1(self) -> None:
        """A log of version 1 keeps its events, keys, topics and seqs, and gets an identity that stays."""
        self.connection.close()
        identities = set()
        for number in range(3):
            log, reader = self.make_log(), Reader(self.path)
            log.open()
            reader.open()
            (again,) = log.append([draft("lobby", Kind.SAY, "alice", "again", "k")], 3000)
            assert again == Stored(Event("lobby", 1, 1000, Kind.SAY, "alice", "hello"), fresh=False)
            (new,) = log.append([draft("python", Kind.SAY, "bob", str(number))], 3000)
            assert new == Stored(Event("python", 2 + number, 3000, Kind.SAY, "bob", str(number)), fresh=True)
            assert reader.room("lobby") == RoomSummary("lobby", 2, 1000, "tea", topic_seq=2)
            assert len(reader.read("python", after=0, before=None, limit=9)) == 2 + number
            identities.add(log.identity)
            reader.close()
            log.close()
        assert len(identities) == 1
        self.connection = connect(self.path)
        self.addCleanup(self.connection.close)
        assert self.version() == 3
        assert self.connection.execute("SELECT count(*) FROM tail").fetchall() == [(0,)]

    def test_only_the_missing_steps(self) -> None:
        """A log of version 1 takes the second step alone, keeps its events, and then no step."""
        for _ in range(2):
            upgrade(self.connection, self.path, steps=(fail, add_mood))
            assert self.version() == 2
        assert self.connection.execute("SELECT text, mood FROM events WHERE room = 2").fetchall() == [("waves", None)]

    def test_a_step_that_fails(self) -> None:
        """A step that fails leaves the log as the step before it made it."""
        with pytest.raises(sqlite3.OperationalError):
            upgrade(self.connection, self.path, steps=(*STEPS, add_mood, fail))
        assert self.version() == len(STEPS) + 1
        assert self.connection.execute("SELECT name FROM rooms").fetchall() == [("lobby",), ("python",)]

    def test_a_later_column_disturbs_nothing(self) -> None:
        """Appending and reading name their columns."""
        upgrade(self.connection, self.path, steps=(*STEPS, add_mood))
        self.connection.execute(f"PRAGMA user_version = {len(STEPS)}")
        self.connection.close()
        log, reader = self.make_log(), Reader(self.path)
        self.addCleanup(reader.close)
        log.open()
        reader.open()
        log.append([draft("python", Kind.SAY, "bob", "hi")], 2000)
        log.settle(below=1)
        page = reader.read("python", after=None, before=None, limit=9)
        assert [event.text for event in page] == ["waves", "hi"]

    def test_a_daemon_that_has_died(self) -> None:
        """Rooms that were closed when the daemon died are put away when the next one opens the file; once."""
        self.connection.close()
        log = self.make_log()
        log.open()
        log.shut("lobby", is_shut=True)
        log.shut("python", is_shut=True)
        log.shut("python", is_shut=False)
        log.shut("new", is_shut=True)
        log.append([draft("new", Kind.SAY, "bob", "hi")], 2000)
        log.close()
        for number in range(1, 3):
            log, reader = self.make_log(), Reader(self.path)
            log.open()
            reader.open()
            hidden = {name: reader.room(name).hidden for name in ("lobby", "python", "new")}
            assert hidden == {"lobby": 2, "python": 0, "new": 1}
            assert [room.name for room in reader.rooms("", 9)] == (["new", "python"] if number > 1 else ["python"])
            log.append([draft("new", Kind.SAY, "bob", "again", "k")], 2000)
            reader.close()
            log.close()

    def test_readable_by_hand(self) -> None:
        """An operator finds a view with names and times, of all that was said, also while the daemon runs."""
        self.connection.close()
        log = self.make_log()
        log.open()
        log.append([draft("python", Kind.SAY, "bob", "hi")], 2001)
        with contextlib.closing(connect(self.path)) as connection:
            assert connection.execute("SELECT * FROM log WHERE room = 'python' ORDER BY seq DESC").fetchall() == [
                ("python", 2, "1970-01-01 00:00:02.001", "say", "bob", "hi"),
                ("python", 1, "1970-01-01 00:00:02.000", "me", "bob", "waves"),
            ]
