"""Daemons that share their rooms: one database server, and nodes over it, each started and restarted by itself."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.engine import Engine, free_port
from benchmarks.servers.base import ServerError
from benchmarks.servers.chatroom import twistd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Cluster", "Node", "cluster", "nodes_over", "scratch_folder"]

START_SECONDS = 20.0
STOP_SECONDS = 20.0


class Node:
    """One daemon.

    Attributes:
        port: Where it listens, on loopback, over all its runs.
        log: What it logs, over all its runs.
    """

    def __init__(self, name: str, folder: Path, store: str, checkout: Path) -> None:
        self.port = free_port()
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._options = ("--port", f"tcp:{self.port}:interface=127.0.0.1", "--store", store, "--rate", "0")
        self._twistd = twistd(checkout)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it, and wait until its store is open; returns how many seconds that took.

        Raises:
            ServerError: It did not start.
        """
        start = time.monotonic()
        begun = self.log.stat().st_size if self.log.exists() else 0
        command = [self._twistd, "-n", "--pidfile=", "chatroom", *self._options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)  # noqa: S603  our own
        while b"The room is open." not in self.log.read_bytes()[begun:]:
            if self._process.poll() is not None or time.monotonic() > start + START_SECONDS:
                raise ServerError(f"did not start: {self.log.read_text(errors='replace')[-500:]}")
            time.sleep(0.01)
        return time.monotonic() - start

    def stop(self) -> float:
        """Ask it to stop (SIGTERM), and wait; returns how many seconds that took."""
        process, self._process = self._process, None
        start = time.monotonic()
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return time.monotonic() - start

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None  # noqa: S101 - whoever asks has started it
        return self._process.pid

    @property
    def faults(self) -> list[str]:
        """The lines of its log that tell of a fault."""
        log = self.log.read_text(errors="replace").splitlines()
        return [line for line in log if "Traceback" in line or "#error" in line or "#critical" in line]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes that run.

    Attributes:
        nodes: All of them.
        engine: The database server; None if the one node keeps its log itself.
    """

    nodes: Sequence[Node]
    engine: Engine | None

    @property
    def engine_pid(self) -> int | None:
        """The database server's process."""
        return self.engine.process.pid if self.engine and self.engine.process else None


@contextlib.contextmanager
def cluster(count: int, checkout: Path, scratch: Path, *, is_shared: bool | None = None) -> Iterator[Cluster]:
    """Nodes over one database server, which syncs to the disk.

    Args:
        count: How many nodes.
        checkout: Whose daemon.
        scratch: Where folders are made: on the disk that is to be measured.
        is_shared: Whether there is a database server; by default, where there are several nodes. A single node
            without it is one over SQLite.

    Raises:
        ServerError: They did not start.
        EngineError: The database server did not.
    """
    with contextlib.ExitStack() as stack:
        folder = scratch_folder(stack, scratch)
        engine = None
        if count > 1 if is_shared is None else is_shared:
            engine = stack.enter_context(Engine(scratch_folder(stack, scratch) / "engine", fsync=True))
        store = engine.create("chat") if engine else f"sqlite:{folder / 'chatroom.db'}"
        yield Cluster(nodes_over(stack, store, count, checkout, folder), engine)


def nodes_over(stack: contextlib.ExitStack, store: str, count: int, checkout: Path, folder: Path) -> Sequence[Node]:
    """Start nodes over one store; the stack stops them."""
    nodes: list[Node] = []
    for number in range(count):
        nodes.append(Node(f"node{number}", folder, store, checkout))
        stack.callback(nodes[-1].stop)
        # Before the next one asks for a free port.
        nodes[-1].start()
    return nodes


def scratch_folder(stack: contextlib.ExitStack, scratch: Path) -> Path:
    """A folder that is gone with the stack."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=scratch)))
    folder.chmod(0o755)  # root's database server runs as another user
    return folder
