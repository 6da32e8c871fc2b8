"""The load generator against a server that lies: what it must find is found."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from benchmarks.load.fanout import fan_out
from benchmarks.load.jobs import FanOut, PingPong, read_job, write_job
from benchmarks.load.pingpong import ping_pong

MEMBERS = 6
JOB = FanOut(0, "plain", members=MEMBERS, senders=2, rates=(200,), seconds=0.1, warm_seconds=0)
"""Twenty lines, said by two in turns."""
Lie = Callable[[int, list[bytes]], list[bytes]]
"""What the member of this number is shown of the lines said so far, instead of them."""


class Liar:
    """A chat room of plain text that keeps all lines until the last, then shows what it likes."""

    def __init__(self, lie: Lie, until: int) -> None:
        self._lie = lie
        self._until = until
        self._said: list[bytes] = []
        self._members: dict[int, socket.socket] = {}  # by the number in the name: they arrive in any order
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve) for _ in range(MEMBERS)]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        client, _ = self._listening.accept()
        with client, client.makefile("rb") as lines:
            try:
                name = lines.readline().strip()
                with self._lock:
                    self._members[int(name.rpartition(b"-")[2])] = client
                client.sendall(b"*** You are %b, in #lobby\r\n" % name)
                for line in lines:
                    if line.startswith(b"/join"):
                        client.sendall(b"*** You are in #%b\r\n" % line.split(b"#")[1].strip())
                        continue
                    self._take(b"[00:00:00] %b: %b\r\n" % (name, line.strip()))
            except ConnectionError:
                pass

    def _take(self, line: bytes) -> None:
        with self._lock:
            if b"~" not in line:
                return
            self._said.append(line)
            if len(self._said) == self._until:
                for number, member in self._members.items():
                    member.sendall(b"".join(self._lie(number, self._said)))

    def close(self) -> None:
        """Wait until all clients have gone."""
        for thread in self._threads:
            thread.join(10)
        self._listening.close()


@contextmanager
def _lying(lie: Lie, until: int) -> Iterator[int]:
    liar = Liar(lie, until)
    try:
        yield liar.port
    finally:
        liar.close()


def _lose(_member: int, lines: list[bytes]) -> list[bytes]:
    return lines[:3] + lines[4:]


def _double(_member: int, lines: list[bytes]) -> list[bytes]:
    return [*lines, lines[-1]]


def _swap(_member: int, lines: list[bytes]) -> list[bytes]:
    # Lines 4 and 6 are both by the first of two senders.
    return [*lines[:4], lines[6], lines[5], lines[4], *lines[7:]]


def _differ(member: int, lines: list[bytes]) -> list[bytes]:
    return lines if member < MEMBERS - 1 else [lines[1], lines[0], *lines[2:]]


@pytest.mark.parametrize(
    ("lie", "kind", "amount"),
    [
        (lambda _member, lines: lines, "lost", 0),
        (_lose, "lost", MEMBERS),
        (_double, "doubled", MEMBERS),
        (_swap, "reordered", MEMBERS - 2),
    ],
)
def test_a_lie_is_found(lie: Lie, kind: str, amount: int) -> None:
    """Lost and doubled lines are found at every member, reordered ones at those who read."""
    with _lying(lie, until=20) as port:
        job = replace(JOB, port=port, stalled_seconds=0.2)
        (figures,) = fan_out(job)
    assert figures["said"] == 20
    assert {name: figures[name] for name in ("lost", "doubled", "reordered") if figures[name]} == (
        {kind: amount} if amount else {}
    )


def test_two_orders_of_the_same_lines_are_found() -> None:
    """Each sender's lines ascend for everybody, but the last member saw the senders in another order."""
    with _lying(_differ, until=20) as port:
        job = replace(JOB, port=port)
        (figures,) = fan_out(job)
    assert figures["complete"]
    assert figures["reordered"] == 0
    assert figures["same_order"] is False


@pytest.mark.parametrize("heeds", [True, False])
def test_a_line_of_somebody_ignored_is_found(heeds: bool) -> None:
    """Each member ignores the one before: a server that heeds it is right, one that does not shows lines too many."""

    def shown(member: int, lines: list[bytes]) -> list[bytes]:
        ignored = b"-%05d: " % ((member - 1) % MEMBERS)
        return [line for line in lines if not (heeds and ignored in line)]

    with _lying(shown, until=20) as port:
        job = replace(JOB, port=port, manner="ignore")
        (figures,) = fan_out(job)
    assert figures["complete"]
    assert figures["same_order"]
    # Two talk, so two are ignored by somebody.
    assert figures["lost"] == 0
    assert figures["doubled"] == (0 if heeds else 20)


def test_a_lost_line_stops_its_room_and_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one line in flight a room can't go on without it."""
    monkeypatch.setattr("benchmarks.load.pingpong.STALLED_SECONDS", 0.2)
    with _lying(lambda member, lines: lines if member else [], until=1) as port:
        job = PingPong(port, "plain", rooms=1, members=MEMBERS, seconds=0.1, warm_seconds=0)
        (figures,) = ping_pong(job)
    assert figures["lost"] == 1
    assert figures["wrong"] == 0


def test_a_job_travels_as_a_line() -> None:
    """What is written is read again."""
    job = FanOut(1234, "json", members=3, rates=(1.0, 2.0))
    again = read_job(write_job(job))
    assert again == job
