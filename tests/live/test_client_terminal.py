"""The bundled client in a real terminal, against the real daemon: what a person sees, and leaves behind."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from tests.live.daemon import PATIENCE_SECONDS, Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

pyte = pytest.importorskip("pyte")

CLIENT = (sys.executable, "-m", "twistedchat.client")
PAGE_UP, PAGE_DOWN, HOME, LEFT, UP = "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[D", "\x1b[A"


class Terminal:
    """The client in a terminal of so many columns and rows; killed at the end of a ``with``, if it still runs."""

    def __init__(self, *arguments: str, columns: int = 80, rows: int = 24, **environment: str) -> None:
        self.master, self.slave = pty.openpty()
        self.found = termios.tcgetattr(self.slave)
        self.resize(columns, rows, tell=False)
        self.screen = pyte.Screen(columns, rows)
        self.screen.write_process_input = lambda data: os.write(self.master, data.encode())
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.process = subprocess.Popen(
            [*CLIENT, *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  there are no threads here
            env=os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Give the window another size."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.screen.resize(rows, columns)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.master, text.encode())

    def read(self, seconds: float = 0.05) -> None:
        """Take what is drawn."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            data = os.read(self.master, 1 << 16)
            self.raw += data
            self._stream.feed(data)

    @property
    def rows(self) -> list[str]:
        """What stands on the screen."""
        return [row.rstrip() for row in self.screen.display]

    def until(self, seen: Callable[[list[str]], bool], what: str) -> list[str]:
        """Read until the screen is as it should be."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not seen(self.rows):
            assert time.monotonic() < deadline, "\n".join([f"waited in vain until {what}:", *self.rows])
            self.read()
        return self.rows

    def shows(self, text: str) -> list[str]:
        """Read until this stands somewhere on the screen."""
        return self.until(lambda rows: any(text in row for row in rows), f"{text!r} is shown")

    def end(self) -> int:
        """The exit status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "\n".join(["it does not end:", *self.rows])
            self.read()
        self.read()
        return self.process.wait()

    @property
    def is_as_found(self) -> bool:
        """Whether the terminal's settings are what they were, and the full screen is gone."""
        was_full, is_full = self.raw.rfind(b"\x1b[?1049h"), self.raw.rfind(b"\x1b[?1049l")
        return termios.tcgetattr(self.slave) == self.found and was_full <= is_full


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, f"--port=unix:{tmp_path}/socket", "--rate=0") as daemon:
        yield daemon


@pytest.fixture
def where(tmp_path: Path, daemon: Daemon) -> str:
    return f"unix:{tmp_path}/socket"


def say(where: str, *lines: str, name: str = "bob", room: str = "lobby") -> None:
    """Somebody says something in between."""
    command = [*CLIENT, "--name", name, "--room", room, "--json", where]
    subprocess.run(command, input="\n".join(lines).encode(), timeout=PATIENCE_SECONDS, check=True, capture_output=True)


def texts(where: str) -> list[str]:
    command = [*CLIENT, "--after=0", "--wait=0.5", "--plain", "--name", "reader", where]
    done = subprocess.run(command, input=b"", timeout=PATIENCE_SECONDS, check=True, capture_output=True)
    found = re.findall(r"^\[[\d:]+\] \w+: (.*)$", done.stdout.decode(), re.MULTILINE)
    return [str(text) for text in found]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10), (200, 60)])
def test_a_conversation(where: str, columns: int, rows: int) -> None:
    """Every script is shown, the line being typed stays whole at the bottom, and the line above it tells all."""
    with Terminal("--name", "ann", where, columns=columns, rows=rows) as terminal:
        terminal.shows("You are ann")
        terminal.type("héllo Привет 日本語 🎉\r")
        terminal.shows("ann: héllo Привет")
        terminal.type("half a li")
        say(where, "ann: look")
        shown = terminal.shows("bob: ann: look")
        assert "#lobby" in shown[-2]
        assert "connected" in shown[-2]
        assert shown[-1] == "> half a li"
        terminal.type("ne\r")
        terminal.shows("ann: half a line")
        terminal.type("/quit\r")
        assert terminal.end() == 0
        assert terminal.is_as_found


def test_typing_under_a_stream(where: str, daemon: Daemon) -> None:
    """While hundreds of lines come in, what is typed is said as it was typed."""
    with Terminal("--name", "ann", where) as terminal:
        terminal.shows("You are ann")
        command = [*CLIENT, "--name", "bob", f"localhost:{daemon.port}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as stream:
            assert stream.stdin
            typed = "the quick brown fox jumps"
            for character in typed:
                stream.stdin.write(b"noise\n" * 20)
                stream.stdin.flush()
                terminal.type(character)
                terminal.read()
            terminal.until(lambda rows: rows[-1] == f"> {typed}", "the line stands whole")
            terminal.type("\r")
            stream.stdin.close()
        terminal.until(lambda rows: rows[-1] == ">", "it is said")
        terminal.type("\x04")
        assert terminal.end() == 0
        assert terminal.is_as_found
    found = texts(where)
    assert found.count(typed) == 1
    assert found.count("noise") == 20 * len(typed)


def test_editing_and_resizing(where: str) -> None:
    """Keys edit the line, also while the window changes its size."""
    with Terminal("--name", "ann", where) as terminal:
        terminal.shows("You are ann")
        terminal.type("word日" * 12)
        terminal.resize(40, 12)
        terminal.until(lambda rows: "#lobby" in rows[-3], "the line takes two rows")
        terminal.resize(100, 30)
        terminal.until(lambda rows: "#lobby" in rows[-2], "the line takes one row")
        terminal.type("\x01start \x05 end\x17END")
        terminal.until(lambda rows: rows[-1].endswith("日 END") and "> start word" in rows[-1], "edited")
        terminal.type("\r")
        terminal.shows("ann: start word")
        terminal.type(UP + "\x0b\x15")
        terminal.until(lambda rows: rows[-1] == ">", "killed")
        terminal.type("\x1b[200~one\ntwo\nthree\x1b[201~")
        terminal.until(lambda rows: rows[-1] == "> three" and any("ann: two" in row for row in rows), "pasted")
        terminal.type("\x15/wh\t\r")
        terminal.shows("ann is in #lobby")
        terminal.type("/quit\r")
        assert terminal.end() == 0


def test_rooms_and_reading_back(where: str) -> None:
    """Several rooms, what is unread there, and the log read back by pages to its beginning."""
    say(where, *[f"old line {number}" for number in range(500)])
    with Terminal("--name", "ann", "--room", "lobby", "--room", "dev", where) as terminal:
        terminal.shows("old line 499")
        say(where, "ann: news", room="dev")
        terminal.shows("2:#dev 1!")
        terminal.type("\x1b2")
        terminal.shows("bob: ann: news")
        terminal.type("/join #lobby\r")
        terminal.shows("old line 499")
        for _ in range(40):
            terminal.type(PAGE_UP)
            terminal.read(0.1)
        terminal.shows("old line 0")
        terminal.type("/since 100\r")
        assert "old line 100" in terminal.shows("old line 100")[0]
        terminal.type("\x1b[F")
        terminal.shows("old line 499")
        terminal.type("/quit\r")
        assert terminal.end() == 0


KILLS = int(os.environ.get("CHATROOM_TEST_KILLS", "3"))


def test_a_killed_server(where: str, daemon: Daemon) -> None:
    """The server is killed under the typing hands, again and again: every line stands once, in order."""
    said = []
    with Terminal("--name", "ann", where) as terminal:
        terminal.shows("You are ann")
        for round_ in range(KILLS):
            said += [f"before {round_}", f"during {round_}"]
            terminal.type(f"{said[-2]}\r{said[-1][:3]}")
            daemon.kill()
            terminal.type(f"{said[-1][3:]}\r")
            terminal.shows("reconnecting in")
            terminal.shows(f"waiting  ann: during {round_}")
            daemon.start()
            terminal.shows("  connected")
            terminal.until(lambda rows: not any("waiting" in row for row in rows), "all is stored")
        terminal.type("/quit\r")
        assert terminal.end() == 0
    assert texts(where) == said


def test_unsent_lines_are_asked_about(where: str, daemon: Daemon) -> None:
    """Whoever leaves with lines unsent is told so, and may leave all the same."""
    with Terminal("--name", "ann", where) as terminal:
        terminal.shows("You are ann")
        daemon.kill()
        terminal.shows("reconnecting")
        terminal.type("unsent\r\x04")
        terminal.shows("1 line is not stored yet")
        terminal.type("\x04")
        assert terminal.end() == 0
        assert terminal.is_as_found
    daemon.start()


LEAVING: dict[str, Callable[[Terminal], None]] = {
    "/quit": lambda terminal: terminal.type("/quit\r"),
    "Ctrl-D": lambda terminal: terminal.type("\x04"),
    "Ctrl-C": lambda terminal: terminal.type("\x03\x03"),
    "SIGTERM": lambda terminal: terminal.process.send_signal(signal.SIGTERM),
    "SIGHUP": lambda terminal: terminal.process.send_signal(signal.SIGHUP),
    "SIGINT": lambda terminal: terminal.process.send_signal(signal.SIGINT),
}


@pytest.mark.parametrize("way", LEAVING)
@pytest.mark.parametrize("plain", [False, True])
def test_leaving(where: str, way: str, plain: bool) -> None:
    """However one leaves, the terminal is as it was found, the status 0, and nothing is said about it."""
    with Terminal("--name", "ann", *(["--plain"] if plain else []), where) as terminal:
        terminal.shows("nobody else is here yet")
        LEAVING[way](terminal)
        assert terminal.end() == 0
        assert terminal.is_as_found
        assert b"Traceback" not in terminal.raw
        assert b"rror" not in terminal.raw


def test_a_lost_terminal(where: str) -> None:
    """A window that is closed ends the client."""
    with Terminal("--name", "ann", where) as terminal:
        terminal.shows("You are ann")
        os.close(terminal.master)
        terminal.master = -1
        assert terminal.process.wait(PATIENCE_SECONDS) == 0


def test_interrupted_while_connecting() -> None:
    """Ctrl-C ends it at once while it waits for a server that says nothing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Terminal(f"127.0.0.1:{server.getsockname()[1]}") as terminal,
    ):
        connection, _ = server.accept()
        with connection:
            connection.recv(100)
            terminal.type("\x03")
            assert terminal.end() == 0
        assert terminal.is_as_found
        assert terminal.raw.strip() == b"^C"


@pytest.mark.parametrize(("term", "no_color"), [("dumb", ""), ("xterm-256color", "1")])
def test_without_colours(where: str, term: str, no_color: str) -> None:
    """TERM=dumb gets plain lines, NO_COLOR a screen without a colour."""
    with Terminal("--name", "ann", where, TERM=term, NO_COLOR=no_color) as terminal:
        terminal.shows("You are ann")
        say(where, "hello")
        terminal.shows("bob: hello")
        terminal.type("/quit\r")
        assert terminal.end() == 0
        assert (b"\x1b" in terminal.raw) == (term != "dumb")
        assert not re.search(rb"\x1b\[[\d;]*(3[0-7]|9[0-7]|38;)", terminal.raw)
