"""Every example of docs/bots.md is run against the real daemon, as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.daemon import PATIENCE_SECONDS, Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCKS = re.findall(
    r"```(?:python|sh)\n(.*?)```", (Path(__file__).parents[2] / "docs" / "bots.md").read_text(), re.DOTALL
)
CLIENT = (sys.executable, "-m", "twistedchat.client")


def block(mark: str) -> str:
    """The example in which this stands."""
    [found] = [text for text in BLOCKS if mark in text]
    return str(found)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--rate=0") as daemon:
        yield daemon


class Running:
    """A program that is ended at the end of a ``with``."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.process

    def __exit__(self, *fault: object) -> None:
        # A shell script's processes, too.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


def listener(where: str, room: str = "lobby") -> Running:
    """Somebody in the room, who also talks."""
    return Running(*CLIENT, "--json", "--name", "somebody", "--room", room, where)


def say(person: subprocess.Popen[bytes], text: str) -> None:
    assert person.stdin
    person.stdin.write(f"{text}\n".encode())


def heard(person: subprocess.Popen[bytes]) -> tuple[str, str]:
    """The next that is said: by whom, and what."""
    assert person.stdout
    event = json.loads(person.stdout.readline())
    return event["who"], event["text"]


def wait_for(where: str, name: str, room: str = "lobby") -> None:
    """Return when somebody of this name is in the room."""
    script = f"""
from twisted.internet.task import deferLater, react
from twistedchat.client import connect
async def main(reactor):
    chat = await connect(reactor, {where!r}, name="usher")
    await chat.join({room!r})
    while {name!r} not in (await chat.conversation.ask("who", room={room!r})).fields["members"]:
        await deferLater(reactor, 0.05)
    await chat.close()
react(main)
"""
    subprocess.run([sys.executable, "-c", script], timeout=PATIENCE_SECONDS, check=True)


def test_echo(tmp_path: Path) -> None:
    """The echo bot says again what is said to it, also after the server was killed."""
    where = f"unix:{tmp_path}/socket"
    with (
        Daemon(tmp_path, f"--port={where}", "--rate=0") as stable,
        Running(sys.executable, "-c", block('name="echo"'), where),
        listener(where) as person,
    ):
        wait_for(where, "echo")
        for round_ in range(2):
            say(person, f"hello {round_}")
            assert heard(person) == ("somebody", f"hello {round_}")
            assert heard(person) == ("echo", f"somebody said: hello {round_}")
            stable.kill()
            stable.start()


def test_log_watcher(daemon: Daemon, tmp_path: Path) -> None:
    """The log watcher says what is wrong, and nothing else."""
    where = f"localhost:{daemon.port}"
    log = tmp_path / "app.log"
    log.write_text("INFO all is well\nERROR disk on fire\n")
    with listener(where, "ops") as person:
        wait_for(where, "somebody", "ops")
        with Running(sys.executable, "-c", block('name="watcher"'), where, str(log)):
            assert heard(person) == ("watcher", "ERROR disk on fire")
            with log.open("a") as more:
                more.write("INFO\nERROR and flood\n")
            assert heard(person) == ("watcher", "ERROR and flood")


def test_bridge(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The bridge carries lines from one server to the other."""
    with Daemon(tmp_path_factory.mktemp("there")) as other:
        here, there = f"localhost:{daemon.port}", f"localhost:{other.port}"
        with (
            Running(sys.executable, "-c", block('name="bridge"'), here, there),
            listener(here) as person,
            listener(there) as reader,
        ):
            wait_for(there, "bridge")
            wait_for(there, "somebody")
            wait_for(here, "bridge")
            say(person, "over to you")
            assert heard(reader) == ("bridge", "<somebody> over to you")


@pytest.mark.skipif(not (shutil.which("nc") and shutil.which("jq")), reason="needs nc and jq")
def test_plain_shell(daemon: Daemon) -> None:
    """The shell script answers."""
    where = f"localhost:{daemon.port}"
    with Running("sh", "-c", block("counter"), "sh", "localhost", str(daemon.port)), listener(where) as person:
        wait_for(where, "counter")
        wait_for(where, "somebody")
        say(person, "!count")
        assert heard(person) == ("somebody", "!count")
        assert heard(person) == ("counter", "1 lines so far")


def test_the_cluster_script() -> None:
    """The script of docs/cluster.md is one that a shell understands; it is tried by hand, because it wants haproxy."""
    subprocess.run(["sh", "-n", Path(__file__).parents[2] / "examples" / "cluster.sh"], check=True)


def test_one_liners() -> None:
    """The lines of shell are ones that a shell understands."""
    for text in BLOCKS:
        if "import" not in text:
            subprocess.run(["sh", "-n", "-c", text], check=True)
