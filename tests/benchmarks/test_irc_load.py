"""The load generator as IRC clients, with and without tags: what each is to receive, and that a lie is found."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.dialects import ALL_TAGS, DIALECTS, spoken
from benchmarks.load.crowd import CrowdError
from benchmarks.load.ears import MARK
from benchmarks.load.fanout import fan_out
from benchmarks.load.jobs import FanOut, PingPong
from benchmarks.load.pingpong import ping_pong
from benchmarks.load.presence import told

MEMBERS = 20
HALF = "irc+irc-tags"
Lie = Callable[[int, bool, list[bytes]], list[bytes]]
"""What the member of this number, with tags or without, is shown of the lines, instead of them."""


class Liar:
    """An IRC server for one crowd that keeps all lines until the last, then shows what it likes."""

    def __init__(self, lie: Lie, until: int, answer: bytes) -> None:
        self._lie = lie
        self._until = until
        self._answer = answer
        self._said: list[tuple[int, bytes]] = []
        self._members: dict[int, tuple[socket.socket, bool]] = {}
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(MEMBERS)]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        try:
            client, _ = self._listening.accept()
        except OSError:
            return
        with client, client.makefile("rb") as lines:
            name, has_tags = b"", False
            try:
                for line in lines:
                    match line.split():
                        case [b"CAP", b"REQ", *_]:
                            has_tags = True
                            client.sendall(b":irc CAP * %b\r\n" % self._answer)
                        case [b"NICK", name]:
                            pass
                        case [b"USER", *_] if not has_tags:
                            client.sendall(b":irc 001 %b :Welcome\r\n" % name)
                        case [b"CAP", b"END"]:
                            client.sendall(b":irc 001 %b :Welcome\r\n" % name)
                        case [b"JOIN", room]:
                            self._members[int(name.rpartition(b"-")[2])] = client, has_tags
                            client.sendall(b":irc 366 %b %b :That is everybody.\r\n" % (name, room))
                        case _:
                            self._take(int(name.rpartition(b"-")[2]), line)
            except ConnectionError:
                pass

    def _take(self, speaker: int, line: bytes) -> None:
        with self._lock:
            if b"~" not in line:
                return
            self._said.append((speaker, line.removeprefix(b"@label=1 ")))
            if len(self._said) == self._until:
                for number, (member, has_tags) in self._members.items():
                    member.sendall(b"".join(self._lie(number, has_tags, self._shown_to(number, has_tags))))
                self._said.clear()

    def _shown_to(self, number: int, has_tags: bool) -> list[bytes]:
        tag = b"@time=2026-11-22T08:31:40.123Z " if has_tags else b""
        return [b"%b:somebody %b" % (tag, line) for speaker, line in self._said if has_tags or speaker != number]

    def close(self) -> None:
        """Wait until all clients have gone; nobody waits for another."""
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()


@contextmanager
def _lying(lie: Lie, until: int, answer: bytes = b"ACK :all of them") -> Iterator[int]:
    liar = Liar(lie, until, answer)
    try:
        yield liar.port
    finally:
        liar.close()


def _true(_number: int, _has_tags: bool, lines: list[bytes]) -> list[bytes]:
    return lines


def _lose_tagged(_number: int, has_tags: bool, lines: list[bytes]) -> list[bytes]:
    return lines[1:] if has_tags else lines


def _double_untagged(_number: int, has_tags: bool, lines: list[bytes]) -> list[bytes]:
    return lines if has_tags else [*lines, lines[-1]]


@pytest.mark.parametrize(
    ("lie", "wrong"),
    [(_true, {}), (_lose_tagged, {"lost": MEMBERS // 2}), (_double_untagged, {"doubled": MEMBERS // 2})],
)
def test_each_sort_is_counted_for_itself(lie: Lie, wrong: dict[str, int]) -> None:
    """Half the members have tags: their lines are longer, and only they have their own; a lie to one sort is found."""
    with _lying(lie, until=20) as port:
        job = FanOut(port, HALF, members=MEMBERS, senders=2, rates=(200,), seconds=0.1, warm_seconds=0)
        (figures,) = fan_out(job)
    assert {name: figures[name] for name in ("lost", "doubled", "reordered") if figures[name]} == wrong
    assert figures["complete"] == ("lost" not in wrong)


def test_who_has_an_echo_waits_for_it() -> None:
    """In a room of two one has tags, and is shown all lines; the other one is shown only what that one says."""
    with _lying(_true, until=1) as port:
        job = PingPong(port, HALF, rooms=1, members=2, seconds=0.2, warm_seconds=0)
        (figures,) = ping_pong(job)
    assert (figures["lost"], figures["wrong"]) == (0, 0)
    assert float(figures["samples"]) > 2


def test_a_client_whose_capabilities_are_refused_does_not_go_on() -> None:
    """It would be measured without tags."""
    with _lying(_true, until=1, answer=b"NAK :all of them") as port, pytest.raises(CrowdError):
        list(fan_out(FanOut(port, "irc-tags", members=4, senders=1, limit_seconds=0.3)))


HEARD = b"""\
:irc 001 bob :Welcome
:bob!~bob@host JOIN #lobby
:irc 353 bob = #lobby :@alice +bob
:irc 353 bob = #lobby :carol
:irc 366 bob #lobby :That is everybody.
@time=2026-11-22T08:31:40.123Z :dave!~dave@host JOIN #lobby
"""


@pytest.mark.parametrize(
    ("heard", "lost", "doubled"),
    [
        (HEARD, 0, 0),
        (HEARD.replace(b"+bob", b"bob"), 0, 0),
        (HEARD.replace(b":carol", b"carol"), 0, 0),
        (HEARD.replace(b":carol", b":"), 1, 0),
        (HEARD.partition(b"@time")[0], 1, 0),
        (HEARD + b":carol!~carol@host JOIN #lobby\n", 0, 1),
        (HEARD + b":eve!~eve@host JOIN :#lobby\n", 0, 1),
    ],
)
def test_whoever_comes_is_told_of_everybody_once(heard: bytes, lost: int, doubled: int) -> None:
    """Those who were there stand among the names, whoever came later has a JOIN; nobody has both."""
    verdict = told(heard, "bob", ["alice", "carol", "dave"])
    assert (verdict.lost, verdict.doubled) == (lost, doubled)


def test_only_a_line_s_own_number_is_its_mark() -> None:
    """InspIRCd's msgid has a time between tildes."""
    assert MARK.findall(b"@msgid=826AAAAAB~1764551940~12 :a!~a@host PRIVMSG #lobby :~000000017....\r\n") == [
        b"000000017"
    ]


def test_dialects_are_joined_by_a_plus() -> None:
    """Connections speak them in turn; whoever has labels uses them."""
    assert spoken(HALF) == (DIALECTS["irc"], DIALECTS["irc-tags"])
    assert [dialect.echoes for dialect in spoken(HALF)] == [False, True]
    assert spoken("irc-tags")[0].enter("a", "lobby")[0].send.startswith(b"CAP REQ :%b\r\n" % ALL_TAGS.encode())
    assert spoken("irc-tags")[0].say("lobby", b"hi") == b"@label=1 PRIVMSG #lobby :hi\r\n"
