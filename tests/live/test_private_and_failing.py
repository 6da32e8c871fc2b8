"""What the daemon's files and sockets let others do, and how it ends when its store fails."""

from __future__ import annotations

import os
import pwd
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.live.daemon import PATIENCE_SECONDS, Caller, Daemon, exchange, until

TWISTD = str(Path(sys.executable).with_name("twistd"))
NOBODY = pwd.getpwnam("nobody")
PORT = "--port=tcp:0:interface=127.0.0.1"


def written(folder: Path) -> Path:
    """A store in which something was said."""
    with Daemon(folder, "--rate=0") as daemon:
        ann = daemon.program("ann")
        ann.call("join", room="lobby")
        for number in range(30):
            ann.call("say", room="lobby", text=f"secret {number}")
        ann.call("join", room="other")
        ann.call("say", room="other", text="hello")
        daemon.stop()
    return folder / "chat.db"


def damaged(folder: Path) -> Path:
    """A store that begins well: only SQLite itself finds that it can't be opened."""
    path = written(folder)
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xa5" * (path.stat().st_size - 100))
    return path


def failed(folder: Path, *words: str) -> str:
    """The log of a daemon that could not open its store, and ended with status 1."""
    ended = subprocess.run(
        [TWISTD, "-n", "--pidfile=twistd.pid", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    log = ended.stdout + ended.stderr
    assert ended.returncode == 1, log
    assert not (folder / "twistd.pid").exists()
    sentence(log)
    return log


def sentence(log: str) -> None:
    """The log says once that the store can't be opened, and nothing that is not so."""
    assert log.count("The store can't be opened: ") == 1, log
    for untrue in ("All that was said is stored", "The room is open", "Traceback", "Unhandled"):
        assert untrue not in log


def test_a_damaged_store(tmp_path: Path) -> None:
    """A store that can't be opened once the daemon runs: status 1, one sentence, and the file is as it was."""
    path = damaged(tmp_path)
    content = path.read_bytes()
    log = failed(tmp_path, "chatroom", PORT, f"--store=sqlite:{path}")
    assert f"{path} is damaged" in log
    assert path.read_bytes() == content


def test_a_damaged_store_in_another_folder(tmp_path: Path) -> None:
    """The same with ``--rundir``, and a path that begins there."""
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    damaged(run_folder)
    assert "chat.db is damaged" in failed(
        tmp_path, f"--rundir={run_folder}", "chatroom", PORT, "--store=sqlite:chat.db"
    )


def test_a_damaged_store_in_the_background(tmp_path: Path) -> None:
    """A daemon in the background says so in its log, and its pid file is gone."""
    path = damaged(tmp_path)
    log, pid = tmp_path / "chat.log", tmp_path / "chat.pid"
    command = [TWISTD, f"--pidfile={pid}", f"--logfile={log}", "chatroom", PORT, f"--store=sqlite:{path}"]
    subprocess.run(command, cwd=tmp_path, timeout=PATIENCE_SECONDS, check=True, capture_output=True)
    until(lambda: log.exists() and "Server Shut Down" in log.read_text(), "it has stopped")
    until(lambda: not pid.exists(), "its pid file is gone")
    sentence(log.read_text())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_users_store() -> None:
    """With ``--uid`` the store is opened as that user: what he may not is told, with status 1."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = written(folder)
        folder.chmod(0o777)
        users = (f"--uid={NOBODY.pw_uid}", f"--gid={NOBODY.pw_gid}")
        log = failed(folder, *users, "chatroom", PORT, f"--store=sqlite:{path}")
        assert f"{path} can't be read and written by this user" in log


def test_private(tmp_path: Path) -> None:
    """In the foreground, with an open umask, files and sockets are the user's alone, unless a mode is given."""
    previous = os.umask(0)
    try:
        daemon = Daemon(tmp_path, f"--port=unix:{tmp_path}/private", f"--port=unix:{tmp_path}/shared:mode=660")
        with daemon:
            ann = daemon.program("ann")
            ann.call("join", room="lobby")
            ann.call("say", room="lobby", text="hello")
            modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(previous)
    private = ("chat.db", "chat.db-wal", "chat.db-shm", "private")
    assert {name: modes[name] for name in private} == dict.fromkeys(private, 0o600)
    assert modes["shared"] == 0o660


def test_an_unreadable_page(tmp_path: Path) -> None:
    """People get a sentence without SQL or paths; the log names the file and the damage; other rooms go on."""
    path = written(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as operator:
        operator.execute("UPDATE events SET who = CAST(x'ff' AS TEXT) WHERE seq = 2 AND text LIKE 'secret%'")
    with Daemon(tmp_path) as daemon:
        bob = daemon.program("bob")
        answer = bob.call("history", room="lobby", after=0, limit=100)
        assert (answer["type"], answer["code"]) == ("error", "not-readable")
        assert answer["text"].startswith("The log of this room can't be read")
        person = Caller(daemon.port)
        person.say("ann", "/history 100")
        exchange([person], lambda: person.heard("The log of this room can't be read"), "a person is told")
        person.close()
        assert [event["text"] for event in bob.call("history", room="other")["events"]] == ["hello"]
        for told in (str(answer), person.received.decode()):
            for inside in ("json", str(path), path.name, "SELECT", "decode"):
                assert inside not in told
        until(lambda: "chat.db is damaged" in daemon.log, "the operator is told")
        assert "can't decode byte 0xff" in daemon.log
        assert "secret" not in daemon.log
        assert "Traceback" not in daemon.log
