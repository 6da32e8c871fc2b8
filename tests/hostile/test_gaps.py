"""Gapless, and told: what is lost from the log or could not be taken leaves no room stuck and nobody uninformed."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.crowd import BEYOND, SMALL_BUFFER_BYTES, fill
from tests.hostile.watch import cpu_seconds
from tests.live.daemon import Daemon, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPINNING_SHARE = 0.15
"""A daemon whose only peer waits uses less than this share of a core, by far."""

WATCH_SECONDS = 2.0
"""For so long the processor time is watched."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--rate=0") as running:
        yield running
        assert "Traceback" not in running.log


def delete_newest(folder: Path, room: str) -> None:
    """Delete a room's newest event from the file, as an operator does, in whichever table it stands."""
    with contextlib.closing(sqlite3.connect(folder / "chat.db", timeout=10)) as database:
        [(number,)] = database.execute("SELECT id FROM rooms WHERE name = ?", (room,))
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: {row[1] for row in database.execute(f"PRAGMA table_info({table})")} for table in tables}
        logs = [table for table in tables if {"room", "seq", "text"} <= columns[table]]
        newest = max(
            database.execute(f"SELECT coalesce(max(seq), 0) FROM {table} WHERE room = ?", (number,)).fetchone()[0]
            for table in logs
        )
        assert newest, f"#{room} has no event in {logs}"
        for table in logs:
            database.execute(f"DELETE FROM {table} WHERE room = ? AND seq = ?", (number, newest))
        database.commit()


class TestDeleted:
    @pytest.mark.parametrize("before", [1, 10], ids=["the-last-only", "a-page"])
    def test_newest_line(self, daemon: Daemon, tmp_path: Path, before: int) -> None:
        """Where the newest line is missing from the store a reader costs no time, and gets what comes later."""
        fill(daemon, {"den": [f"line {number}" for number in range(30)]})
        delete_newest(tmp_path, "den")
        reader = daemon.program("reader")
        reader.call("join", room="den", after=30 - before)
        used = -cpu_seconds(daemon)
        until = time.monotonic() + WATCH_SECONDS
        exchange([reader], lambda: time.monotonic() >= until, "the daemon was watched")
        used += cpu_seconds(daemon)
        speaker = daemon.program("speaker")
        speaker.call("join", room="den", after=BEYOND)
        speaker.call("say", room="den", text="what comes later")
        told = f"{used:.2f} s of processor time in {WATCH_SECONDS} s"
        with contextlib.suppress(AssertionError):
            exchange([reader], lambda: reader.heard("what comes later"), "it is shown", 10)
        print(told)
        assert reader.heard("what comes later"), f"a later line was not shown; {told}"
        assert used <= SPINNING_SHARE * WATCH_SECONDS, told
        shown = [event["seq"] for event in reader.events("den")]
        assert shown[: before - 1] == list(range(31 - before, 30)), shown


class TestPresence:
    def test_full_reader(self, daemon: Daemon) -> None:
        """Whoever could not take that somebody came is told so as soon as it reads again, and needs no other change."""
        # Without its own receive buffer the kernel takes megabytes for it.
        reader = daemon.program("reader", buffer_bytes=SMALL_BUFFER_BYTES)
        witness, speaker = daemon.program("witness"), daemon.program("speaker")
        for member in (reader, witness):
            member.call("join", room="quiet", after=BEYOND)
        exchange([reader], lambda: reader.heard('"witness"'), "the reader has seen the witness come")
        reader.call("join", room="noise", after=BEYOND)
        reader.reading = False
        speaker.call("join", room="noise", after=BEYOND)
        lines = 400
        for number in range(lines):
            speaker.ask("say", room="noise", text=f"{number} {'x' * 4000}")
        exchange([speaker], lambda: speaker.heard(f'"seq":{lines},"at"'), "all is said")
        bob = daemon.program("bob")
        bob.call("join", room="quiet", after=BEYOND)
        exchange([witness], lambda: witness.heard('"joined":["bob"]'), "the witness is told")
        reader.reading = True
        exchange([reader], lambda: len(reader.events("noise")) == lines, "the reader has read all that was said")

        def presence() -> list[object]:
            return [message for message in reader.messages if message["type"] == "presence"]

        with contextlib.suppress(AssertionError):
            exchange([reader], lambda: "bob" in str(presence()), "it is told of bob", 10)
        assert "bob" in str(presence()), f"the reader was told only {presence()}"
