"""What was acknowledged survives a power cut: the disk is rebuilt as it may be at many moments.

A disk holds what was synced, and any of the 512-byte sectors that were written since. With ``--sync full`` an append
syncs the write-ahead log before it returns, and a checkpoint syncs the database before the write-ahead log is written
from its beginning again. So between two acknowledgements each sector of the write-ahead log is the old one or the
new one while the database is the old one; then each sector of the database, while the write-ahead log is the new one.
(`test_sqlite_log.PragmaTests` reads that SQLite is told to sync; the files themselves are copied here.)
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import override

from tests.stores.cases import LogCase, say, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTOR_BYTES = 512
"""Least that a disk writes at once, in bytes. Source: https://sqlite.org/atomiccommit.html, section 2."""

CHECKPOINT_PAGES = 40
"""Pages at which the log under test makes a checkpoint, so that there are many of them."""

Expected = dict[str, list[str]]


class Disk(NamedTuple):
    """What the two files hold, after a commit or between two of them."""

    database: bytes
    ahead: bytes


class PowerCutTests(LogCase):
    """A new life after a power cut."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.dice = random.Random(7)  # noqa: S311  it is not for secrets
        self.expected: Expected = {}

    def disk(self) -> Disk:
        ahead = self.path.with_name("chatroom.db-wal")
        return Disk(self.path.read_bytes(), ahead.read_bytes())

    def commits(self) -> Iterator[tuple[Disk, Expected]]:
        """The disk after each commit, and what was acknowledged by then."""
        log = self.open_log()
        log.connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").fetchall()
        for number in range(60):
            rooms = [f"room{self.dice.randrange(9)}" for _ in range(self.dice.choice([1, 5, 60]))]
            batch = [say(f"{number}.{index}", room, f"{number}.{index}") for index, room in enumerate(rooms)]
            for event in stored(log, batch):
                self.expected.setdefault(event.room, []).append(event.text)
            yield self.disk(), {room: list(texts) for room, texts in self.expected.items()}
            if number % 7 == 0:
                log.settle(below=self.dice.choice([1, 20]))
                yield self.disk(), {room: list(texts) for room, texts in self.expected.items()}
        log.close()

    def torn(self, old: bytes, new: bytes) -> Iterator[bytes]:
        """The file when only some of its sectors were written: from its beginning, from its end, or any."""
        old = old.ljust(len(new), b"\0")[: len(new)]
        count = -(-len(new) // SECTOR_BYTES)
        cut = self.dice.randrange(count + 1)
        for written in (
            [number < cut for number in range(count)],
            [number >= cut for number in range(count)],
            [self.dice.random() < 0.5 for _ in range(count)],
        ):
            pairs = ((new if one else old) for one in written)
            yield b"".join(
                source[start : start + SECTOR_BYTES]
                for source, start in zip(pairs, range(0, len(new), SECTOR_BYTES), strict=True)
            )

    def moments(self, before: Disk, after: Disk) -> Iterator[Disk]:
        """What the disk may hold between two commits."""
        yield from (Disk(before.database, ahead) for ahead in self.torn(before.ahead, after.ahead))
        if before.database != after.database:
            yield from (Disk(database, after.ahead) for database in self.torn(before.database, after.database))
        yield after

    def survivors(self, disk: Disk) -> Expected:
        """What is in the log in its next life; seqs have no gap, and `open` finds nothing wrong."""
        for old in self.path.parent.iterdir():
            old.unlink()
        self.path.write_bytes(disk.database)
        self.path.with_name("chatroom.db-wal").write_bytes(disk.ahead)
        log = self.open_log()
        assert log.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = {}
        for room in self.rooms():
            events = self.read(room)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            found[room] = [event.text for event in events]
        log.close()
        return found

    def rooms(self) -> list[str]:
        return [summary.name for summary in self.open_reader().rooms("", 99)]

    def test_any_moment(self) -> None:
        """Every acknowledged event is there, in order, none doubled; of a batch under way all is there, or nothing."""
        history = list(self.commits())
        checkpoints = sum(one[0].database != two[0].database for one, two in itertools.pairwise(history))
        assert checkpoints > 5
        for (before, acknowledged), (after, under_way) in itertools.pairwise(history):
            for disk in self.moments(before, after):
                assert self.survivors(disk) in (acknowledged, under_way)
            assert self.survivors(after) == under_way
