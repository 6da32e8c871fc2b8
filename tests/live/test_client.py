"""The bundled client as a process, in a pipe, against the real daemon."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.daemon import PATIENCE_SECONDS, Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

CLIENT = (sys.executable, "-m", "twistedchat.client")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def run(*arguments: str, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the client with an input, to its end."""
    command = [*CLIENT, *arguments]
    return subprocess.run(command, input=said, capture_output=True, timeout=PATIENCE_SECONDS, check=False)


class Client:
    """The client as a process with pipes; killed at the end of a ``with``, if it still runs."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*CLIENT, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdin
        assert self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.process.kill()
        self.process.communicate()

    def say(self, *lines: str) -> None:
        """Write lines to its input."""
        self.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.stdin.flush()

    def end(self) -> tuple[int, str, str]:
        """Its exit status, output and errors."""
        output, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, output.decode(), errors.decode()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("daemon"), "--rate=0") as daemon:
        yield daemon


def events(daemon: Daemon, room: str) -> list[dict[str, Any]]:
    """All that was said in a room."""
    done = run("--json", "--after=0", "--wait=0.3", "--room", room, f"localhost:{daemon.port}")
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def texts(daemon: Daemon, room: str) -> list[str]:
    """The text of each."""
    return [event["text"] for event in events(daemon, room)]


def test_says_a_line_and_ends(daemon: Daemon) -> None:
    """A line from a pipe is stored before the client ends, with status 0, and nothing on stderr."""
    done = run("--name", "bot", "--room", "pipe", f"localhost:{daemon.port}", said="héllo 日本 🎉".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().endswith("bot: héllo 日本 🎉\n")
    assert texts(daemon, "pipe") == ["héllo 日本 🎉"]


def test_a_file(daemon: Daemon, tmp_path: Path) -> None:
    """Input may be a file, output another."""
    (tmp_path / "in").write_text("one\ntwo\n\nthree")
    with (tmp_path / "in").open() as said, (tmp_path / "out").open("wb") as written:
        done = subprocess.run(
            [*CLIENT, "--room", "file", "--json", f"localhost:{daemon.port}"],
            stdin=said,
            stdout=written,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
    events = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [event["text"] for event in events] == ["one", "two", "three"]


def test_many_lines(daemon: Daemon) -> None:
    """10 MB through a pipe are said to the last line, in order."""
    count = 20_000
    lines = [f"{number} {'x' * 500}" for number in range(count)]
    done = run("--room", "many", "--json", f"localhost:{daemon.port}", said="\n".join(lines).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == lines


def test_a_closed_pipe(daemon: Daemon) -> None:
    """Whoever reads the output may go: the client says what it was given, and ends without a word."""
    with Client("--room", "closed-pipe", f"localhost:{daemon.port}") as client:
        client.say("one")
        assert client.stdout.readline().startswith(b"---")
        client.stdout.close()
        client.say("two")
        assert client.process.wait(PATIENCE_SECONDS) == 0
        assert client.process.stderr
        assert client.process.stderr.read() == b""
    assert texts(daemon, "closed-pipe")[0] == "one"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals(daemon: Daemon, number: signal.Signals) -> None:
    """A signal ends the client in good order."""
    with Client("--room", f"signal-{number.value}", f"localhost:{daemon.port}") as client:
        client.say("hi")
        client.stdout.readline()
        client.process.send_signal(number)
        status, _, errors = client.end()
        assert (status, errors) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["localhost:{free}"], 1, "Nothing listens at localhost:{free}"),
        (["--name", "a b", "localhost:{port}"], 1, "can't stand in the name"),
        (["--room", "a b", "localhost:{port}"], 1, "can't stand in the name of a room"),
        (["unix:/no/such/socket"], 1, "There is no socket at unix:/no/such/socket"),
        (["--tls", "localhost:{port}"], 1, "does not speak TLS"),
        (["localhost:0"], 2, "There is no port 0"),
    ],
)
def test_sentences(daemon: Daemon, arguments: list[str], status: int, sentence: str) -> None:
    """What can't be done is told in one line on stderr."""
    places = {"port": daemon.port, "free": free_port()}
    done = run(*[argument.format(**places) for argument in arguments], said=b"hi")
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(b"chatroom: ")
    assert done.stderr.count(b"\n") == 1
    assert sentence.format(**places) in done.stderr.decode()


def test_a_taken_name(daemon: Daemon) -> None:
    """A name that was asked for and is taken is told; one's own name is taken with a number."""
    where = f"localhost:{daemon.port}"
    with Client("--name", "holder", where) as holder:
        holder.say("I am here")
        holder.stdout.readline()
        done = run("--name", "holder", where, said=b"hi")
        assert done.returncode == 1
        assert b"holder" in done.stderr
        own = subprocess.run(
            [*CLIENT, "--room", "names", "--json", where],
            input=b"hi",
            capture_output=True,
            env=os.environ | {"USER": "holder"},
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    assert json.loads(own.stdout)["who"] == "holder-2"


def test_several_servers(tmp_path: Path) -> None:
    """A server that is not there is passed over; when one is stopped, what is said goes to the next."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Daemon(tmp_path / "a") as first, Daemon(tmp_path / "b") as second:
        where = (f"localhost:{free_port()}", f"localhost:{first.port}", f"localhost:{second.port}")
        with Client("--name", "bot", "--room", "several", "--json", *where) as client:
            client.say("one")
            assert json.loads(client.stdout.readline())["text"] == "one"
            first.stop()
            client.say("two")
            status, output, errors = client.end()
        assert (status, json.loads(output)["text"]) == (0, "two")
        assert errors == "chatroom: #several is another log than before: you had seen 1, and it goes on after 0.\n"
        assert texts(second, "several") == ["two"]


def test_another_server() -> None:
    """A server that speaks something else is told to be none of ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        with Client(where) as client:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\nInvalid SSH identification string.\r\n")
            status, _, errors = client.end()
    assert status == 1
    assert errors == f"chatroom: {where} answers, but is no chatroom: is that the right port?\n"


def test_a_killed_server(tmp_path: Path) -> None:
    """The server is killed again and again while lines are said: each stands once, in order."""
    where = f"unix:{tmp_path}/socket"
    said = []
    with (
        Daemon(tmp_path, f"--port={where}", "--rate=0") as daemon,
        Client("--name", "bot", "--json", "--wait", "0", where) as client,
    ):
        for round_ in range(4):
            lines = [f"{round_} {number}" for number in range(50)]
            said += lines
            client.say(*lines)
            assert json.loads(client.stdout.readline())["text"]
            if round_ < 3:
                daemon.kill()
                daemon.start()
        status, output, errors = client.end()
        assert (status, errors) == (0, "")
        assert texts(daemon, "lobby") == said
        assert [json.loads(line)["text"] for line in output.splitlines()] == said[4:]


def test_beginning_somewhere(daemon: Daemon) -> None:
    """--after, --since, --no-history and --state begin where they say."""
    where = ("--room", "places", "--json", f"localhost:{daemon.port}")
    assert run(*where, said=b"one\ntwo\nthree").returncode == 0

    def shown(*arguments: str) -> list[str]:
        done = run(*arguments, *where, "--wait=0.3")
        assert (done.returncode, done.stderr) == (0, b"")
        return [json.loads(line)["text"] for line in done.stdout.splitlines()]

    assert shown("--after=1") == ["two", "three"]
    assert shown("--since=2") == ["three"]
    assert shown("--since=00:00") == ["one", "two", "three"]
    assert shown("--since=00:00", "--room=elsewhere") == ["one", "two", "three"]
    assert shown("--no-history") == []


def test_remembering(daemon: Daemon, tmp_path: Path) -> None:
    """With --state every event is written once, over all runs."""
    where = ("--room", "remembered", f"localhost:{daemon.port}")
    shown = []
    for number in range(3):
        assert run(*where, said=f"line {number}".encode()).returncode == 0
        done = run("--json", "--wait=0.3", f"--state={tmp_path}/state", *where)
        assert (done.returncode, done.stderr) == (0, b"")
        shown.append([json.loads(line)["text"] for line in done.stdout.splitlines()])
    assert shown == [["line 0"], ["line 1"], ["line 2"]]


def test_a_wrong_state(daemon: Daemon, tmp_path: Path) -> None:
    """A file that is no state is left as it is, and told."""
    (tmp_path / "state").write_text("precious")
    done = run(f"--state={tmp_path}/state", f"localhost:{daemon.port}")
    assert done.returncode == 1
    assert b"is no state" in done.stderr
    assert (tmp_path / "state").read_text() == "precious"


def test_a_quiet_log(daemon: Daemon) -> None:
    """After all that the server's log has no traceback."""
    assert "Traceback" not in daemon.log
