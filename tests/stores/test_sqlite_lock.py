"""One daemon for a file, and who may read it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

from tests.drafts import draft
from tests.stores.cases import FileCase, sentence
from twistedchat.events import Kind
from twistedchat.stores import check_store
from twistedchat.stores.sqlite_file import connect
from twistedchat.stores.sqlite_lock import held
from twistedchat.stores.sqlite_log import Log

OPENER = """
import sys
from pathlib import Path
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_log import Log

log = Log(Path(sys.argv[1]), "full")
try:
    log.open()
except StoreError as error:
    print(error)
"""

TAKER = """
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1], timeout=0)
try:
    print(connection.execute("PRAGMA journal_mode = DELETE").fetchall())
except sqlite3.OperationalError as error:
    print(error)
"""

HOLDER = """
import sys
from pathlib import Path
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_lock import held

try:
    with held(Path(sys.argv[1]), make=False, locks_itself=False):
        print("held")
except StoreError as error:
    print(error)
"""


class LockTests(FileCase):
    """One daemon for a file."""

    def refused(self, path: Path) -> None:
        for attempt in (Log(path, "full").open, lambda: check_store(f"sqlite:{path}")):
            assert f"{path} is in use by another chat server" in sentence(attempt)

    def elsewhere(self, program: str, path: Path) -> str:
        """What another process prints."""
        command = [sys.executable, "-c", program, str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def test_held(self) -> None:
        """While a log is open, neither another one nor the check gets it; afterwards both do."""
        first, second = self.make_log(), self.make_log()
        first.open()
        self.refused(self.path)
        second.close()
        first.append([draft("lobby", Kind.SAY, "alice", "still here")], 0)
        first.close()
        check_store(f"sqlite:{self.path}")
        second.open()

    def test_under_every_name(self) -> None:
        """A symbolic and a hard link lead to the same lock, in this process and in another one."""
        self.make_log().open()
        soft, hard = self.folder / "soft.db", self.folder / "hard.db"
        soft.symlink_to(self.path)
        hard.hardlink_to(self.path)
        for path in (self.path, soft, hard):
            self.refused(path)
            assert "in use by another chat server" in self.elsewhere(OPENER, path)

    def test_nothing_beside_the_file_counts(self) -> None:
        """There is no lock file: one that somebody made and locks does not keep the daemon from starting."""
        with Path(f"{self.path}-lock").open("w") as stranger:
            fcntl.flock(stranger, fcntl.LOCK_EX)
            self.written()
            check_store(f"sqlite:{self.path}")

    def test_sqlites_own_locks_stay(self) -> None:
        """Neither our lock nor a refused attempt takes away SQLite's: no other process may end the write-ahead log."""
        self.make_log().open()
        assert "locked" in self.elsewhere(TAKER, self.path)
        self.refused(self.path)
        assert "locked" in self.elsewhere(TAKER, self.path)

    def test_where_locks_are_of_one_kind(self) -> None:
        """On other systems the lock is a private file, the same for every symbolic link."""
        soft = self.folder / "soft.db"
        soft.symlink_to(self.path)
        with held(self.path, make=True, locks_itself=False):
            assert stat.S_IMODE(self.path.with_name("chatroom.db-lock").stat().st_mode) == 0o600
            self.make_log_there()
            assert "in use" in self.elsewhere(HOLDER, soft)
        assert "held" in self.elsewhere(HOLDER, soft)

    def make_log_there(self) -> None:
        """Our own `flock` does not stand in SQLite's way."""
        with contextlib.closing(connect(self.path)) as connection:
            connection.execute("CREATE TABLE t (x)")

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


class ModeTests(FileCase):
    """Who may read the files."""

    def modes(self) -> dict[str, int]:
        return {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.folder.iterdir()}

    def test_private(self) -> None:
        """All files are the daemon's user's alone, whatever the umask."""
        for umask in (0o000, 0o022, 0o277, 0o777):
            self.path = self.folder / f"{umask:o}.db"
            previous = os.umask(umask)
            try:
                log = self.make_log()
                log.open()
                log.append([draft("lobby", Kind.SAY, "alice", "hello")], 1000)
            finally:
                os.umask(previous)
            assert {f"{umask:o}.db", f"{umask:o}.db-wal", f"{umask:o}.db-shm"} <= set(self.modes())
        assert set(self.modes().values()) == {0o600}

    def test_the_operators_mode_stays(self) -> None:
        """A file that the operator has made keeps its mode, and those beside it have it too."""
        self.path.touch()
        self.path.chmod(0o640)
        log = self.make_log()
        log.open()
        log.append([draft("lobby", Kind.SAY, "alice", "hello")], 1000)
        assert self.modes() == dict.fromkeys(["chatroom.db", "chatroom.db-wal", "chatroom.db-shm"], 0o640)
