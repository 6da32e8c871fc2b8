"""Real IRC clients, each with a home of its own: started, typed into, and read by the logs that they write.

They reach nothing but the port of this machine that they are given, and come back by themselves when a connection is
lost, as they do for people. ``ii`` and ``nc`` end then; the tests start them again, as a shell's loop does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import re
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import override

from tests.live.callers import until

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

__all__ = ["Client", "Ii", "Irssi", "Nc", "Shown", "WeeChat"]

HOST = "127.0.0.1"

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC", "PATH": os.environ["PATH"]}


class Shown(NamedTuple):
    """A line of a room, as a client has it in its log.

    Attributes:
        kind: ``say``, ``me`` or ``notice``.
        who: The name; "" where the client does not show it.
        text: The text.
    """

    kind: str
    who: str
    text: str

    @property
    def unwrapped(self) -> Shown:
        """What stands in a line of the past, which is told in a notice with its time and who said it."""
        found = _PAST.fullmatch(self.text) if self.kind == "notice" and self.who in {"", "HistServ"} else None
        if found is None:
            return self
        _, said, did, noted, text = found.groups()
        return Shown("say" if said else "me" if did else "notice", said or did or noted, text)


_PAST = re.compile(r"\[(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?: \d+)?\] (?:<(\S+)>|\* (\S+)|-(\S+)-) (.*)")
"""A line of the past, as a notice has it. Source: IRC.md, "What was said before"."""


class Client:
    """An IRC client.

    Args:
        name: Its nick.
        folder: For its home.
        password: What it sends as ``PASS``; "" for nothing.
    """

    program: str
    draws = frozenset({"say", "me"})
    """Kinds of lines that it draws by itself when they are typed."""

    def __init__(self, name: str, folder: Path, password: str = "") -> None:
        self.name = name
        self.home = folder / name
        self.password = password
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.home.mkdir(parents=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.kill()

    @classmethod
    def is_installed(cls) -> bool:
        """Whether this machine has the program."""
        return shutil.which(cls.program) is not None

    @property
    def runs(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, port: int) -> None:
        """Start it; it connects to a port of this machine and enters ``#lobby``."""
        self._port = port
        self._process = self._run()

    def kill(self) -> None:
        """End the process where it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def come_back(self) -> None:
        """What a person does after a lost connection; nothing, because it comes back by itself."""

    def say(self, text: str, room: str = "#lobby") -> None:
        """Type a line into a room's window."""
        raise NotImplementedError

    def act(self, text: str, room: str = "#lobby") -> None:
        """Type ``/me`` there."""
        raise NotImplementedError

    def raw(self, line: str) -> None:
        """Have a line sent to the server as it is."""
        raise NotImplementedError

    def log(self, room: str = "#lobby") -> list[str]:
        """What it has logged of a room."""
        raise NotImplementedError

    def shown(self, room: str = "#lobby") -> list[Shown]:
        """What was said in a room, as far as it has been shown it."""
        return [shown.unwrapped for line in self.log(room) if (shown := self._read(line))]

    def texts(self, room: str = "#lobby") -> list[str]:
        """The texts of what was said there."""
        return [shown.text for shown in self.shown(room)]

    def entries(self, room: str = "#lobby") -> int:
        """How often it has entered a room."""
        return sum(bool(re.search(rf"\b{self.name}\b.*(has joined|JOIN) {room}", line)) for line in self.log(room))

    def _run(self) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def _read(self, line: str) -> Shown | None:
        raise NotImplementedError


def _lines(path: Path) -> list[str]:
    """The whole lines of a file; none if there is no such file yet."""
    if not path.exists():
        return []
    text = path.read_bytes()
    # Not str.splitlines: what a client was shown may hold other line ends.
    return text[: text.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]


def _write_to_fifo(path: Path, line: str) -> None:
    """Type a line into a FIFO, as soon as somebody reads it."""

    def is_written() -> bool:
        try:
            fifo = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in {errno.ENXIO, errno.ENOENT}:
                return False
            raise
        with open(fifo, "wb") as file:
            file.write(f"{line}\n".encode())
        return True

    until(is_written, f"{path} is read")


class Irssi(Client):
    """irssi, in a terminal that nobody looks at."""

    program = "irssi"

    @override
    def _run(self) -> subprocess.Popen[bytes]:
        password = f'password = "{self.password}";' if self.password else ""
        (self.home / "config").write_text(f"""
servers = ( {{ address = "{HOST}"; port = "{self._port}"; chatnet = "room"; autoconnect = "yes"; {password} }} );
chatnets = {{ room = {{ type = "IRC"; nick = "{self.name}"; }}; }};
channels = ( {{ name = "#lobby"; chatnet = "room"; autojoin = "yes"; }} );
settings = {{
  core = {{
    log_timestamp = "%H:%M:%S "; nick = "{self.name}"; user_name = "{self.name}"; real_name = "{self.name}";
    server_reconnect_time = "1sec";
  }};
  "fe-common/core" = {{
    autolog = "yes"; autolog_path = "{self.home}/$0.log"; autolog_level = "all";
  }};
  "irc/core" = {{ cmd_queue_speed = "10msec"; cmds_max_at_once = "100"; }};
}};
""")
        master, slave = pty.openpty()
        self._master = master
        process = subprocess.Popen(
            ["irssi", f"--home={self.home}"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=_ENVIRONMENT | {"HOME": str(self.home)},
        )
        os.close(slave)
        # What is drawn must be taken, or it stops; what it shows is read in its logs.
        threading.Thread(target=self._draw, daemon=True).start()
        return process

    def _draw(self) -> None:
        # Reading fails when the terminal has gone with the process. Source: pty(7), EIO.
        with contextlib.suppress(OSError):
            while os.read(self._master, 1 << 16):
                pass
        os.close(self._master)

    def _type(self, line: str) -> None:
        os.write(self._master, f"{line}\r".encode())

    @override
    def say(self, text: str, room: str = "#lobby") -> None:
        self._type(f"/msg {room} {text}")

    @override
    def act(self, text: str, room: str = "#lobby") -> None:
        self._type(f"/action {room} {text}")

    @override
    def raw(self, line: str) -> None:
        self._type(f"/quote {line}")

    @override
    def log(self, room: str = "#lobby") -> list[str]:
        return _lines(self.home / f"{room}.log")

    @override
    def _read(self, line: str) -> Shown | None:
        if found := re.fullmatch(r"[\d:]{8} <[ @+]?([^>]+)> (.*)", line):
            return Shown("say", found[1], found[2])
        if found := re.fullmatch(r"[\d:]{8}  \* (\S+) (.*)", line):
            return Shown("me", found[1], found[2])
        if found := re.fullmatch(r"[\d:]{8} -([^ :]+):#\S+- (.*)", line):
            return Shown("notice", found[1], found[2])
        return None


class WeeChat(Client):
    """WeeChat without a terminal, typed into by its FIFO."""

    program = "weechat-headless"

    @override
    def _run(self) -> subprocess.Popen[bytes]:
        for fifo in self.home.glob("weechat_fifo_*"):
            fifo.unlink()
        commands = (
            "/set logger.file.flush_delay 0",
            "/set irc.look.server_buffer independent",
            "/set irc.server_default.anti_flood_prio_high 0",
            "/set irc.server_default.anti_flood_prio_low 0",
            f"/server add room {HOST}/{self._port} -nicks={self.name} -username={self.name} -autojoin=#lobby",
            f'/set irc.server.room.password "{self.password}"',
            "/set irc.server.room.autoreconnect_delay 1",
            "/connect room",
        )
        with (self.home / "stdout").open("ab") as out:
            return subprocess.Popen(
                [
                    *("weechat-headless", "-d", str(self.home), "-P", "irc,fifo,logger", "-s"),
                    *(argument for command in commands for argument in ("-r", command)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=_ENVIRONMENT | {"HOME": str(self.home)},
            )

    def _type(self, buffer: str, line: str) -> None:
        assert self._process is not None
        _write_to_fifo(self.home / f"weechat_fifo_{self._process.pid}", f"irc.{buffer} *{line}")

    @override
    def say(self, text: str, room: str = "#lobby") -> None:
        self._type(f"room.{room}", text)

    @override
    def act(self, text: str, room: str = "#lobby") -> None:
        self._type(f"room.{room}", f"/me {text}")

    @override
    def raw(self, line: str) -> None:
        self._type("server.room", f"/quote {line}")

    @override
    def log(self, room: str = "#lobby") -> list[str]:
        return _lines(self.home / "logs" / f"irc.room.{room}.weechatlog")

    @override
    def _read(self, line: str) -> Shown | None:
        _, prefix, text = [*line.split("\t", 2), "", ""][:3]
        if prefix == " *":
            who, _, text = text.partition(" ")
            return Shown("me", who, text)
        if prefix == "--":
            found = re.fullmatch(r"Notice(?:\((\S+)\)| -> #\S+): (.*)", text)
            return Shown("notice", found[1] or self.name, found[2]) if found else None
        if prefix in {"", "-->", "<--", "=!="}:
            return None
        return Shown("say", prefix.lstrip("@+"), text)


class Ii(Client):
    """ii: a FIFO and a file for each room."""

    program = "ii"
    draws = frozenset({"say"})

    @override
    def _run(self) -> subprocess.Popen[bytes]:
        password = ["-k", "IIPASS"] if self.password else []
        with (self.home / "stdout").open("ab") as out:
            process = subprocess.Popen(
                ["ii", "-i", str(self.home), "-s", HOST, "-p", str(self._port), "-n", self.name, *password],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=_ENVIRONMENT | {"HOME": str(self.home), "IIPASS": self.password},
            )
        self._process = process
        self.raw("JOIN #lobby")
        return process

    @override
    def come_back(self) -> None:
        """Start it again when it has ended, as ``while true; do ii …; done`` does."""
        until(lambda: not self.runs, "ii has ended")
        self.start(self._port)

    def _in(self, room: str) -> Path:
        return self.home / HOST / room / "in"

    @override
    def say(self, text: str, room: str = "#lobby") -> None:
        _write_to_fifo(self._in(room), text)

    @override
    def act(self, text: str, room: str = "#lobby") -> None:
        self.raw(f"PRIVMSG {room} :\x01ACTION {text}\x01")

    @override
    def raw(self, line: str) -> None:
        _write_to_fifo(self._in(""), f"/{line}")

    @override
    def log(self, room: str = "#lobby") -> list[str]:
        return _lines(self.home / HOST / room / "out")

    @override
    def _read(self, line: str) -> Shown | None:
        if found := re.fullmatch(r"\d+ <([^>]+)> \x01ACTION ([^\x01]*)\x01?", line):
            return Shown("me", found[1], found[2])
        if found := re.fullmatch(r"\d+ <([^>]+)> (.*)", line):
            return Shown("say", found[1], found[2])
        # It shows no name beside a notice.
        if found := re.fullmatch(r'\d+ -!- "(.*)"\)', line):
            return Shown("notice", "", found[1])
        return None


class Nc(Client):
    """nc, and a person who types IRC."""

    program = "nc"
    draws = frozenset()

    @override
    def _run(self) -> subprocess.Popen[bytes]:
        with (self.home / "stdout").open("ab") as out:
            process = subprocess.Popen(["nc", HOST, str(self._port)], stdin=subprocess.PIPE, stdout=out, stderr=out)
        self._process = process
        for line in (
            f"PASS {self.password}" if self.password else "",
            f"NICK {self.name}",
            f"USER {self.name} 0 * :nc",
        ):
            self.raw(line)
        self.raw("JOIN #lobby")
        return process

    @override
    def kill(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            # What could not be sent is of no interest any more.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        super().kill()

    @override
    def come_back(self) -> None:
        """Ctrl-C, and start it again: it does not end before something is typed."""
        self.kill()
        self.start(self._port)

    @override
    def say(self, text: str, room: str = "#lobby") -> None:
        self.raw(f"PRIVMSG {room} :{text}")

    @override
    def act(self, text: str, room: str = "#lobby") -> None:
        self.raw(f"PRIVMSG {room} :\x01ACTION {text}\x01")

    @override
    def raw(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\r\n".encode())
        self._process.stdin.flush()

    @override
    def log(self, room: str = "#lobby") -> list[str]:
        lines = [line.removesuffix("\r") for line in _lines(self.home / "stdout")]
        return [line for line in lines if f" {room} " in f"{line} "]

    @override
    def _read(self, line: str) -> Shown | None:
        if found := re.fullmatch(r":([^ !]+)\S* PRIVMSG #\S+ :\x01ACTION ([^\x01]*)\x01?", line):
            return Shown("me", found[1], found[2])
        if found := re.fullmatch(r":([^ !]+)\S* (PRIVMSG|NOTICE) #\S+ :(.*)", line):
            return Shown("say" if found[2] == "PRIVMSG" else "notice", found[1], found[3])
        return None
