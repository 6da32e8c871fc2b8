"""What the operating system tells about a process, and where processes run.

Reads ``/proc``, so the suite needs Linux.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = [
    "LOAD_CORE",
    "SERVER_CORE",
    "Usage",
    "cpu_nanoseconds",
    "cpu_seconds",
    "peak_bytes",
    "pinned",
    "raise_file_limit",
    "resident_bytes",
    "sleeps",
]

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = _CORES[0]
"""The core that a measured server has to itself."""
LOAD_CORE = _CORES[-1]
"""The core of the load generator: another one, unless the machine has only one."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run the block, and every process started in it, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_file_limit() -> int:
    """Allow this process and those it starts as many open files as the system lets it; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _busy_seconds() -> float:
    """Processor time that the whole machine has used, for whatever, or lost to its host."""
    # user, nice, system, irq, softirq, steal. Source: proc(5), /proc/stat.
    fields = Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    return sum(int(fields[n]) for n in (0, 1, 2, 5, 6, 7)) / _TICKS


def _family(pid: int) -> list[int]:
    """The process and the living descendants that main threads started."""
    pids = [pid]
    for parent in pids:
        with contextlib.suppress(OSError):
            pids += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    return pids


def cpu_seconds(pid: int) -> float:
    """Processor time that the process, its threads and its children have used, in ticks of 10 ms."""
    ticks = 0
    for each in _family(pid):
        with contextlib.suppress(OSError):
            # After the last ")": the command's name may hold anything. Source: proc(5), fields 14 to 17.
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS


def cpu_nanoseconds(pid: int) -> int:
    """Processor time that the threads of the process, without its children, have used; exact, for what is idle."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += int((task / "schedstat").read_text().split()[0])  # Source: proc(5)
    return found


def sleeps(pid: int) -> int:
    """How often the threads of the process have gone to sleep: so often something woke them."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            status = (task / "status").read_text()
            found += int(status.partition("\nvoluntary_ctxt_switches:")[2].split(maxsplit=1)[0])
    return found


def resident_bytes(pid: int) -> int:
    """Memory of the process and its children that is in RAM."""
    pages = 0
    for each in _family(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * _PAGE_BYTES


def peak_bytes(pid: int) -> int:
    """The most memory of the process alone that was in RAM since it began."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):  # in kB. Source: proc(5)
                return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What had been used at a moment.

    Attributes:
        at: When.
        server: Processor seconds of the servers, NaN if no process is known.
        own: Processor seconds of this process.
        machine: Processor seconds of everything.
        engine: Processor seconds of the database, if there is one.
    """

    at: float
    server: float
    own: float
    machine: float
    engine: float = 0.0

    @classmethod
    def now(cls, pids: Collection[int] = (), engine_pid: int | None = None) -> Usage:
        """What has been used by now, by one server or more."""
        server = sum(map(cpu_seconds, pids)) if pids else float("nan")
        engine = cpu_seconds(engine_pid) if engine_pid else 0.0
        return cls(time.perf_counter(), server, time.process_time(), _busy_seconds(), engine)

    def since(self, start: Usage) -> Usage:
        """What was used between two moments."""
        return Usage(
            self.at - start.at,
            self.server - start.server,
            self.own - start.own,
            self.machine - start.machine,
            self.engine - start.engine,
        )

    def figures(self, deliveries: float) -> dict[str, float]:
        """The figures of a time in which so much was delivered."""
        return {
            "deliveries_per_second": deliveries / self.at,
            "deliveries_per_core_second": deliveries / self.server if self.server else float("nan"),
        } | self.shares()

    def shares(self) -> dict[str, float]:
        """How much of a core each took; what the server took counts as others' if its process is not known."""
        known = self.own + self.engine + (0.0 if math.isnan(self.server) else self.server)
        return {
            "server_core_percent": 100 * self.server / self.at,
            "engine_core_percent": 100 * self.engine / self.at,
            "generator_core_percent": 100 * self.own / self.at,
            "others_core_percent": max(0.0, 100 * (self.machine - known) / self.at),
        }
