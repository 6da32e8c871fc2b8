"""Which files are taken for a store, and how those that are not are told."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.events import Draft, Kind
from twistedchat.stores import check_store
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_file import STEPS, connect, told, upgrade
from twistedchat.stores.sqlite_log import Log, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = 65534


def add_mood(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE events ADD COLUMN mood TEXT")


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE rooms")
    connection.execute("no SQL")


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
        log.append([Draft("lobby", Kind.SAY, "alice", "hello")], 1000)
        log.close()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


class RefusedTests(FileCase):
    """Each file that can't be a store: one sentence, before the start and at the start, and nothing changed."""

    def refused(self, *words: str) -> None:
        before = {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        for attempt in (self.make_log().open, lambda: check_store(f"sqlite:{self.path}")):
            told = sentence(attempt)
            assert "\n" not in told
            for word in words:
                assert word in told
        after = {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        assert before == after

    def test_no_folder(self) -> None:
        """A path in a folder that is not there."""
        self.path = self.folder / "gone" / "chatroom.db"
        self.refused(str(self.path.parent), "is missing")

    def test_a_file_for_a_folder(self) -> None:
        """A path below a file."""
        (self.folder / "file").touch()
        self.path = self.folder / "file" / "chatroom.db"
        self.refused(str(self.path), "Not a directory")

    def test_a_folder(self) -> None:
        """The path of a folder."""
        self.path.mkdir()
        self.refused(str(self.path), "is a folder")

    def test_a_device(self) -> None:
        """The path of a pipe, which is not waited for."""
        os.mkfifo(self.path)
        self.refused(str(self.path), "device")

    def test_no_database(self) -> None:
        """A file of any other sort, shorter than a database's header or longer."""
        for content in (b"x", b"x" * 5000, b"SQLite format 3\0"):
            self.path.write_bytes(content)
            self.refused(str(self.path), "is not a database")

    def test_another_programs_database(self) -> None:
        """A database that has not our mark."""
        with sqlite3.connect(self.path) as connection:
            connection.execute("CREATE TABLE events (id)")
        connection.close()
        self.refused(str(self.path), "is a database, but not a chat room's log")

    def test_a_newer_version(self) -> None:
        """A log that a later version has upgraded."""
        self.written()
        connection = connect(self.path)
        upgrade(connection, self.path, "full", steps=(*STEPS, add_mood))
        connection.close()
        self.refused(str(self.path), "newer version")

    def test_not_permitted(self) -> None:
        """A file, and a folder, of somebody else."""
        if os.geteuid() != 0:
            self.path.touch(0o000)
        else:
            self.folder.chmod(0o777)
            self.written()
            os.seteuid(NOBODY)
            self.addCleanup(os.seteuid, 0)
        self.refused(str(self.folder), "can't be read and written")

    def test_a_folder_not_permitted(self) -> None:
        """A folder in which no file can be made."""
        self.folder.chmod(0o555)
        self.addCleanup(self.folder.chmod, 0o755)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
            self.addCleanup(os.seteuid, 0)
        self.refused(str(self.folder), "is not writable")


class DamagedTests(FileCase):
    """A file that begins well, but is damaged further on."""

    def test_truncated(self) -> None:
        """A log that lost its end is told as damaged when it is opened."""
        self.written()
        with self.path.open("r+b") as file:
            file.truncate(5000)
        told = sentence(self.make_log().open)
        assert str(self.path) in told
        assert "is damaged" in told

    def test_overwritten(self) -> None:
        """So is one with foreign bytes in its middle."""
        self.written()
        with self.path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (self.path.stat().st_size - 4096))
        assert "is damaged" in sentence(self.make_log().open)


class AcceptedTests(FileCase):
    """The files that can be a store."""

    def test_check_makes_nothing(self) -> None:
        """The check before the start passes an absent file, and leaves it absent."""
        check_store(f"sqlite:{self.path}")
        check_store("sqlite:chatroom.db", str(self.folder))
        check_store("memory:")
        assert self.names() == []

    def test_check_changes_nothing(self) -> None:
        """The check passes a log of ours and leaves it, and what is beside it, as it is."""
        self.written()
        check_store(f"sqlite:{self.path}")
        assert self.names() == ["chatroom.db", "chatroom.db-lock"]

    def test_an_empty_file(self) -> None:
        """An empty file becomes a log."""
        self.path.touch()
        check_store(f"sqlite:{self.path}")
        self.written()
        check_store(f"sqlite:{self.path}")

    def test_names_that_mean_something_to_sqlite(self) -> None:
        """A file may be called what SQLite takes for a memory or a URI."""
        previous = Path.cwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, previous)
        for name in (":memory:", "file:x?mode=memory"):
            log = Log(Path(name), "full")
            log.open()
            log.close()
            assert name in self.names()


class LockTests(FileCase):
    """One daemon for a file."""

    def test_held(self) -> None:
        """While a log is open, neither another one nor the check gets it; afterwards both do."""
        first, second = self.make_log(), self.make_log()
        first.open()
        for attempt in (second.open, lambda: check_store(f"sqlite:{self.path}")):
            assert f"{self.path} is in use by another chat server" in sentence(attempt)
        second.close()
        first.append([Draft("lobby", Kind.SAY, "alice", "still here")], 0)
        first.close()
        check_store(f"sqlite:{self.path}")
        second.open()

    def test_failed_open_lets_go(self) -> None:
        """A log that could not be opened, and was closed, holds nothing."""
        self.written()
        content = self.path.read_bytes()
        self.path.write_bytes(content[:5000])
        log = self.make_log()
        sentence(log.open)
        log.close()
        self.path.write_bytes(content)
        self.make_log().open()


class UpgradeTests(FileCase):
    """From version to version, one step at a time."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.written()
        self.connection = connect(self.path)
        self.addCleanup(self.connection.close)

    def version(self) -> int:
        ((version,),) = self.connection.execute("PRAGMA user_version")
        assert isinstance(version, int)
        return version

    def test_only_the_missing_steps(self) -> None:
        """A log of version 1 takes the second step alone, keeps its events, and then no step."""
        for _ in range(2):
            upgrade(self.connection, self.path, "full", steps=(fail, add_mood))
            assert self.version() == 2
        assert self.connection.execute("SELECT text, mood FROM events").fetchall() == [("hello", None)]

    def test_a_step_that_fails(self) -> None:
        """A step that fails leaves the log as the step before it made it."""
        with pytest.raises(sqlite3.OperationalError):
            upgrade(self.connection, self.path, "full", steps=(*STEPS, add_mood, fail))
        assert self.version() == 2
        assert self.connection.execute("SELECT name FROM rooms").fetchall() == [("lobby",)]

    def test_a_later_column_disturbs_nothing(self) -> None:
        """Appending and reading name their columns."""
        upgrade(self.connection, self.path, "full", steps=(*STEPS, add_mood))
        self.connection.execute("PRAGMA user_version = 1")
        self.connection.close()
        log, reader = self.make_log(), Reader(self.path)
        self.addCleanup(reader.close)
        log.open()
        reader.open()
        log.append([Draft("lobby", Kind.SAY, "bob", "hi")], 2000)
        page = reader.read("lobby", after=None, before=None, limit=9)
        assert [event.text for event in page] == ["hello", "hi"]

    def test_readable_by_hand(self) -> None:
        """An operator finds a view with names and times."""
        assert self.connection.execute("SELECT * FROM log").fetchall() == [
            ("lobby", 1, "1970-01-01 00:00:01.000", "say", "alice", "hello")
        ]


class SentenceTests(FileCase):
    """What SQLite says is told with the path."""

    def test_full(self) -> None:
        """A full disk is called that."""
        connection = connect(self.path)
        self.addCleanup(connection.close)
        connection.execute("CREATE TABLE t (x)")
        connection.execute("PRAGMA max_page_count = 2").fetchall()
        with pytest.raises(StoreError) as raised, told(self.path):
            connection.execute("INSERT INTO t VALUES (zeroblob(99999))")
        assert str(raised.value) == f"The disk is full, {self.path} can't grow: make room on it."

    def test_anything_else(self) -> None:
        """What has no sentence of its own is passed on."""
        with pytest.raises(StoreError) as raised, told(self.path):
            raise sqlite3.ProgrammingError("nonsense")
        assert str(raised.value) == f"{self.path}: nonsense."
