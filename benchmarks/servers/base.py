"""What a measured server is, and how it is run for the length of a measure."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import SERVER_CORE, pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Missing", "Running", "Server", "ServerError", "installed", "running"]

START_SECONDS = 20.0
STOP_SECONDS = 10.0


class Missing(Exception):  # noqa: N818 - it is no error that somebody has not installed something
    """The server is not on this machine; says what is."""


class ServerError(Exception):
    """The server did not start."""


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of server.

    Attributes:
        name: What the table calls it.
        dialect: How it is spoken to: see `benchmarks.dialects.spoken`.
        command: Writes what the server needs into a folder and returns the command that runs it there, in
            the foreground, on a port. Raises `Missing`.
        at_once: How many newcomers it takes best at the same time; if they are more than its listen backlog, some
            wait a second for TCP to try again.
        settings: What is not as it comes, for the report.
        checkout: The checkout whose daemon this is, if it is this project's; else None.
    """

    name: str
    dialect: str
    command: Callable[[Path, int], list[str]]
    at_once: int = 100
    settings: str = ""
    checkout: Path | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens.

    Attributes:
        server: Which one.
        port: Where, on loopback.
        pid: Its process.
        folder: Its scratch folder.
        start_seconds: How long it took until it listened.
    """

    server: Server
    port: int
    pid: int | None
    folder: Path
    start_seconds: float = 0.0

    @property
    def contact(self) -> tuple[int, str, int | None, int]:
        """How it is reached: the first fields of every job."""
        return self.port, self.server.dialect, self.pid, self.server.at_once


@contextlib.contextmanager
def running(server: Server, scratch: Path | None = None, *, keep: Path | None = None) -> Iterator[Running]:
    """Run the server on its core in a scratch folder; afterwards nothing is left of either.

    Args:
        server: Which one.
        scratch: Where the folder is made; by default where temporary files go.
        keep: Use this folder instead, and leave it.

    Raises:
        Missing: if it is not installed.
        ServerError: if it did not start.
    """
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=scratch)))
        folder.chmod(0o755)  # some servers change their user
        port = _free_port()
        command = server.command(folder, port)
        log = stack.enter_context((folder / "server.log").open("wb"))
        start = time.monotonic()
        with pinned(SERVER_CORE):
            process = subprocess.Popen(  # noqa: S603 - the commands are this suite's own
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        stack.callback(_stop, process)
        _wait_until_listening(process, port, folder / "server.log")
        yield Running(server, port, process.pid, folder, time.monotonic() - start)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise ServerError(f"did not start: {log.read_text(errors='replace')[-500:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def installed(program: str) -> str:
    """The path of a program; daemons live where an ordinary user's PATH does not look.

    Raises:
        Missing: if there is none.
    """
    for folder in [*os.get_exec_path(), "/usr/sbin", "/usr/local/sbin", "/sbin"]:
        path = Path(folder, program)
        if os.access(path, os.X_OK):
            return str(path)
    raise Missing(f"{program} is not installed")
