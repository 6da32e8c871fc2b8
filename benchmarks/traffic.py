"""What a process has received from a port and sent to it, as the kernel counts it.

Reads the output of ``ss`` (Debian's package ``iproute2``), so the measured process is not disturbed.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Traffic", "read"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went over connections since they were made.

    Attributes:
        received_bytes: Payload that came.
        received_segments: Segments that brought it: on loopback, one for each send of the other end.
        sent_bytes: Payload that went.
        sent_segments: Segments that took it.
        ports: The process's own ports.
    """

    received_bytes: int = 0
    received_segments: int = 0
    sent_bytes: int = 0
    sent_segments: int = 0
    ports: frozenset[int] = frozenset()

    @classmethod
    def of(cls, pid: int, port: int) -> Traffic:
        """The traffic by now of a process's connections to a port on this machine."""
        command = ["ss", "-tinpHO", "state", "established", "dst", f"127.0.0.1:{port}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  our own
        return read(done.stdout.splitlines(), pid)

    def since(self, start: Traffic) -> Traffic:
        """What went between two moments."""
        return Traffic(
            self.received_bytes - start.received_bytes,
            self.received_segments - start.received_segments,
            self.sent_bytes - start.sent_bytes,
            self.sent_segments - start.sent_segments,
            self.ports,
        )


def read(lines: Iterable[str], pid: int) -> Traffic:
    """Sum up what ``ss`` prints, a connection in each line, of one process."""
    own = [line for line in lines if f"pid={pid}," in line]

    def total(name: str) -> int:
        found = (re.search(rf"\b{name}:(\d+)", line) for line in own)
        return sum(int(match[1]) for match in found if match)

    return Traffic(
        total("bytes_received"),
        total("data_segs_in"),
        total("bytes_sent"),
        total("data_segs_out"),
        frozenset(int(line.split()[2].rpartition(":")[2]) for line in own),
    )
