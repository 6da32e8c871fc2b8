"""Moving a log between SQLite and a real PostgreSQL server."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests import engines
from twistedchat.admin import move as moving
from twistedchat.admin.move import Moved, move
from twistedchat.events import Draft, Kind
from twistedchat.names import likenesses
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_log import Log

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.engine import Engine

PATIENCE_SECONDS = 60.0

LINES = [
    ("lobby", Kind.SAY, "alice", "héllo 日本 🎉", "key-1"),
    ("lobby", Kind.TOPIC, "alice", "the first topic", None),
    ("dev", Kind.SAY, "bob", "a\0b\tc\\d\ne\\N", "key-1"),
    ("lobby", Kind.TOPIC, "bob", "the second topic", None),
    ("Ian", Kind.ME, "[bob]", "x" * 4096, "k" * 64),
    ("lobby", Kind.SAY, "Ünï", "␀", "\0␀␀0"),
    ("dev", Kind.NOTICE, "server", "\\.", None),
]


@pytest.fixture
def engine() -> Engine:
    return engines.engine()


@pytest.fixture
def database() -> str:
    """The address of an empty database."""
    return engines.new_database()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log with some rooms."""
    path = tmp_path / "chat.db"
    append(path, LINES)
    return path


def append(path: Path, lines: list[tuple[str, Kind, str, str, str | None]], now_ms: int = 1_000_000) -> None:
    log = Log(path, "normal")
    log.open()
    try:
        for number, (room, kind, who, text, key) in enumerate(lines):
            log.append([Draft(str(number), room, kind, who, text, key)], now_ms + number)
    finally:
        log.close()


def dump(path: Path) -> list[object]:
    """All that is in a file, whatever numbers its rooms have."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        events = connection.execute(
            "SELECT name, seq, at, kind, who, text, key FROM events JOIN rooms ON rooms.id = room ORDER BY name, seq"
        )
        return [*connection.execute("SELECT identity FROM store"), *events]


def rows(database: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(question).fetchall()


def change(database: str, statement: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statement)


def quiet(_: str) -> None:
    """For moves of which the test wants to know nothing on the way."""


def refusal(origin: object, destination: object) -> str:
    with pytest.raises(StoreError) as caught:
        move(str(origin), str(destination), quiet)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_there_and_back(file: Path, database: str, tmp_path: Path) -> None:
    """A log that was moved to PostgreSQL and back is what it was: identity, seqs, times, texts and keys."""
    assert move(f"sqlite:{file}", database, quiet) == Moved(rooms=3, events=7, keys=4)
    assert move(database, f"sqlite:{tmp_path}/back.db", quiet) == Moved(rooms=3, events=7, keys=4)
    assert dump(tmp_path / "back.db") == dump(file)
    append(tmp_path / "back.db", [("lobby", Kind.SAY, "bob", "more", "key-1"), ("lobby", Kind.SAY, "bob", "new", None)])
    assert [row[1] for row in dump(tmp_path / "back.db") if row[0] == "lobby"] == [1, 2, 3, 4, 5]  # type: ignore[index]


def test_tags_and_what_is_put_away(tmp_path: Path, database: str) -> None:
    """Tags come along, and what is put away stays so; a room that is closed has no members there, and is put away."""
    log = Log(tmp_path / "chat.db", "normal")
    log.open()
    for number, tags in enumerate(["", "+a=1;+b/c", "+␀=\\:"]):
        log.append([Draft(str(number), "den", Kind.SAY, "alice", "x", None, tags)], 1000)
    log.put_away("den")
    log.append([Draft("4", "den", Kind.SAY, "alice", "x", None, "+d")], 1000)
    log.close()
    move(f"sqlite:{tmp_path}/chat.db", database, quiet)
    assert rows(database, "SELECT seq, hidden, is_shut FROM chat.rooms") == [(4, 3, False)]
    assert rows(database, "SELECT tags FROM chat.events ORDER BY seq") == [
        (None,),
        ("+a=1;+b/c",),
        ("+␀␀=\\:",),
        ("+d",),
    ]
    move(database, f"sqlite:{tmp_path}/back.db", quiet)
    with contextlib.closing(sqlite3.connect(tmp_path / "back.db")) as connection:
        assert connection.execute("SELECT name, hidden, is_shut FROM rooms").fetchall() == [("den", 3, 0)]
        tagged = connection.execute("SELECT tags FROM events ORDER BY seq").fetchall()
        assert tagged == [("",), ("+a=1;+b/c",), ("+␀=\\:",), ("+d",)]


def test_in_postgresql(file: Path, database: str) -> None:
    """There the heads, topics and look-alikes of rooms are as a daemon would have them."""
    move(f"sqlite:{file}", database, quiet)
    rooms = rows(database, "SELECT name, seq, at, topic FROM chat.rooms ORDER BY id")
    assert rooms == [("lobby", 4, 1_000_005, 3), ("dev", 2, 1_000_006, 0), ("Ian", 1, 1_000_004, 0)]
    alike = rows(database, "SELECT likeness, name FROM chat.alike JOIN chat.rooms ON id = room")
    assert sorted(alike) == sorted((key, name) for name in ("lobby", "dev", "Ian") for key in likenesses(name))
    [(text, raw)] = rows(database, "SELECT text, raw FROM chat.events WHERE raw IS NOT NULL")
    assert (text, bytes(raw)) == ("a␀b\tc\\d\ne\\N", b"a\0b\tc\\d\ne\\N")  # type: ignore[call-overload]


def test_an_older_file(file: Path, database: str) -> None:
    """A file in which events are still in the order of arrival is moved whole."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO tail SELECT * FROM events WHERE seq > 1")
        connection.execute("DELETE FROM events WHERE seq > 1")
        connection.commit()
    assert move(f"sqlite:{file}", database, quiet).events == 7


def test_nothing_to_move(tmp_path: Path, database: str) -> None:
    """A log without events keeps its identity."""
    append(tmp_path / "empty.db", [])
    assert move(f"sqlite:{tmp_path}/empty.db", database, quiet) == Moved(0, 0, 0)
    assert rows(database, "SELECT identity FROM chat.version") == dump(tmp_path / "empty.db")


def test_rooms_in_which_nothing_was_said(file: Path, database: str) -> None:
    """A database in which rooms were entered, and nothing was said, may be moved to."""
    append(file.with_name("empty.db"), [])
    move(f"sqlite:{file.with_name('empty.db')}", database, quiet)
    change(database, "INSERT INTO chat.rooms (name) VALUES ('LOBBY')")
    change(database, "INSERT INTO chat.alike SELECT 'lobby', id FROM chat.rooms")
    move(f"sqlite:{file}", database, quiet)
    assert rows(database, "SELECT count(*) FROM chat.rooms") == [(3,)]


def test_a_target_with_events(file: Path, database: str, tmp_path: Path) -> None:
    """What has events already is left as it is."""
    move(f"sqlite:{file}", database, quiet)
    assert "has 7 events already" in refusal(f"sqlite:{file}", database)
    append(tmp_path / "other.db", LINES[:1])
    before = dump(tmp_path / "other.db")
    assert "has 1 events already" in refusal(database, f"sqlite:{tmp_path}/other.db")
    assert dump(tmp_path / "other.db") == before


def test_a_file_in_use(file: Path, database: str, tmp_path: Path) -> None:
    """A file that a daemon has is neither moved from nor to."""
    move(f"sqlite:{file}", database, quiet)
    log = Log(tmp_path / "used.db", "normal")
    log.open()
    try:
        assert "in use by another chat server" in refusal(f"sqlite:{tmp_path}/used.db", database)
        assert "in use by another chat server" in refusal(database, f"sqlite:{tmp_path}/used.db")
    finally:
        log.close()


def test_a_database_in_use(file: Path, database: str, tmp_path: Path) -> None:
    """A database on which a daemon runs is not moved to; what is moved from it is as it stands, and that is said."""
    append(tmp_path / "empty.db", [])
    move(f"sqlite:{tmp_path}/empty.db", database, quiet)
    change(database, "INSERT INTO chat.nodes (id, name, until) VALUES ('n', '', chat.now_ms() + 10000)")
    assert "A daemon runs on" in refusal(f"sqlite:{file}", database)
    told: list[str] = []
    move(database, f"sqlite:{tmp_path}/out.db", told.append)
    assert told == ["A daemon runs on it: what is said from now on is not moved."]


def test_a_snapshot(file: Path, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What daemons append while a database is read is not moved, not even in part."""
    move(f"sqlite:{file}", database, quiet)
    monkeypatch.setattr(moving, "PROGRESS_EVENTS", 1)

    def interfere(_: str) -> None:
        change(database, "UPDATE chat.rooms SET seq = seq + 1")
        change(
            database,
            "INSERT INTO chat.events (room, seq, at, kind, who, text) SELECT id, seq, at, 'say', 'x', 'y' "
            "FROM chat.rooms",
        )

    assert move(database, f"sqlite:{tmp_path}/out.db", interfere).events == 7
    assert dump(tmp_path / "out.db") == dump(file)


def test_a_damaged_file(file: Path, database: str) -> None:
    """A value that is no text stops the move before it begins."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE events SET text = x'ff' WHERE seq = 3")
        connection.commit()
    assert "the event 3 of #lobby is none" in refusal(f"sqlite:{file}", database)
    assert rows(database, "SELECT count(*) FROM chat.events") == [(0,)]


def test_a_head_that_is_wrong(file: Path, database: str, tmp_path: Path) -> None:
    """A room whose head is not its last event's is not moved, nor is any other; a file that was made is removed."""
    move(f"sqlite:{file}", database, quiet)
    change(database, "DELETE FROM chat.events WHERE seq = 4")
    assert "#lobby ends at 4, but the last of its events is 3" in refusal(database, f"sqlite:{tmp_path}/out.db")
    assert [path.name for path in tmp_path.iterdir()] == ["chat.db"]


def test_an_interrupted_move(file: Path, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends a move halfway, nothing was moved, and it can be begun anew."""
    monkeypatch.setattr(moving, "PROGRESS_EVENTS", 3)

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(f"sqlite:{file}", database, interrupt)
    assert rows(database, "SELECT count(*) FROM chat.rooms") == [(0,)]
    move(f"sqlite:{file}", database, quiet)
    with pytest.raises(KeyboardInterrupt):
        move(database, f"sqlite:{tmp_path}/out.db", interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["chat.db"]


def test_what_is_no_log(file: Path, engine: Engine, database: str, tmp_path: Path) -> None:
    """What is none, or can't be reached, is told in a sentence in which there is no password."""
    assert "There is no file" in refusal(f"sqlite:{tmp_path}/none.db", database)
    assert "There is no chat room's log" in refusal(database, f"sqlite:{tmp_path}/out.db")
    assert "sqlite:PATH" in refusal("memory:", database)
    told = refusal(f"sqlite:{file}", f"postgresql://chat:geheim@127.0.0.1:{engine.port}/nowhere")
    assert "nowhere" in told
    assert "geheim" not in told
    assert "geheim" not in refusal(f"sqlite:{file}", "postgresql://chat:geheim@127.0.0.1:1/chat")


def test_the_command(file: Path, database: str) -> None:
    """The command says what was moved, or why not, and its status tells."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "twistedchat.admin", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)

    done = run("move", f"sqlite:{file}", database)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "Moved: rooms 3, events 7, of these with keys 4.\n",
        "",
    )
    done = run("move", f"sqlite:{file}", database)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("chatroom-admin: ")
    assert done.stderr.count("\n") == 1
    assert run("move").returncode == 2
