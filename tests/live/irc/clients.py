"""Real IRC clients, each with a home of its own: started, typed into, and read by the logs that they write.

They reach nothing but the port of this machine that they are given, and come back by themselves when a connection is
lost, as they do for people. ``ii`` and ``nc`` end then; the tests start them again, as a shell's loop does.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import threading
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.live.callers import until
from tests.live.irc.client import ENVIRONMENT, HOST, Client, Shown, lines_of, write_to_fifo

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Ii", "Irssi", "Nc", "WeeChat"]


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
            env=ENVIRONMENT | {"HOME": str(self.home)},
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
        return lines_of(self.home / f"{room}.log")

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
                env=ENVIRONMENT | {"HOME": str(self.home)},
            )

    def _type(self, buffer: str, line: str) -> None:
        assert self._process is not None
        write_to_fifo(self.home / f"weechat_fifo_{self._process.pid}", f"irc.{buffer} *{line}")

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
        return lines_of(self.home / "logs" / f"irc.room.{room}.weechatlog")

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
                env=ENVIRONMENT | {"HOME": str(self.home), "IIPASS": self.password},
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
        write_to_fifo(self._in(room), text)

    @override
    def act(self, text: str, room: str = "#lobby") -> None:
        self.raw(f"PRIVMSG {room} :\x01ACTION {text}\x01")

    @override
    def raw(self, line: str) -> None:
        write_to_fifo(self._in(""), f"/{line}")

    @override
    def log(self, room: str = "#lobby") -> list[str]:
        return lines_of(self.home / HOST / room / "out")

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
        lines = [line.removesuffix("\r") for line in lines_of(self.home / "stdout")]
        mark = f" {room} " if room[0] == "#" else f":{room}!"
        return [line for line in lines if mark in f"{line} "]

    @override
    def _read(self, line: str) -> Shown | None:
        if found := re.fullmatch(r":([^ !]+)\S* PRIVMSG \S+ :\x01ACTION ([^\x01]*)\x01?", line):
            return Shown("me", found[1], found[2])
        if found := re.fullmatch(r":([^ !]+)\S* (PRIVMSG|NOTICE) \S+ :(.*)", line):
            return Shown("say" if found[2] == "PRIVMSG" else "notice", found[1], found[3])
        return None
