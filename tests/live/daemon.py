"""The real daemon as a process.

Everything that waits has a deadline, and nothing sleeps for a time that was guessed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.certificate import write_certificate
from tests.live.address import PATIENCE_SECONDS, Address, Door
from tests.live.callers import Caller, Program, exchange, until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

__all__ = ["PATIENCE_SECONDS", "Caller", "Daemon", "Door", "Program", "exchange", "until"]

SOCKET = "s"
"""The name of its UNIX socket: short, because a path has 107 bytes at most. Source: unix(7)."""

_TROUBLE = re.compile(r".*(Traceback|Unhandled|Exception|#warn\]|#error\]|#critical\]).*")
"""What stands in a log when something is wrong. Source: how ``twisted.logger`` writes levels."""


class Daemon:
    """``twistd -n chatroom`` on a free port of this machine; stopped at the end of a ``with``.

    Args:
        folder: Where it runs, and keeps its log and the rooms' logs; one that was used before is gone on with.
        options: Of ``chatroom``, but for the port and the store.
        doors: Where it listens beside a TCP port.

    Attributes:
        addresses: Where it listens now.
        port: The TCP port of them.
        log_path: What it logs, over all its runs.
    """

    def __init__(self, folder: Path, *options: str, doors: Iterable[Door] = ()) -> None:
        self.port = 0
        self.addresses: dict[Door, Address] = {}
        self.log_path = folder / "daemon.log"
        self._callers: list[Caller] = []
        self._folder = folder
        self._options = options
        self._doors = tuple(doors)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        for caller in self._callers:
            caller.close()
        if self._process is not None:
            self.kill()

    def start(self) -> None:
        """Start it, and wait until it is open."""
        begin = len(self.log)
        command = [
            *(str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom"),
            *(f"--port={port}" for port in self._ports()),
            *("--store=sqlite:chat.db", *self._options),
        ]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)

        def is_open() -> bool:
            assert self.process.poll() is None, f"the daemon ended: {self.log[begin:]}"
            return "The room is open." in self.log[begin:]

        try:
            until(is_open, "the room is open")
        except AssertionError:
            self.kill()
            raise
        self._find_addresses(self.log[begin:])

    def _ports(self) -> Iterable[str]:
        # With a backlog: an endpoint's own is short, and whoever does not fit in tries again after a second.
        yield "tcp:0:interface=127.0.0.1:backlog=4096"
        if Door.TLS in self._doors:
            key, certificate = write_certificate(self._folder)
            yield f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}:backlog=4096"
        if Door.UNIX in self._doors:
            yield f"unix:{self._folder / SOCKET}:backlog=4096"

    def _find_addresses(self, log: str) -> None:
        """The system has chosen the ports; the log tells them in the order of the options."""
        ports = [int(port) for port in re.findall(r"Listening on .*port=(\d+)", log)]
        self.port = ports[0]
        for door, port in zip((Door.TCP, Door.TLS), ports, strict=False):
            self.addresses[door] = Address(door, port)
        if Door.UNIX in self._doors:
            self.addresses[Door.UNIX] = Address(Door.UNIX, str(self._folder / SOCKET))

    def caller(self, door: Door = Door.TCP, *, buffer_bytes: int | None = None) -> Caller:
        """A new connection, which is closed at the end."""
        self._callers.append(Caller(self.addresses.get(door, self.port), buffer_bytes=buffer_bytes))
        return self._callers[-1]

    def program(
        self, name: str, door: Door = Door.TCP, *, buffer_bytes: int | None = None, resume: str | None = None
    ) -> Program:
        """A program's new connection, which is closed at the end."""
        program = Program(self.addresses.get(door, self.port), name, buffer_bytes=buffer_bytes, resume=resume)
        self._callers.append(program)
        return program

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, while it is meant to run."""
        assert self._process is not None, "it is not running"
        return self._process

    @property
    def log(self) -> str:
        """All that it has logged."""
        return self.log_path.read_text() if self.log_path.exists() else ""

    @property
    def trouble(self) -> list[str]:
        """What it has logged that is no good news."""
        return [line for line in self.log.splitlines() if _TROUBLE.fullmatch(line)]

    @property
    def rss_bytes(self) -> int:
        """How much memory it uses. Source: proc(5), ``statm``."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """Kill it where it stands."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and wait until it has, by itself and well."""
        status = self._end(signal.SIGTERM)
        # When all is done twistd ends by the signal that stopped it, so that whoever started it knows why.
        assert status in {0, -signal.SIGTERM}, f"it ended with {status}"

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self.process, None
        process.send_signal(number)
        return process.wait(PATIENCE_SECONDS)
