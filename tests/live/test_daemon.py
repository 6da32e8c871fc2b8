"""The daemon as its operator and its users meet it: started, stopped, killed, and spoken to by what they have."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.daemon import PATIENCE_SECONDS, Caller, Daemon, Program, exchange, until

if TYPE_CHECKING:
    from collections.abc import Iterator

TWISTD = str(Path(sys.executable).with_name("twistd"))
FREE_PORT = "--port=tcp:0:interface=127.0.0.1"
CHATROOM = (TWISTD, "-n", "--pidfile=", "chatroom", "--store=memory:")
FEW_FILES = 100


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run twistd to its end."""
    return subprocess.run(
        [TWISTD, *words], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def fault(folder: Path, *options: str) -> str:
    """What the operator is told when the daemon can't start: one line, and a status that is not 0."""
    ended = run(folder, "-n", "--pidfile=", "chatroom", *options)
    assert ended.returncode, ended.stdout
    [line] = (ended.stdout + ended.stderr).splitlines()
    assert line.startswith("chatroom: ")
    return line


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--login-timeout=2") as running:
        yield running
        assert "Traceback" not in running.log


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that a test starts in its own way; whoever calls it is seen out in the end."""
    daemon = Daemon(tmp_path)
    with contextlib.ExitStack() as stack:
        stack.push(daemon)
        yield daemon


def port_in(log: Path) -> int:
    """Where a daemon listens, as soon as its log says that it does."""
    until(lambda: log.exists() and "The room is open." in log.read_text(), "the room is open")
    [port] = re.findall(r"Listening on .*port=(\d+)", log.read_text())
    return int(port)


@contextlib.contextmanager
def started(daemon: Daemon, *command: str) -> Iterator[None]:
    """Start a daemon by a command of its own, and stop it in the end; nothing may have gone wrong."""
    log = daemon.log_path
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=log.parent, stdout=out, stderr=out)
    try:
        daemon.port = port_in(log)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
    assert "Traceback" not in log.read_text()


def person(daemon: Daemon, name: str) -> Caller:
    """Somebody who is in the lobby."""
    caller = daemon.caller()
    caller.say(name)
    hear(caller, f"*** You are {name},")
    return caller


def program(daemon: Daemon, name: str) -> Program:
    """A program that is in the lobby."""
    program = daemon.program(name)
    program.call("join", room="lobby", after=0)
    return program


def hear(caller: Caller, text: str) -> None:
    exchange([caller], lambda: caller.heard(text), f"{text} is heard")


def heard_by_newcomer(daemon: Daemon, text: str) -> bool:
    caller = daemon.caller()
    hear(caller, "\n")
    return caller.heard(text)


def hear_the_end(caller: Caller, sentence: str) -> None:
    """It is told why, and the connection closes."""
    exchange([caller], lambda: caller.over, "it is closed")
    assert sentence in caller.lines[-1]
    assert not caller.was_reset


class TestStart:
    @pytest.mark.parametrize(
        ("option", "told"),
        [
            ("--port=abc", "give a number, or an endpoint"),
            ("--port=70000", "give a number up to 65535"),
            ("--port=tcp:x", "give a number, or an endpoint"),
            ("--store=postgres:", "sqlite:PATH"),
            ("--store=sqlite:missing/chat.db", "make it, or choose another path"),
            ("--store=sqlite:/", "choose"),
            ("--rate=fast", "--rate must be a number"),
            ("--colour", "--help lists the options"),
        ],
    )
    def test_wrong_option(self, tmp_path: Path, option: str, told: str) -> None:
        """One line says what is wrong and what to do; the status is not 0, and no file is left behind."""
        assert told in fault(tmp_path, FREE_PORT, option)
        assert list(tmp_path.iterdir()) == []

    def test_port_in_use(self, tmp_path: Path) -> None:
        """A port that another program has is named, before anything is made."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            told = fault(tmp_path, f"--port=tcp:{port}:interface=127.0.0.1")
        assert f"can't listen on tcp:{port}" in told
        assert "give another --port" in told

    def test_store_in_use(self, daemon: Daemon, tmp_path: Path) -> None:
        """A second daemon does not touch the store of the first, which goes on."""
        assert "another" in fault(tmp_path, FREE_PORT, "--store=sqlite:chat.db")
        ann = person(daemon, "ann")
        ann.say("still here")
        hear(ann, "ann: still here")

    @pytest.mark.parametrize("content", [b"Dear diary\n" * 1000, b"SQLite format 3\0" + b"x" * 5000])
    def test_not_a_database(self, tmp_path: Path, content: bytes) -> None:
        """A file that is something else is not changed."""
        path = tmp_path / "chat.db"
        path.write_bytes(content)
        assert "chat.db" in fault(tmp_path, FREE_PORT, "--store=sqlite:chat.db")
        assert path.read_bytes() == content

    def test_newer_store(self, tmp_path: Path) -> None:
        """A store that a newer version has written is not changed, and the operator told so."""
        with Daemon(tmp_path) as daemon:
            daemon.stop()
        path = tmp_path / "chat.db"
        with contextlib.closing(sqlite3.connect(path)) as database:
            [(version,)] = database.execute("PRAGMA user_version")
            database.execute(f"PRAGMA user_version = {version + 1}")
        content = path.read_bytes()
        assert "newer" in fault(tmp_path, FREE_PORT, "--store=sqlite:chat.db")
        assert path.read_bytes() == content

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_unreadable_store(self, tmp_path: Path) -> None:
        """A store that this user may not read is named."""
        (tmp_path / "chat.db").touch(0o000)
        assert "chat.db" in fault(tmp_path, FREE_PORT, "--store=sqlite:chat.db")

    def test_help(self, tmp_path: Path) -> None:
        """The help has examples, and is no fault."""
        ended = run(tmp_path, "chatroom", "--help")
        assert ended.returncode == 0
        assert "twistd -n chatroom --port 7000 --store memory:" in ended.stdout

    def test_background(self, tmp_path: Path, another: Daemon) -> None:
        """Without -n it goes into the background, with its pid and its log in files, until SIGTERM."""
        words = ("--pidfile=chat.pid", "--logfile=chat.log", "chatroom", FREE_PORT, "--store=sqlite:chat.db")
        assert run(tmp_path, *words).returncode == 0
        pid_file, log = tmp_path / "chat.pid", tmp_path / "chat.log"
        another.port = port_in(log)
        ann = person(another, "ann")
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
        hear_the_end(ann, "The server is stopping. Goodbye.")
        until(lambda: not pid_file.exists(), "it has ended")
        assert "Traceback" not in log.read_text()


class TestStop:
    def test_sigterm(self, daemon: Daemon) -> None:
        """Everybody is told, what was said is stored, and the log has nothing to complain of."""
        ann, bot = person(daemon, "ann"), program(daemon, "bot")
        ann.say("last words")
        exchange([ann, bot], lambda: ann.heard("ann: last words"), "it is stored")
        daemon.stop()
        hear_the_end(ann, "The server is stopping. Goodbye.")
        hear_the_end(bot, '{"type":"closing","code":"stopping","text":"The server is stopping. Goodbye."}')
        daemon.start()
        assert person(daemon, "bob").heard("ann: last words")

    def test_kill(self, daemon: Daemon) -> None:
        """What anybody had seen is there after kill -9 and a restart, as it was, and the seq goes on."""
        bot = program(daemon, "bot")
        for number in range(10):
            bot.call("say", room="lobby", text=f"line {number}")
        exchange([bot], lambda: len(bot.events("lobby")) == 10, "it is shown")
        daemon.kill()
        daemon.start()
        again = program(daemon, "bot")
        assert again.call("say", room="lobby", text="more")["seq"] == 11
        exchange([again], lambda: len(again.events("lobby")) == 11, "all is shown")
        assert again.events("lobby")[:10] == bot.events("lobby")


class TestStrangers:
    def test_http(self, daemon: Daemon) -> None:
        """A browser is told what this port is."""
        browser = daemon.caller()
        browser.say("GET / HTTP/1.1\r", "Host: localhost\r", "\r")
        hear_the_end(browser, "This is a chat room, not a web server")

    def test_tls(self, daemon: Daemon) -> None:
        """A TLS client is told so too, and ends at once."""
        context = ssl.create_default_context()
        with (
            socket.create_connection(("127.0.0.1", daemon.port), PATIENCE_SECONDS) as plain,
            pytest.raises(ssl.SSLError),
        ):
            context.wrap_socket(plain, server_hostname="localhost")
        hello = daemon.caller()
        hello.outbox += b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(508)
        hear_the_end(hello, "this port speaks no TLS")

    def test_silence(self, daemon: Daemon) -> None:
        """Connections that say nothing are let go, and whoever talks meanwhile does not notice."""
        silent = [daemon.caller() for _ in range(200)]
        ann = person(daemon, "ann")
        exchange([ann, *silent], lambda: all(caller.over for caller in silent), "they are let go")
        assert {caller.lines[-1] for caller in silent} == {"*** You gave no name in time. Goodbye."}
        ann.say("hello")
        hear(ann, "ann: hello")

    def test_more_connections_than_files(self, another: Daemon) -> None:
        """Whoever is too many is told so, if it can be; those who are in talk on, and may be followed by others."""
        few_files = ("sh", "-c", f'ulimit -n {FEW_FILES} && exec "$@"', "-")
        with started(another, *few_files, *CHATROOM, FREE_PORT):
            crowd = [another.caller() for _ in range(2 * FEW_FILES)]

            def refused() -> list[Caller]:
                return [caller for caller in crowd if caller.over]

            def let_in() -> list[Caller]:
                return [caller for caller in crowd if caller.heard("your name?")]

            exchange(crowd, lambda: len(refused()) + len(let_in()) == len(crowd), "all are answered")
            # Where there is not even a file to say so, the connection just closes.
            told = {bytes(caller.received) for caller in refused()}
            assert told - {b""} == {b"*** The server is full. Please try again later.\r\n"}
            ann, *others = let_in()
            ann.say("ann", "hello")
            hear(ann, "ann: hello")
            for caller in others:
                caller.close()
            # As soon as the server has noticed that they are gone.
            until(lambda: heard_by_newcomer(another, "your name?"), "there is a place")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
class TestTls:
    @pytest.fixture
    def context(self, tmp_path: Path) -> ssl.SSLContext:
        """What a client needs that trusts the daemon's certificate."""
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
                "-subj",
                "/CN=localhost",
            ],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        context.check_hostname = False
        return context

    @pytest.mark.parametrize("last_line", ["/quit\n", ""])
    def test_leaves(self, another: Daemon, context: ssl.SSLContext, last_line: str) -> None:
        """Over TLS too one says and sees lines, and whoever has left is gone for everybody."""
        with started(another, *CHATROOM, "--port=ssl:0:interface=127.0.0.1:privateKey=key.pem:certKey=cert.pem"):

            def call(lines: str, last: str) -> str:
                """Say lines, read until the last of what one waits for, and leave."""
                with (
                    socket.create_connection(("127.0.0.1", another.port), PATIENCE_SECONDS) as plain,
                    context.wrap_socket(plain) as secure,
                ):
                    secure.sendall(lines.encode())
                    seen = b""
                    while last.encode() not in seen and (data := secure.recv(1 << 16)):
                        seen += data
                    return seen.decode()

            assert "ann: hello\r\n" in call(f"ann\nhello\n{last_line}", "ann: hello\r\n")
            until(lambda: "nobody is here yet" in call("", "your name?"), "ann has left")


class TestClients:
    @pytest.mark.skipif(shutil.which("nc") is None, reason="needs nc")
    def test_nc_half_close(self, daemon: Daemon) -> None:
        """`printf … | nc -N` says every line and is shown it, without a stray byte, before the connection ends."""
        lines = [f"line {number}" for number in range(150)]
        ended = subprocess.run(
            ["nc", "-N", "127.0.0.1", str(daemon.port)],
            input="\n".join(["bot", *lines]).encode(),
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        shown = ended.stdout.decode("ascii").replace("\r\n", "\n")
        assert re.findall(r"bot: (line \d+)\n", shown) == lines
        assert ended.stderr == b""

    @pytest.mark.skipif(shutil.which("telnet") is None, reason="needs telnet")
    def test_telnet(self, daemon: Daemon) -> None:
        """From a real telnet in a terminal every script arrives whole, and ^C does not make it mute."""
        terminal, far_end = pty.openpty()
        ann = person(daemon, "ann")
        with subprocess.Popen(
            ["telnet", "127.0.0.1", str(daemon.port)],
            stdin=far_end,
            stdout=far_end,
            stderr=far_end,
            start_new_session=True,
        ) as telnet:
            try:
                os.set_blocking(terminal, False)
                screen = bytearray()

                def shows(text: str) -> bool:
                    with contextlib.suppress(BlockingIOError):
                        screen.extend(os.read(terminal, 1 << 16))
                    return text.encode() in screen

                until(lambda: shows("What is your name?"), "telnet is connected")
                for typed, shown in [
                    ("zoë", "*** You are zoë, in #lobby with ann."),
                    ("日本 Ü я ă Ú", "zoë: 日本 Ü я ă Ú"),
                    ("\x03still here", "zoë: still here"),
                ]:
                    os.write(terminal, f"{typed}\r".encode())
                    until(lambda shown=shown: shows(f"{shown}\r\n"), f"{shown} is shown")  # type: ignore[misc]
                hear(ann, "zoë: 日本 Ü я ă Ú\r\n")
                hear(ann, "still here\r\n")
            finally:
                telnet.kill()
                os.close(terminal)
                os.close(far_end)


def test_health(tmp_path: Path) -> None:
    """With --health a balancer is told that lines can be stored, and when the daemon stops nobody answers it."""
    with Daemon(tmp_path, "--health=tcp:0:interface=127.0.0.1") as daemon:
        port = int(re.findall(r"Listening on .*port=(\d+)", daemon.log)[-1])
        caller = Caller(port)
        caller.say("GET /healthz HTTP/1.0\r", "\r")
        hear(caller, "\r\n\r\nok\n")
        assert caller.heard("HTTP/1.0 200 OK") or caller.heard("HTTP/1.1 200 OK")
        caller.close()
        daemon.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        assert daemon.trouble == []
        assert "healthz" not in daemon.log
