"""What is told when a file is not as we wrote it."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from twistedchat.events import Event, Kind
from twistedchat.stores.base import DamagedError, Refused, Stored, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable


from tests.stores.cases import LogCase, say, stored


class StrangeContentTests(LogCase):
    """What is in the file is not as we wrote it."""

    def change(self, *statements: str) -> None:
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def told(self, attempt: Callable[[], object]) -> str:
        with pytest.raises(DamagedError) as raised:
            attempt()
        told = str(raised.value)
        assert str(self.path) in told
        assert "json" not in told
        assert "SELECT" not in told
        assert "secret" not in told
        return told

    def test_unreadable_events(self) -> None:
        """A page with bytes that are no text, or no text at all: the file, the damage, the way out; and no SQL."""
        log = self.open_log()
        log.append([say("a"), say("secret", key="k"), say("b", room="python")], 0)
        log.settle(below=1)
        for value, damage in (("CAST(x'ff' AS TEXT)", "can't decode byte 0xff"), ("x'ff'", "cannot hold BLOB")):
            self.change("UPDATE events SET who = {} WHERE text = 'secret'".replace("{}", value))
            told = self.told(self.read)
            assert damage in told
            assert ".dump" in told
            self.told(lambda: log.append([say("again", key="k")], 0))
        assert [event.text for event in self.read("python")] == ["b"]
        assert stored(log, [say("c", room="python")])[0].seq == 2

    def test_a_kind_of_a_later_version(self) -> None:
        """An event of an unknown kind: which one, and what to do."""
        log = self.open_log()
        log.append([say("a"), say("b", key="k")], 0)
        self.change("UPDATE tail SET kind = 'poll' WHERE seq = 2")
        told = self.told(self.read)
        for word in ("#lobby", "seq 2", "'poll'", "install the version"):
            assert word in told
        self.told(lambda: log.outcomes([say("b", key="k")]))

    def test_a_damaged_page(self) -> None:
        """Foreign bytes in the middle of the file."""
        log = self.open_log()
        log.append([say("x" * 100) for number in range(2000)], 0)
        log.close()
        with self.path.open("r+b") as file:
            file.seek(self.path.stat().st_size // 2 & ~4095)
            file.write(b"\xa5" * 4096)
        self.open_log()
        assert "malformed" in self.told(self.read)

    def test_no_table(self) -> None:
        """A table that somebody has dropped."""
        self.open_log().append([say("a")], 0)
        self.change("DROP VIEW log", "DROP TABLE tail")
        assert "no such table" in self.told(self.read)

    def test_written_by_another_program(self) -> None:
        """A line that an operator has added by hand stands, and the room goes on behind it."""
        log = self.open_log()
        log.append([say("a")], 0)
        self.change("INSERT INTO tail (room, seq, at, kind, who, text) VALUES (1, 2, 7, 'notice', 'op', 'by hand')")
        with pytest.raises(StoreError, match="Another program has written"):
            log.append([say("b")], 0)
        assert stored(log, [say("b")]) == [Event("lobby", 3, 8, Kind.SAY, "alice", "b")]
        assert [event.text for event in self.read()] == ["a", "by hand", "b"]

    def test_what_is_no_text(self) -> None:
        """A draft that can't be UTF-8 is refused for good; the rest of its batch is stored."""
        log = self.open_log()
        first, *odd, last = log.append(
            [say("a"), say("\ud800"), say("b", room="\ud800"), say("c", key="\ud800"), say("d")], 0
        )
        assert all(isinstance(outcome, Refused) for outcome in odd)
        assert [event.text for event in self.read()] == ["a", "d"]
        assert isinstance(first, Stored)
        assert isinstance(last, Stored)
        (alone,) = log.append([say("\ud800")], 0)
        assert isinstance(alone, Refused)
