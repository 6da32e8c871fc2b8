"""The people of a rolling restart, at servers that lie: what they must find is found."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from benchmarks.load.rolling import Log, Wanderer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """The far end of one person's connection."""

    def __init__(self, log: Log) -> None:
        self.person = Wanderer("m", log, 0)
        self.connect()

    def connect(self) -> None:
        self.person.sock, self.end = socket.socketpair()
        self.person.hello()
        self.asked()

    def asked(self) -> list[dict[str, object]]:
        """What the person has sent since."""
        return [json.loads(line) for line in self.end.recv(1 << 16).splitlines()]

    def send(self, *messages: dict[str, object], at: float = 0.0) -> None:
        self.end.sendall(b"".join(json.dumps(message, separators=(",", ":")).encode() + b"\n" for message in messages))
        self.person.read(at)

    def welcome(self, seq: int, *, at: float = 0.0) -> None:
        """Let the person in, at a log that ends there."""
        self.send({"type": "welcome", "session": "token", "resumed": False}, at=at)
        self.send({"type": "joined", "seq": seq}, at=at)

    def events(self, *seqs: int, at: float = 0.0) -> None:
        """Show lines, each with the number that is its seq."""
        self.send(*({"type": "event", "room": "r", "seq": seq, "text": f"~{seq:09}"} for seq in seqs), at=at)

    def close(self) -> None:
        self.end.close()
        if self.person.sock is not None:
            self.person.sock.close()


@pytest.fixture
def log() -> Log:
    return Log("r")


@pytest.fixture
def server(log: Log) -> Iterator[Server]:
    server = Server(log)
    server.welcome(0)
    yield server
    server.close()


def test_lost_and_doubled(server: Server) -> None:
    """Events that are left out, or come again, are counted."""
    server.events(1, 2, 5, 4, 5)
    assert (server.person.lost, server.person.doubled, server.person.cursor) == (2, 2, 5)


def test_another_line(server: Server, log: Log) -> None:
    """A line that stands where others were shown another one is found."""
    log.shown(1, 7)
    server.events(1)
    assert log.differing == 1


def test_coming_back(server: Server) -> None:
    """A return lasts until all that was missed has come; what was not answered is sent again, under its key."""
    server.events(1)
    server.person.say(9, "key")
    server.asked()
    server.end.close()
    with pytest.raises(ConnectionResetError):
        server.person.read(10.0)
    server.person.sock.close()  # type: ignore[union-attr]
    server.person.gone(10.0)
    server.connect()
    server.welcome(3, at=11.0)
    join, said = server.asked()
    assert (join["after"], said["key"]) == (1, "key")
    server.events(2, at=12.0)
    assert server.person.is_away
    server.events(3, at=13.0)
    assert (server.person.returns, server.person.is_away) == ([3.0], False)
    assert (server.person.lost, server.person.doubled) == (0, 0)
    server.send({"type": "ok", "re": 9})
    assert server.person.unanswered == {}
