"""Which files are taken for a store, and how those that are not are told."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.stores.cases import FileCase, add_mood, sentence
from twistedchat.stores import check_store
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_file import connect, told, upgrade
from twistedchat.stores.sqlite_log import Log
from twistedchat.stores.sqlite_schema import STEPS

NOBODY = 65534


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
        self.refused(str(self.path.parent), "There is no folder")

    def test_a_file_for_a_folder(self) -> None:
        """A path below a file."""
        (self.folder / "file").touch()
        self.path = self.folder / "file" / "chatroom.db"
        self.refused(str(self.path.parent), "There is no folder")

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
        upgrade(connection, self.path, steps=(*STEPS, add_mood))
        connection.close()
        self.refused(str(self.path), "newer version")

    def test_not_permitted(self) -> None:
        """A file, and a folder, of somebody else."""
        if os.geteuid() != 0:
            self.path.touch(0o000)
        else:
            self.folder.chmod(0o777)
            self.written()
            self.path.chmod(0o644)
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
        assert self.names() == ["chatroom.db"]

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
