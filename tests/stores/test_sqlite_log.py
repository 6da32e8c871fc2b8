"""What only SQLite does: it survives, it fails and recovers, and it costs the same in a log of any length."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.events import Draft, Event, Kind
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_file import connect
from twistedchat.stores.sqlite_log import KEYS, NEWEST_PAGE, PAGE, ROOMS, SUMMARIES, Log, Reader, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

TALKER = """
import sys
from pathlib import Path
from twistedchat.events import Draft, Kind
from twistedchat.stores.sqlite_log import Log

log = Log(Path(sys.argv[1]), "full")
log.open()
while True:
    batch = [Draft(f"room{number % 3}", Kind.SAY, "alice", "x" * number) for number in range(100)]
    for event in log.append(batch, 0):
        print(event.room, event.seq)
    sys.stdout.flush()
"""


def say(text: str, room: str = "lobby", key: str | None = None) -> Draft:
    return Draft(room, Kind.SAY, "alice", text, key)


@contextlib.contextmanager
def failing_disk(file_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond it: the write fails as on a broken disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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


class SurvivalTests(LogCase):
    """What was appended is there in the next life of the server."""

    def test_closed_and_opened(self) -> None:
        """Seq, time, keys and rooms go on where they were; when closed, one file holds all."""
        log = self.open_log()
        appended = log.append([say("a", key="k"), say("b", room="python")], 5000)
        log.close()
        assert sorted(file.name for file in self.path.parent.iterdir()) == ["chatroom.db", "chatroom.db-lock"]
        again = self.open_log().append([say("again", key="k"), say("c"), say("d", room="new")], 1000)
        assert again == [
            appended[0],
            Event("lobby", 2, 5000, Kind.SAY, "alice", "c"),
            Event("new", 1, 1000, Kind.SAY, "alice", "d"),
        ]

    def test_killed(self) -> None:
        """After kill -9, at any moment, what an append returned is there, gapless; the lock is no hindrance."""
        seen = {"room0": 0, "room1": 0, "room2": 0}
        for acknowledged in (1, 50, 333, 2000):
            with subprocess.Popen(  # our own program
                [sys.executable, "-c", TALKER, str(self.path)], stdout=subprocess.PIPE, text=True
            ) as talker:
                assert talker.stdout is not None
                for _ in range(acknowledged):
                    room, seq = talker.stdout.readline().split()
                    seen[room] = int(seq)
                talker.kill()
            log = self.open_log()
            for room, last in seen.items():
                seqs = [event.seq for event in self.read(room)]
                assert seqs == list(range(1, len(seqs) + 1))
                assert len(seqs) >= last
            log.close()


class FailingDiskTests(LogCase):
    """A disk that takes nothing for a while."""

    def test_nothing_of_a_failed_batch(self) -> None:
        """A batch that fails leaves no event, room or key behind; when the disk recovers, so does the log."""
        log = self.open_log()
        log.append([say("before")], 1000)
        batch = [say("x" * 4000, room=room, key=str(number)) for number in range(99) for room in ("lobby", "new")]
        for _ in range(2):
            with failing_disk(200_000), pytest.raises(StoreError) as raised:
                log.append(batch, 9000)
            assert str(self.path) in str(raised.value)
            assert [event.text for event in self.read()] == ["before"]
            assert self.read("new") == []
        assert [event.seq for event in log.append([say("after"), say("first", room="new")], 2000)] == [2, 1]
        assert len(log.append(batch, 3000)) == len(batch)
        log.close()
        self.open_log()
        assert [event.seq for event in self.read()] == list(range(1, 102))
        assert [event.at for event in self.read("new")] == [2000] + [3000] * 99

    def test_small_batches_too(self) -> None:
        """The same for a batch that is one statement."""
        log = self.open_log()
        log.append([say("before")], 0)
        with failing_disk(4096), pytest.raises(StoreError):
            log.append([say("lost")], 0)
        assert log.append([say("after")], 0)[0].seq == 2
        assert [event.text for event in self.read()] == ["before", "after"]

    def test_held_by_another_program(self) -> None:
        """An operator's open transaction is told as such, and is over when it ends."""
        log = self.open_log()
        with contextlib.closing(connect(self.path)) as operator:
            operator.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="is held by another program"):
                log.append([say("x")], 0)
        assert log.append([say("x")], 0)[0].seq == 1

    def test_the_reader_fails_alike(self) -> None:
        """What can't be read is a StoreError too."""
        self.open_log()
        reader = self.open_reader()
        reader.close()
        with pytest.raises(StoreError):
            reader.rooms()


class SizeTests(LogCase):
    """Long logs and large batches."""

    def test_large_batches(self) -> None:
        """A batch of more rows than a statement takes stands whole and in order, keys and all."""
        log = self.open_log()
        batch = [say(str(number), key=str(number)) for number in range(2500)]
        appended = log.append(batch, 0)
        assert self.read() == appended
        assert log.append([*batch[::-1], say("new")], 0) == [*appended[::-1], Event("lobby", 2501, 0, *say("new")[1:4])]

    def test_the_write_ahead_log_stays_small(self) -> None:
        """Appends and pages in turn do not let the write-ahead log grow."""
        log, reader = self.open_log(), self.open_reader()
        for _ in range(40):
            log.append([say("x" * 1000)] * 500, 0)
            reader.read("lobby", after=None, before=None, limit=500)
        assert self.path.with_name("chatroom.db-wal").stat().st_size < 8_000_000

    def test_no_statement_scans_events(self) -> None:
        """Opening, joining, paging, resuming and keys seek what they need, so a long log costs no more."""
        self.open_log()
        with contextlib.closing(connect(self.path)) as connection:
            bounds = {"room": "lobby", "after": 0, "before": 9, "limit": 5}
            cases: list[tuple[str, Any, str]]
            keys, wanted = next(statements(KEYS, [(1, "k"), (2, "k"), (3, "k")], 999))
            cases = [
                (ROOMS, [], "events USING PRIMARY KEY (room=? AND seq=?)"),
                (SUMMARIES, [], "topic USING INDEX topics (room=?)"),
                (PAGE, bounds, "events USING PRIMARY KEY (room=? AND seq>? AND seq<?)"),
                (NEWEST_PAGE, bounds, "events USING PRIMARY KEY (room=? AND seq>? AND seq<?)"),
                (keys, wanted, "events USING INDEX events_by_key (room=? AND key=?)"),
            ]
            for sql, variables, index in cases:
                plan = "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", variables))
                assert f"SEARCH {index}" in plan
                for slow in ("SCAN events", "SCAN topic", "TEMP B-TREE"):
                    assert slow not in plan


class StatementsTests(SynchronousTestCase):
    """How rows are dealt to statements."""

    @given(st.integers(0, 5000), st.sampled_from([2, 7]), st.sampled_from([999, 32766, 250000]))
    def test_any_number_of_rows(self, count: int, width: int, max_variables: int) -> None:
        """Every row is in one statement, in order; no statement exceeds what SQLite allows; sizes are few."""
        rows = [(number,) * width for number in range(count)]
        parts = list(statements("{rows}", rows, max_variables))
        assert [value for _, values in parts for value in values if value is not None] == [*chain.from_iterable(rows)]
        for sql, values in parts:
            assert sql.count("?") == len(values) <= max_variables
            assert (len(values) // width).bit_count() == 1
