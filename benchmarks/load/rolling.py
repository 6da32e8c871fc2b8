"""People who talk while their servers are restarted one after the other: each comes back at another one at once.

Everybody resumes with a token, joins with the last seq seen, and sends what was not answered again with its key:
what docs/protocol.md asks of a program. Whatever each is shown is held against what all others were shown.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import itertools
import json
import os
import re
import select
import socket
import time
from typing import TYPE_CHECKING, Any

from benchmarks.checks import percentile
from benchmarks.load.crowd import CrowdError
from benchmarks.processes import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.load.jobs import Rolling
    from benchmarks.results import Figures

__all__ = ["rolling"]

AGAIN_SECONDS = 0.1
"""Delay before a server that refused a connection, a name or a line is asked again, in seconds. Source: chosen."""

READ_BYTES = 1 << 16

_EVENT = re.compile(rb'^\{"type":"event","room":"[^"]*","seq":(\d+),[^\n]*?~(\d{9})', re.MULTILINE)


class Log:
    """What stands in one room, as everybody was shown it.

    Attributes:
        numbers: The number of the line at each seq.
        differing: How often somebody was shown another line at a seq than somebody else.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers: dict[int, int] = {}
        self.differing = 0

    def shown(self, seq: int, number: int) -> None:
        """Somebody was shown this line here."""
        if self.numbers.setdefault(seq, number) != number:
            self.differing += 1


class Wanderer:
    """One person, at one server after another.

    Attributes:
        log: The room's.
        turn: Which server is the next.
        sock: The connection, or None.
        is_in: The room has been joined over this connection.
        unanswered: Lines by their number, as they are sent until they are answered.
        lost: Events that were left out.
        doubled: Events that came again.
        returns: Seconds from each lost connection until all that was missed had come.
        resumed: How many of them took the session up.
    """

    def __init__(self, name: str, log: Log, turn: int) -> None:
        self.log = log
        self.turn = turn
        self.sock: socket.socket | None = None
        self.is_in = False
        self.unanswered: dict[int, bytes] = {}
        self.lost = self.doubled = self.resumed = 0
        self.returns: list[float] = []
        self._name = name
        self._token: str | None = None
        self._progress = _Progress()

    def hello(self) -> None:
        """The connection is made."""
        self._progress.rest = b""
        self._send(op="hello", id="hello", name=self._name, **({"resume": self._token} if self._token else {}))

    def say(self, number: int, key: str) -> None:
        """Say a line, now or on return."""
        said = {"op": "say", "id": number, "room": self.log.name, "text": f"~{number:09}", "key": key}
        self.unanswered[number] = json.dumps(said).encode() + b"\n"
        if self.is_in:
            self._write(self.unanswered[number])

    def say_again(self, number: int) -> None:
        """A line could not be stored."""
        if self.is_in and number in self.unanswered:
            self._write(self.unanswered[number])

    def _send(self, **message: object) -> None:
        self._write(json.dumps(message).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        """What is sent is small; a server that does not take it is as good as lost."""
        assert self.sock is not None  # noqa: S101 - whoever writes is connected
        with contextlib.suppress(OSError):
            self.sock.send(data)

    def gone(self, now: float) -> None:
        """The connection is lost."""
        if self._progress.lost_at is None and self._token:
            self._progress.lost_at = now
        self.sock, self.is_in = None, False
        self._progress.target = None
        self.turn += 1

    @property
    def cursor(self) -> int:
        """The last seq seen."""
        return self._progress.cursor

    def read(self, now: float) -> list[dict[str, Any]]:
        """Take what has come, and give what is no event.

        Raises:
            OSError: The connection is lost.
        """
        assert self.sock is not None  # noqa: S101 - it is polled
        data = self.sock.recv(READ_BYTES)
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "ended")
        whole, newline, self._progress.rest = (self._progress.rest + data).rpartition(b"\n")
        if not newline:
            return []
        found = _EVENT.findall(whole)
        for seq, number in found:
            self._event(int(seq), int(number))
        lines = whole.split(b"\n")
        others = [line for line in lines if not line.startswith(b'{"type":"event"')] if len(found) < len(lines) else []
        answers = [json.loads(line) for line in others if line.startswith(b"{")]
        for answer in answers:
            self._answered(answer)
        self._look_around(now)
        return answers

    def _event(self, seq: int, number: int) -> None:
        self.log.shown(seq, number)
        cursor = self._progress.cursor
        if seq <= cursor:
            self.doubled += 1
            return
        self.lost += seq - cursor - 1
        self._progress.cursor = seq

    def _answered(self, answer: dict[str, Any]) -> None:
        match answer["type"], answer.get("re"):
            case "welcome", _:
                self.resumed += bool(answer["resumed"])
                self._token = answer["session"]
                self._send(op="join", id="join", room=self.log.name, after=self._progress.cursor)
            case "joined", _:
                self._progress.target = int(answer["seq"])
                self.is_in = True
                for line in self.unanswered.values():
                    self._write(line)
            case "ok", int(number):
                self.unanswered.pop(number, None)

    def _look_around(self, now: float) -> None:
        """Whether all that was missed has come."""
        progress = self._progress
        if progress.lost_at is not None and progress.target is not None and progress.cursor >= progress.target:
            self.returns.append(now - progress.lost_at)
            progress.lost_at = None

    @property
    def is_away(self) -> bool:
        """Whether something that was missed is still to come."""
        return not self.is_in or self._progress.lost_at is not None


class _Progress:
    """How far one person is: in the log, in the bytes, and in coming back."""

    __slots__ = ("cursor", "lost_at", "rest", "target")

    def __init__(self) -> None:
        self.cursor = 0
        self.rest = b""
        self.lost_at: float | None = None
        self.target: int | None = None


class Wanderers:
    """All of them, and the loop that serves them.

    Attributes:
        everybody: In the order of coming.
        refusals: How often a hello was refused, by its code.
        not_stored: How often a line was refused for now.
    """

    def __init__(self, job: Rolling) -> None:
        tag = f"{os.getpid() % 0x1000:03x}"
        logs = [Log(f"r{tag}-{number}") for number in range(job.rooms)]
        self.everybody = [
            Wanderer(f"m{tag}-{number:05}", logs[number % job.rooms], number) for number in range(job.members)
        ]
        self.logs = logs
        self.refusals: dict[str, int] = {}
        self.not_stored = 0
        self._ports = job.ports
        self._epoll = select.epoll()
        self._by_fd: dict[int, Wanderer] = {}
        self._due: list[tuple[float, int, Wanderer, int | None]] = []
        self._order = itertools.count()

    def come(self, at_once: int, seconds: float) -> None:
        """Bring everybody in.

        Raises:
            CrowdError: That took too long.
        """
        until = time.perf_counter() + seconds
        waiting = list(reversed(self.everybody))
        while waiting or any(not each.is_in for each in self.everybody):
            away = len(self.everybody) - len(waiting) - sum(each.is_in for each in self.everybody)
            for _ in range(min(len(waiting), at_once - away)):
                self._connect(waiting.pop())
            self.serve(0.05)
            if time.perf_counter() > until:
                raise CrowdError(f"not everybody came in; refused were {self.refusals}")

    def serve(self, seconds: float) -> None:
        """Wait at most so long for something to do, and do it."""
        now = time.perf_counter()
        if self._due:
            seconds = max(0.0, min(seconds, self._due[0][0] - now))
        for fd, mask in self._epoll.poll(seconds, 4096):
            self._serve(fd, mask)
        now = time.perf_counter()
        while self._due and self._due[0][0] <= now:
            _, _, person, number = heapq.heappop(self._due)
            if number is not None:
                person.say_again(number)
            elif person.sock is None:
                self._connect(person)

    def _serve(self, fd: int, mask: int) -> None:
        person = self._by_fd[fd]
        now = time.perf_counter()
        try:
            if mask & select.EPOLLOUT:
                self._established(fd, person)
            elif any(self._must_go(person, answer) for answer in person.read(now)):
                raise ConnectionResetError(errno.ECONNRESET, "told to go")
        except BlockingIOError:
            return
        except OSError as error:
            self._drop(fd)
            refused = error.errno == errno.ECONNREFUSED
            self._later(person, now + AGAIN_SECONDS if refused else now)

    def _established(self, fd: int, person: Wanderer) -> None:
        assert person.sock is not None  # noqa: S101 - it is polled
        fault = person.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if fault:
            raise OSError(fault, os.strerror(fault))
        self._epoll.modify(fd, select.EPOLLIN)
        person.hello()

    def _must_go(self, person: Wanderer, answer: dict[str, Any]) -> bool:
        """Whether the connection is of no more use after this."""
        if answer["type"] == "closing":
            return True
        if answer["type"] != "error":
            return False
        number = answer.get("re")
        if isinstance(number, int):
            self.not_stored += 1
            self._later(person, time.perf_counter() + AGAIN_SECONDS, number)
            return False
        code = answer["code"]
        self.refusals[code] = self.refusals.get(code, 0) + 1
        raise OSError(errno.ECONNREFUSED, code)

    def _later(self, person: Wanderer, at: float, number: int | None = None) -> None:
        heapq.heappush(self._due, (at, next(self._order), person, number))

    def _connect(self, person: Wanderer) -> None:
        person.sock = socket.socket()
        person.sock.setblocking(False)
        person.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(BlockingIOError):
            person.sock.connect(("127.0.0.1", self._ports[person.turn % len(self._ports)]))
        self._by_fd[person.sock.fileno()] = person
        self._epoll.register(person.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _drop(self, fd: int) -> None:
        person = self._by_fd.pop(fd)
        assert person.sock is not None  # noqa: S101 - it is polled
        self._epoll.unregister(fd)
        person.sock.close()
        person.gone(time.perf_counter())

    def close(self) -> None:
        """End all connections."""
        for fd in list(self._by_fd):
            self._drop(fd)
        self._epoll.close()


def rolling(job: Rolling) -> Iterator[Figures]:
    """Bring people in, and let them talk while others restart the servers.

    Yields:
        First that all are in; at the end what came of it.

    Raises:
        CrowdError: The servers did not take them in time.
    """
    crowd = Wanderers(job)
    try:
        crowd.come(job.at_once, job.limit_seconds)
        yield {"entered": len(crowd.everybody)}
        before = Usage.now()
        said = _talk(crowd, job)
        used = Usage.now().since(before)
        complete = _settle(crowd, job.drain_seconds)
        yield _figures(crowd, said) | {"complete": complete, "generator_core_percent": 100 * used.own / used.at}
    finally:
        crowd.close()


def _talk(crowd: Wanderers, job: Rolling) -> int:
    """Say lines by the clock, whether their speakers are connected or not; returns how many."""
    speakers = crowd.everybody[: job.senders]
    tag = os.urandom(8).hex()
    total = round(job.rate * job.seconds)
    start, said = time.perf_counter(), 0
    while said < total:
        due = min(total, int((time.perf_counter() - start) * job.rate) + 1)
        for number in range(said, due):
            speakers[number % len(speakers)].say(number, f"{tag}-{number}")
        said = due
        crowd.serve(max(0.0, start + said / job.rate - time.perf_counter()))
    return said


def _settle(crowd: Wanderers, seconds: float) -> bool:
    """Wait until everybody is back, all is answered, and all have been shown all; whether that came to be."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        crowd.serve(0.05)
        if not any(each.is_away or each.unanswered for each in crowd.everybody) and not _behind(crowd.everybody):
            return True
    return False


def _behind(everybody: Sequence[Wanderer]) -> int:
    """How many events, all together, people have not been shown that others have been."""
    return sum(max(each.log.numbers, default=0) - each.cursor for each in everybody)


def _figures(crowd: Wanderers, said: int) -> Figures:
    everybody = crowd.everybody
    returns = sorted(seconds for each in everybody for seconds in each.returns)
    stands = [number for log in crowd.logs for number in log.numbers.values()]
    return {
        "said": said,
        "stored": len(stands),
        "lost": sum(each.lost for each in everybody) + _behind(everybody) + said - len(set(stands)),
        "doubled": sum(each.doubled for each in everybody) + len(stands) - len(set(stands)),
        "wrong": sum(log.differing for log in crowd.logs),
        "unanswered": sum(len(each.unanswered) for each in everybody),
        "not_stored": crowd.not_stored,
        "refused_hellos": sum(crowd.refusals.values()),
        "returns": len(returns),
        "resumed": sum(each.resumed for each in everybody),
        "return_p50_ms": 1000 * percentile(returns, 0.5),
        "return_p99_ms": 1000 * percentile(returns, 0.99),
        "return_max_ms": 1000 * (returns[-1] if returns else float("nan")),
    }
