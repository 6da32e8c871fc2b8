"""A crowd of connections: brought in, listened to, and let go.

A seat is one connection. What is done with what it receives depends on its ear: most members are
only counted in bytes, which the kernel throws away without copying, so that the generator outruns
any server; all members of a room receive the same bytes, so a line lost or doubled shows in the sum.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from benchmarks.dialects import Dialect, Step

__all__ = ["BUFFER", "Crowd", "CrowdError", "Ear", "Newcomer", "Seat", "names"]

BUFFER: Final = memoryview(bytearray(1 << 20))
"""Where every seat receives; nothing in it outlives one read."""

LAZY_READS_PER_SECOND = 40_000
MOST_LAZY_SECONDS = 0.025
"""A read costs the generator as much as a send costs a server, so those who are only counted are read now and
then: by then a server that sends each of them a few pieces one after the other has sent about four."""

EPOLL_SECONDS = 0.001
"""Unit of epoll's timeouts; shorter ones are slept in select, which counts in microseconds. Source: select(2)."""

_RESET = struct.pack("ii", 1, 0)


def names(count: int) -> list[str]:
    """So many names of the same length, other ones in each process: a server may still know those of the last."""
    tag = f"{os.getpid() % 0x1000:03x}"
    return [f"m{tag}-{number:05}" for number in range(count)]


class CrowdError(Exception):
    """The server did not take the crowd: refused, closed or silent."""


class Ear(Protocol):
    """What is done when a seat has something to read."""

    def read(self) -> int:
        """Take what is there.

        Returns:
            How many bytes; 0 at the end of the connection.
        """
        ...


class Seat:
    """One connection, made but not yet established.

    Attributes:
        sock: Its socket, not blocking.
        name: Who sits there.
        room: Which room they are in.
        dialect: How they speak.
        backlog: What could not be sent yet.
        heard: All that has come while nobody else listens, if it is to be kept.
    """

    __slots__ = ("backlog", "dialect", "heard", "name", "room", "sock")

    def __init__(self, port: int, name: str, room: str, dialect: Dialect) -> None:
        self.name = name
        self.room = room
        self.dialect = dialect
        self.backlog = bytearray()
        self.heard: bytearray | None = None
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(BlockingIOError):
            self.sock.connect(("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        """Send as much as goes; the rest waits for `flush`."""
        if self.backlog:
            self.backlog += data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self.backlog += data[sent:]

    def flush(self) -> None:
        """Send more of what waits."""
        if self.backlog:
            data = bytes(self.backlog)
            self.backlog.clear()
            self.send(data)

    def reset(self) -> None:
        """End the connection at once, leaving no port behind in TIME_WAIT."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()


class Newcomer:
    """The ear of a seat that is on its way into its room."""

    def __init__(self, seat: Seat, steps: Sequence[Step], entered: Callable[[Seat], None]) -> None:
        self.seat = seat
        self._steps = list(steps)
        self._entered = entered
        self._heard = b""

    def begin(self) -> int:
        """Send what the next step has to send; returns how many bytes."""
        self.seat.send(self._steps[0].send)
        return len(self._steps[0].send)

    def read(self) -> int:
        """Look for the answer that the step waits for; with the last one the seat has entered."""
        count = self.seat.sock.recv_into(BUFFER)
        if self.seat.heard is not None:
            self.seat.heard += BUFFER[:count]
        if not self._steps:
            return count
        until = self._steps[0].until
        heard = self._heard + bytes(BUFFER[:count])
        if until not in heard:
            self._heard = heard[-len(until) :]
            return count
        self._heard = b""
        del self._steps[0]
        if self._steps:
            self.begin()
        else:
            self._entered(self.seat)
        return count


class Crowd:
    """All the connections of one job and the loop that serves them.

    Args:
        ports: Where the servers listen; people go to one after the other.
        dialects: How people speak; one after the other, as with the ports.

    Attributes:
        closed: How many the servers have closed.
    """

    def __init__(self, ports: Sequence[int], dialects: Sequence[Dialect]) -> None:
        self._next_port = itertools.cycle(ports)
        self._next_dialect = itertools.cycle(dialects)
        self._quiet_seconds = max(dialect.quiet_seconds for dialect in dialects)
        self._prompt = select.epoll()
        self._lazy = select.epoll()
        self._lazy_fds: set[int] = set()
        self._lazy_due = 0.0
        self._seats: dict[int, Seat] = {}
        self._ears: dict[int, Callable[[], int]] = {}
        self.closed = 0

    def enter(
        self,
        people: Iterable[tuple[str, str]],
        *,
        at_once: int,
        seconds: float,
        on_entered: Callable[[int], None] | None = None,
        kept: Container[int] = (),
    ) -> list[Seat]:
        """Bring people in, each counted when it has its own answer.

        Args:
            people: Names and rooms.
            at_once: How many may be on their way at the same time.
            seconds: How long all of it may take.
            on_entered: Told the number of those who are in, after each.
            kept: Of whom all that they hear is kept, by their places in the order.

        Returns:
            Their seats, in the order given.

        Raises:
            CrowdError: if the server closed one of them or the time was over.
        """
        seats: list[Seat] = []
        entered = 0

        def one_more(_seat: Seat) -> None:
            nonlocal entered
            entered += 1
            if on_entered is not None:
                on_entered(entered)

        people = iter(people)
        person = next(people, None)
        until = time.perf_counter() + seconds
        while person is not None or entered < len(seats):
            while person is not None and len(seats) - entered < at_once:
                seat = self._connect(*person, one_more)
                seat.heard = bytearray() if len(seats) in kept else None
                seats.append(seat)
                person = next(people, None)
            self.serve(0.1)
            if self.closed or time.perf_counter() > until:
                msg = f"{entered} of {len(seats)} had entered when {self.closed} were closed or the time was over"
                raise CrowdError(msg)
        return seats

    def _connect(self, name: str, room: str, entered: Callable[[Seat], None]) -> Seat:
        seat = Seat(next(self._next_port), name, room, next(self._next_dialect))
        newcomer = Newcomer(seat, seat.dialect.enter(name, room), entered)
        fd = seat.sock.fileno()
        self._seats[fd] = seat
        self._ears[fd] = functools.partial(self._established, newcomer)
        self._prompt.register(fd, select.EPOLLIN | select.EPOLLOUT)
        return seat

    def listen(self, seat: Seat, ear: Ear, *, lazily: bool = False) -> None:
        """From now on this ear hears what the seat receives.

        Args:
            seat: Whose seat.
            ear: Which ear.
            lazily: Read all the lazy ones together now and then, instead of each as soon as it has something.
        """
        fd = seat.sock.fileno()
        if fd not in self._seats:
            return
        self._ears[fd] = ear.read
        if lazily != (fd in self._lazy_fds):
            self._unwatch(fd)
            (self._lazy if lazily else self._prompt).register(fd, select.EPOLLIN)
            self._lazy_fds ^= {fd}

    def deafen(self, seat: Seat) -> None:
        """From now on nothing that the seat receives is read; the kernel's buffer fills, and the server must wait."""
        fd = seat.sock.fileno()
        if fd in self._seats:
            self._prompt.modify(fd, 0)

    def serve(self, timeout_seconds: float) -> int:
        """Wait at most so long for something to read, and read it.

        Returns:
            How many seats had something.
        """
        if 0 < timeout_seconds < EPOLL_SECONDS:
            select.select([self._prompt], [], [], timeout_seconds)
            timeout_seconds = 0
        ready = self._prompt.poll(timeout_seconds, 4096)
        self._read(ready)
        now = time.perf_counter()
        if now < self._lazy_due:
            return len(ready)
        self._lazy_due = now + min(MOST_LAZY_SECONDS, len(self._lazy_fds) / LAZY_READS_PER_SECOND)
        late = self._lazy.poll(0, len(self._lazy_fds) + 1)
        self._read(late)
        return len(ready) + len(late)

    def _read(self, ready: Sequence[tuple[int, int]]) -> None:
        ears = self._ears
        for fd, _mask in ready:
            try:
                count = ears[fd]()
            except BlockingIOError:
                continue
            except OSError:
                count = 0
            if not count:
                self._lose(fd)

    def _established(self, newcomer: Newcomer) -> int:
        fd = newcomer.seat.sock.fileno()
        self._prompt.modify(fd, select.EPOLLIN)
        self._ears[fd] = newcomer.read
        return newcomer.begin()

    def _lose(self, fd: int) -> None:
        self.closed += 1
        self._forget(fd).reset()

    def _forget(self, fd: int) -> Seat:
        self._unwatch(fd)
        self._lazy_fds.discard(fd)
        del self._ears[fd]
        return self._seats.pop(fd)

    def _unwatch(self, fd: int) -> None:
        (self._lazy if fd in self._lazy_fds else self._prompt).unregister(fd)

    def dismiss(self, seat: Seat) -> None:
        """Close one seat as a client that has gone does."""
        fd = seat.sock.fileno()
        if fd in self._seats:
            self._forget(fd).sock.close()

    def settle(self, seconds: float = 20.0) -> float:
        """Serve until nothing has come for a while, at most so long.

        Returns:
            When the last of it came.
        """
        last = time.perf_counter()
        until = last + seconds
        while self.serve(self._quiet_seconds) and last < until:
            last = time.perf_counter()
        return last

    def close(self) -> None:
        """End all connections; may be called again."""
        for fd in list(self._seats):
            self._forget(fd).reset()
        self._prompt.close()
        self._lazy.close()
