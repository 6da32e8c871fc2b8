"""What only SQLite does: it survives, it fails and recovers, and it costs the same in a log of any length."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.drafts import draft
from twistedchat.events import Event, Kind
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_file import connect
from twistedchat.stores.sqlite_log import TAIL_EVENTS, Log
from twistedchat.stores.sqlite_sql import HEADS, KEYS, NEWEST_PAGE, PAGE, SUMMARIES, SUMMARY, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twistedchat.stores.sqlite_file import Sync
from tests.stores.cases import LogCase, say, stored

TALKER = """
import sys
from pathlib import Path
from twistedchat.events import Draft, Kind
from twistedchat.stores.sqlite_log import Log

log = Log(Path(sys.argv[1]), "full")
log.open()
while True:
    batch = [
        Draft(id=str(number), room=f"room{number % 3}", kind=Kind.SAY, who="alice", text="x" * number)
        for number in range(100)
    ]
    for outcome in log.append(batch, 0):
        print(outcome.event.room, outcome.event.seq)
    log.settle()
    sys.stdout.flush()
"""


@contextlib.contextmanager
def failing_disk(file_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond it: the write fails as on a broken disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class SurvivalTests(LogCase):
    """What was appended is there in the next life of the server."""

    def test_closed_and_opened(self) -> None:
        """Seq, time, keys and rooms go on where they were; when closed, one file holds all."""
        log = self.open_log()
        appended = stored(log, [say("a", key="k"), say("b", room="python")], 5000)
        log.close()
        assert sorted(file.name for file in self.path.parent.iterdir()) == ["chatroom.db"]
        again = stored(self.open_log(), [say("again", key="k"), say("c"), say("d", room="new")], 1000)
        assert again == [
            appended[0],
            Event("lobby", 2, 5001, Kind.SAY, "alice", "c"),
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
        assert [event.seq for event in stored(log, [say("after"), say("first", room="new")], 2000)] == [2, 1]
        assert len(stored(log, batch, 3000)) == len(batch)
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
        assert stored(log, [say("after")])[0].seq == 2
        assert [event.text for event in self.read()] == ["before", "after"]

    def test_held_by_another_program(self) -> None:
        """An operator's open transaction is told as such, and is over when it ends."""
        log = self.open_log()
        with contextlib.closing(connect(self.path)) as operator:
            operator.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="is held by another program"):
                log.append([say("x")], 0)
        assert stored(log, [say("x")])[0].seq == 1

    def test_the_reader_fails_alike(self) -> None:
        """What can't be read is a StoreError too."""
        self.open_log()
        reader = self.open_reader()
        reader.close()
        with pytest.raises(StoreError):
            reader.rooms("", 9)


class SizeTests(LogCase):
    """Long logs and large batches."""

    def test_large_batches(self) -> None:
        """A batch of more rows than a statement takes stands whole and in order, keys and all."""
        log = self.open_log()
        batch = [say(str(number), key=str(number)) for number in range(2500)]
        appended = stored(log, batch)
        assert self.read() == appended
        assert stored(log, [*batch[::-1], say("new")]) == [
            *appended[::-1],
            Event("lobby", 2501, 0, Kind.SAY, "alice", "new"),
        ]

    def test_the_write_ahead_log_stays_small(self) -> None:
        """Appends and pages in turn do not let the write-ahead log grow."""
        log, reader = self.open_log(), self.open_reader()
        for _ in range(100):
            log.append([say("x" * 1000)] * 500, 0)
            reader.read("lobby", after=None, before=None, limit=500)
        assert self.path.with_name("chatroom.db-wal").stat().st_size < 40_000_000

    def test_no_statement_scans_events(self) -> None:
        """Opening, joining, paging, resuming and keys seek what they need, so a long log costs no more."""
        self.open_log()
        with contextlib.closing(connect(self.path)) as connection:
            bounds = {"room": "lobby", "after": 0, "before": 9, "limit": 5, "max_bytes": 99}
            cases: list[tuple[str, Any, list[str]]]
            keys, wanted = next(statements(KEYS, [(1, "k"), (2, "k"), (3, "k")], 999))
            last = ["old USING PRIMARY KEY (room=? AND seq=?)", "new USING INDEX tail_by_seq (room=? AND seq=?)"]
            topics = [
                "topic USING INDEX topics (room=? AND seq>?)",
                "topic USING INDEX topics_of_tail (room=? AND seq>?)",
            ]
            page = ["events USING PRIMARY KEY (room=? AND seq>? AND seq<?)", "tail USING INDEX tail_by_seq (room=? AND"]
            by_key = ["line USING INDEX events_by_key (room=? AND", "line USING INDEX tail_by_key (room=? AND"]
            cases = [
                (HEADS, [], last),
                (SUMMARIES, {"after": "", "limit": 9}, [*last, *topics, "rooms USING INDEX"]),
                (SUMMARY, bounds, [*last, *topics, "rooms USING INDEX"]),
                (PAGE, bounds, page),
                (NEWEST_PAGE, bounds, page),
                (keys, wanted, by_key),
            ]
            for sql, variables, seeks in cases:
                plan = "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", variables))
                for seek in seeks:
                    assert f"SEARCH {seek}" in plan
                for table in ("events", "tail", "topic", "old", "new", "line"):
                    assert f"SCAN {table}" not in plan


class TailTests(LogCase):
    """New events wait in the tail, and are moved into the clustered table all at once."""

    def counts(self) -> tuple[int, int]:
        with contextlib.closing(connect(self.path)) as connection:
            ((counts),) = connection.execute("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM tail)")
        return counts[0], counts[1]

    def test_moved_when_long(self) -> None:
        """When the tail is long some rooms' part of it is moved, the next time the next ones'; the log is the same."""
        log = self.open_log()
        number = 0

        def fill() -> None:
            nonlocal number
            while not log.must_settle:
                log.append([say(str(number), room=f"room{index}", key=f"{number}") for index in range(64)], 0)
                number += 1

        for _ in range(9):
            fill()
            assert sum(self.counts()) == 64 * number
            assert TAIL_EVENTS <= self.counts()[1] < TAIL_EVENTS + 64
            log.settle()
            assert not log.must_settle
            assert sum(self.counts()) == 64 * number
            assert TAIL_EVENTS // 2 < self.counts()[1] < TAIL_EVENTS
            for room in ("room0", "room31", "room63"):
                assert [event.text for event in self.read(room)] == [str(one) for one in range(number)]
        again = [say("again", room=f"room{index}", key=str(index)) for index in range(64)]
        assert [event.text for event in stored(log, again)] == [str(index) for index in range(64)]

    def test_a_large_batch(self) -> None:
        """However much has come, the tail is short afterwards; `below` says how short."""
        log = self.open_log()
        log.append([say("x", room=f"room{index % 3000}") for index in range(9000)], 0)
        log.settle()
        assert self.counts()[1] < TAIL_EVENTS
        log.settle(below=1)
        assert self.counts() == (9000, 0)
        assert len(self.read("room2999")) == 3

    def test_emptied_by_hand(self) -> None:
        """If somebody has deleted what is in the tail, to move it ends all the same."""
        log = self.open_log()
        log.append([say("x")], 0)
        with contextlib.closing(connect(self.path)) as connection:
            connection.execute("DELETE FROM tail")
        log.settle(below=1)
        assert [event.seq for event in stored(log, [say("y")])] == [2]

    def test_a_batch_of_one_room(self) -> None:
        """A batch of many lines for each of its rooms goes where it is to stay; order and topics hold all the same."""
        log = self.open_log()
        log.append([say("1"), draft("lobby", Kind.TOPIC, "alice", "old")], 0)
        log.append([say("x", key=str(number)) for number in range(99)] + [draft("lobby", Kind.TOPIC, "al", "new")], 0)
        log.append([say("last")], 0)
        assert self.counts() == (100, 3)
        assert [event.seq for event in self.read()] == list(range(1, 104))
        assert self.open_reader().room("lobby").topic == "new"
        log.settle(below=1)
        assert self.counts() == (103, 0)
        assert [event.seq for event in self.read()] == list(range(1, 104))

    def test_moved_at_close_and_open(self) -> None:
        """A log that was closed has no tail; of one that was killed it is moved when it is opened."""
        log = self.open_log()
        log.append([say("a")], 0)
        log.close()
        assert self.counts() == (1, 0)
        with contextlib.closing(connect(self.path)) as connection:
            connection.execute("INSERT INTO tail (room, seq, at, kind, who, text) VALUES (1, 2, 9, 'say', 'al', 'b')")
        log = self.open_log()
        assert self.counts() == (2, 0)
        assert [event.text for event in self.read()] == ["a", "b"]
        assert stored(log, [say("c")]) == [Event("lobby", 3, 10, Kind.SAY, "alice", "c")]

    def test_a_move_that_fails(self) -> None:
        """If the disk takes nothing all stays as it was; appending goes on, and later the tail is moved."""
        log = self.open_log()
        batch = [say("x" * 900, room=f"room{number}") for number in range(200)]
        log.append(batch, 0)
        with failing_disk(self.path.with_name("chatroom.db-wal").stat().st_size + 5000), pytest.raises(StoreError):
            log.settle(below=1)
        assert self.counts() == (0, 200)
        assert not log.must_settle
        assert [event.seq for event in stored(log, batch)] == [2] * 200
        log.settle(below=1)
        assert self.counts() == (400, 0)


class PragmaTests(LogCase):
    """What the connection that appends asks of the disk."""

    def test_sync(self) -> None:
        """``full`` syncs the write-ahead log at every commit, ``normal`` at checkpoints; in old files too."""
        wanted: list[tuple[Sync, int]] = [("full", 2), ("normal", 1), ("full", 2)]
        for sync, level in wanted:
            log = Log(self.path, sync)
            log.open()
            for pragma, value in (("synchronous", level), ("journal_mode", "wal"), ("fullfsync", level - 1)):
                assert log.connection.execute(f"PRAGMA {pragma}").fetchall() == [(value,)]
            log.append([say("x")], 0)
            log.settle(below=1)
            assert log.connection.execute("PRAGMA synchronous").fetchall() == [(level,)]
            log.close()


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
