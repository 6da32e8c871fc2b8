"""The ears of members: by bytes, by line ends, or line by line. Each counts from when it was made."""

from __future__ import annotations

import itertools
import re
import socket
import time
from typing import TYPE_CHECKING

from benchmarks.load.crowd import BUFFER

if TYPE_CHECKING:
    from benchmarks.load.crowd import Seat

__all__ = ["MARK", "Counter", "Reader", "Teller", "marked"]

MARK = re.compile(rb"~(\d{9})(?!\d)")
"""How a line's number stands in its text; InspIRCd's msgid has a time of ten digits between tildes."""

READ_BYTES = 1 << 16
"""The most that one read takes; more than 128 KiB would be a fresh mapping each time. Source: malloc(3)."""


def marked(text_bytes: int) -> bytes:
    """A text of so many bytes, with a place (``%09d``) for the line's number."""
    return b"~%09d" + b"." * (text_bytes - 10)


class Counter:
    """Counts bytes, without looking at them."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.bytes = 0
        self._receive = seat.sock.recv_into

    def read(self) -> int:
        """The kernel drops the bytes instead of copying them. Source: tcp(7), MSG_TRUNC."""
        count = self._receive(BUFFER, 0, socket.MSG_TRUNC)
        self.bytes += count
        return count


class Teller:
    """Counts line ends: for those who talk, who may receive answers between the lines."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.newlines = 0
        self._receive = seat.sock.recv_into

    def read(self) -> int:
        """Count what is there."""
        count = self._receive(BUFFER)
        self.newlines += bytes(BUFFER[:count]).count(b"\n")
        return count


class Reader:
    """Keeps all that comes, to be read line by line when there is time.

    Attributes:
        bytes: How much has come.
    """

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.bytes = 0
        self._receive = seat.sock.recv
        self._unread: list[tuple[float, bytes]] = []
        self._rest = b""
        self._numbers: list[int] = []
        self._arrivals: list[tuple[float, int]] = []  # a time, and how many lines there were by then

    def read(self) -> int:
        """Keep what is there, and when it came."""
        data = self._receive(READ_BYTES)
        self._unread.append((time.perf_counter(), data))
        self.bytes += len(data)
        return len(data)

    def numbers(self) -> list[int]:
        """The numbers of the lines, in the order in which they came."""
        unread, self._unread = self._unread, []
        for at, data in unread:
            whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
            if newline:
                self._numbers += map(int, MARK.findall(whole))
                self._arrivals.append((at, len(self._numbers)))
        return self._numbers

    def delays(self, scheduled: float, rate: float, first: int) -> list[float]:
        """Seconds from when each line was to be said until it was here.

        Args:
            scheduled: When line 0 was to be said.
            rate: Lines a second.
            first: The first line that counts.
        """
        numbers = self.numbers()
        found: list[float] = []
        start = 0
        for at, end in self._arrivals:
            found += [at - scheduled - number / rate for number in numbers[start:end] if number >= first]
            start = end
        return found

    def longest_gap(self, since: float) -> float:
        """The longest time between two arrivals of lines behind this moment, in seconds; 0 without two."""
        self.numbers()
        times = [at for at, _ in self._arrivals if at >= since]
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)
