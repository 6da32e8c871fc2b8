"""Operators of the server and closed rooms, against the daemon as a process, from an IRC client."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.live.daemon import PATIENCE_SECONDS, Caller, Daemon, exchange

BIN = Path(sys.executable).parent


def hash_line(name: str, *typed: str) -> subprocess.CompletedProcess[bytes]:
    """What ``chatroom-admin hash`` prints for what is typed at its terminal."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [str(BIN / "chatroom-admin"), "hash", name],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            prompt = b""
            for line in typed:
                while not prompt.endswith(b": "):
                    prompt += os.read(ours, 100)
                prompt = b""
                os.write(ours, f"{line}\n".encode())
            out, _ = process.communicate(timeout=PATIENCE_SECONDS)
            return subprocess.CompletedProcess([], process.returncode, out)
    finally:
        os.close(ours)
        os.close(theirs)


def enter(daemon: Daemon, name: str) -> Caller:
    """An IRC client that is registered."""
    caller = daemon.caller()
    caller.say("CAP LS 302", f"NICK {name}", f"USER {name} 0 * :{name}", "CAP END")
    hear(caller, f" 422 {name} ")
    return caller


def hear(caller: Caller, text: str) -> None:
    exchange([caller], lambda: caller.heard(text), f"it is told {text}")


def test_hash_and_oper(tmp_path: Path) -> None:
    """A line that was made for a password lets its operator in, who then ends a session."""
    other = hash_line("root", "tea", "milk")
    assert (other.returncode, other.stdout) == (1, b"")
    made = hash_line("root", "tea for two", "tea for two")
    path = tmp_path / "operators"
    path.write_bytes(made.stdout)
    path.chmod(0o644)
    refused = subprocess.run(
        [str(BIN / "twistd"), "-n", "--pidfile=", "chatroom", "--store=memory:", f"--oper={path}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (refused.returncode, refused.stdout + refused.stderr) == (
        1,
        f"chatroom: Others may read {path}: chmod 600 {path}\n",
    )
    path.chmod(0o600)
    with Daemon(tmp_path, f"--oper={path}") as daemon:
        root, eve = enter(daemon, "ann"), enter(daemon, "eve")
        root.say("OPER root milk", "OPER root :tea for two", "KILL eve :spam")
        for text in (" 464 ann ", " 381 ann "):
            hear(root, text)
        hear(eve, "ERROR :Closing link: Killed (ann (spam))")
        exchange([eve], lambda: eve.over, "the connection ends")
        assert "tea for two" not in daemon.log


def test_closed_room_and_kill_9(tmp_path: Path) -> None:
    """What was said in a closed room is shown to nobody, if the daemon is killed while people are in it, too."""
    with Daemon(tmp_path) as daemon:
        ann = enter(daemon, "ann")
        ann.say(
            "JOIN #den", "MODE #den +k tea", "PRIVMSG #den :a secret", "JOIN #open", "PRIVMSG #open :a word", "PING x"
        )
        hear(ann, "PONG")
        daemon.kill()
        daemon.start()
        bob = enter(daemon, "bob")
        bob.say("JOIN #open", "JOIN #den", "PRIVMSG #den :hello", "PING x")
        hear(bob, "PONG")
        assert bob.heard("a word")
        assert not bob.heard("a secret")
