"""A PostgreSQL server of one's own, started in a folder and gone afterwards: for tests, figures and the checker.

Needs Debian's package ``postgresql`` (14 or later) and nothing that runs already. Where this process is root the
server runs as the user ``postgres``, because it refuses to be root.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Engine", "EngineError", "NoServerError", "free_port"]

START_SECONDS = 30.0
"""Time limit for the server to take connections, in seconds. Source: chosen; usually it takes 0.2 s."""

USER = "chat"
"""Superuser of the cluster, who needs no password."""


class EngineError(Exception):
    """The server can't be had; the text says why."""


_ports = iter(range(random.randrange(20_000, 30_000), 32_000))  # noqa: S311  several runs look for ports at a time
"""Ports that were not given to anybody: below those that the kernel gives to outgoing connections."""


class NoServerError(EngineError):
    """There is no PostgreSQL server on this machine."""


def free_port() -> int:
    """A port that nobody listens on; none is given twice, so a server that is down finds its own again."""
    for port in _ports:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise EngineError("There is no free port.")


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which("postgres")
    if program is None:
        raise NoServerError("There is no PostgreSQL server: install Debian's package postgresql.")
    return Path(program).parent


class Engine:
    """One database cluster and its server.

    Args:
        folder: Where it is kept; made, and removed by `remove`.
        fsync: Whether it is safe from a power cut; figures want it, tests need not wait for it.
        settings: More of ``postgresql.conf``.

    Attributes:
        port: On 127.0.0.1.
        process: The server, while it runs.
    """

    def __init__(
        self, folder: Path | None = None, *, fsync: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="chat-engine-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._programs = _programs()
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on" if fsync else "off",
            "max_connections": "200",
            **(settings or {}),
        }
        self._owner = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._owner:
            shutil.chown(self.folder, self._owner)

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.folder / "data"

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """The address of a database, for ``--store``; by way of another port if one is given."""
        return f"postgresql://{USER}@127.0.0.1:{port or self.port}/{database}"

    def make(self) -> Self:
        """Make an empty cluster and start its server."""
        self.run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        return self

    def follow(self, primary: Engine) -> Self:
        """Make a standby of another server, and start it."""
        self.run("pg_basebackup", "-D", str(self.data), "-d", primary.url(), "-R", "-X", "stream", "-c", "fast")
        self.start()
        return self

    def promote(self) -> None:
        """A standby is the primary from now on."""
        self.run("pg_ctl", "-D", str(self.data), "promote", "-w")

    def start(self) -> None:
        """Start the server, and wait until it takes connections.

        Raises:
            EngineError: It does not.
        """
        give_up = time.monotonic() + START_SECONDS
        self.process = self._spawn()
        while not self._is_up():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise EngineError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  our own arguments
                [self._programs / "postgres", "-D", self.data, "-p", str(self.port), *settings],
                stdout=log,
                stderr=log,
                user=self._owner,
                cwd=self.folder,
            )

    def _is_up(self) -> bool:
        """Whether this very server takes connections, and not another one that has its port."""
        with contextlib.suppress(OSError):
            # Source: src/include/utils/pidfile.h: the eighth line is the status; a standby is "standby", then "ready".
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() in {"ready", "standby"} and self.is_ready()
        return False

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        command = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603  likewise

    def sql(self, text: str, database: str = "postgres") -> str:
        """What ``psql`` answers to a statement, as rows without headings."""
        return self.run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", text)

    def create(self, database: str) -> str:
        """Make an empty database; returns its address."""
        self.sql(f"CREATE DATABASE {database}")
        return self.url(database)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs, and return what it prints.

        Raises:
            EngineError: It failed.
        """
        done = subprocess.run(  # noqa: S603  likewise
            [self._programs / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            user=self._owner,
            cwd=self.folder,
        )
        if done.returncode:
            raise EngineError(f"{program}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends its connections; SIGKILL is a crash, and its children are killed too."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        children = self.children(process.pid) if how is signal.SIGKILL else []
        process.send_signal(how)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, how)
        process.wait(START_SECONDS)

    @staticmethod
    def children(pid: int) -> list[int]:
        """The processes that one has started."""
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.make()

    def __exit__(self, *_: object) -> None:
        self.remove()
