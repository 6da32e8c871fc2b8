"""What the machine is, and how evenly it works while it measures."""

from __future__ import annotations

import os
import platform
import socket
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.processes import LOAD_CORE, SERVER_CORE, pinned

__all__ = ["describe", "fsync_ms", "noise_us"]

_SENDS = 5000
_SYNCS = 50


def noise_us() -> float:
    """How long one send and receive of a small message takes now, on the servers' core.

    It is work like that of a server; that it takes longer at one time than at another is the
    machine's doing, and so is as large a difference between two rows.
    """
    ours, theirs = socket.socketpair()
    message = bytes(64)
    with ours, theirs, pinned(SERVER_CORE):
        start = time.perf_counter()
        for _ in range(_SENDS):
            ours.send(message)
            theirs.recv(64)
        return (time.perf_counter() - start) / _SENDS * 1e6


def fsync_ms(folder: Path) -> float:
    """The median time of making 4 KiB durable at the end of a file in this folder."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def describe(scratch: Path) -> dict[str, str]:
    """What the machine is, for the report."""
    return {
        "processor": _cpu_model(),
        "cores": f"{os.cpu_count()}, the servers on {SERVER_CORE}, the generator on {LOAD_CORE}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "fsync of the disk": f"{fsync_ms(scratch):.2f} ms",
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
