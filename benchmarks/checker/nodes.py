"""The daemons: started, stopped, killed, looked at. Knows them as processes that write a log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import peak_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.checker.judge.verdict import Verdict

__all__ = ["Node"]

STOP_SECONDS = 5.0
"""Time limit for a node to end after SIGTERM, in seconds. Source: the contract of many nodes."""

START_SECONDS = 30.0
"""Time limit for a node to open its port, in seconds. Source: chosen; usually it takes one."""

MOST_BYTES = 256 << 20
"""Most memory of a node, in bytes. Source: docs/architecture.md: 64 MiB of caches; all else is small."""

_TROUBLE = re.compile(r"Traceback|Unhandled|#critical\](?! The store can't be opened)")
"""What stands in a log when something is wrong; not that there was no database at the start.

Source: how ``twisted.logger`` writes.
"""

_OPEN = "The room is open."


class Node:
    """One daemon.

    Args:
        name: A letter.
        port: Where it listens.
        folder: Where it runs, and logs.
        options: Of ``chatroom``, but for the port.
        package: A folder whose package is run instead of the installed one; None for that.
        verdict: Is told what is wrong.
    """

    def __init__(
        self, name: str, port: int, folder: Path, options: Sequence[str], package: Path | None, verdict: Verdict
    ) -> None:
        self.name = name
        self.log_path = folder / f"node-{name}.log"
        self._folder = folder
        self._verdict = verdict
        self._process: subprocess.Popen[bytes] | None = None
        self._looked = 0
        self._is_meant_to_run = False
        self._starting = asyncio.Lock()
        self._command = [
            *(str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom"),
            *(f"--port=tcp:{port}:interface=127.0.0.1", *options),
        ]
        path = {"PYTHONPATH": str(package)} if package else {}
        self._environment = {**os.environ, **path, "PYTHONUNBUFFERED": "1"}

    async def start(self) -> None:
        """Start it, and wait until it is open; if it ends instead, because there is no database, start it again.

        One fault may want it started while another one's start still waits for the database.
        """
        async with self._starting:
            if self._is_meant_to_run:
                return
            async with asyncio.timeout(START_SECONDS):
                while not await self._is_open(self._spawn()):
                    await asyncio.sleep(0.3)
            self._is_meant_to_run = True

    def _spawn(self) -> int:
        begin = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own arguments
                self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        return begin

    async def _is_open(self, begin: int) -> bool:
        while self._process is not None and self._process.poll() is None:
            with self.log_path.open("rb") as log:
                log.seek(begin)
                if _OPEN.encode() in log.read():
                    return True
            await asyncio.sleep(0.05)
        return False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """``kill -9``."""
        self._is_meant_to_run = False
        self.signal(signal.SIGKILL)
        await self._ended()

    async def stop(self) -> None:
        """SIGTERM, and it must end in time; else it is killed."""
        self._is_meant_to_run = False
        self.signal(signal.SIGTERM)
        loop = asyncio.get_running_loop()
        since = loop.time()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._ended()
        except TimeoutError:
            told = f"node {self.name} has not ended {STOP_SECONDS:g} s after SIGTERM"
            self._verdict.against("slow-stop", (self.name, since), told)
            await self.kill()

    async def _ended(self) -> None:
        while self._process is not None and self._process.poll() is None:
            await asyncio.sleep(0.02)

    def look(self) -> None:
        """See whether it still runs, is small, and has logged no fault."""
        process = self._process
        if process is None:
            return
        if self._is_meant_to_run and process.poll() is not None:
            told = f"node {self.name} has ended by itself, with status {process.returncode}"
            self._verdict.against("ended", (self.name, process.pid), told)
        peak = peak_bytes(process.pid)
        if peak > MOST_BYTES:
            told = f"node {self.name} has used {peak >> 20} MiB"
            self._verdict.against("memory", (self.name, process.pid), told)
        self._look_at_log()

    def _look_at_log(self) -> None:
        with self.log_path.open("rb") as log:
            log.seek(self._looked)
            data = log.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._looked += len(whole)
        lines = whole.decode(errors="replace").splitlines()
        for number, line in enumerate(lines):
            if _TROUBLE.search(line):
                told = "\n      ".join([f"node {self.name} logs:", *lines[number : number + 25]])
                self._verdict.against("log", (self.name, self._looked, number), told)

    def end(self) -> None:
        """Kill it, at the end of everything."""
        self._is_meant_to_run = False
        self.signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._process is not None:
                self._process.wait(5)
