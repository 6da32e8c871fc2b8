"""Bounded, memory: what a crowd of hostile peers costs together, and that it is given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.hostile.crowd import BEYOND, SMALL_BUFFER_BYTES, TEXT_BYTES, Sink, crowd, drive, fill, request
from tests.hostile.watch import BACK_BYTES, Memory, Pings, settle
from tests.live.daemon import Caller, Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEERS = 1000
"""Peers of the bound. Source: docs/operations.md."""

PEERS_AT_ONCE = 50
"""Peers that come together; after each such group the memory is looked at."""

PAGE_EVENTS = 500
"""Events that one request can ask for. Source: docs/protocol.md, ``history``."""

ROOMS_BYTES = 128 << 20
"""What rooms that are read may cost: the budget of 64 MiB, and as much for malloc. Source: docs/operations.md."""

PING_SECONDS = 0.25
"""Delay of 99 in 100 pings of a bystander. Source: docs/operations.md."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--rate=0") as running:
        yield running
        assert "Traceback" not in running.log


def restarted(daemon: Daemon) -> Memory:
    """Start the daemon anew, so that what filled its logs is no longer in its memory."""
    daemon.stop()
    daemon.start()
    return Memory(daemon)


def crowd_that_does_not_read(daemon: Daemon, memory: Memory, words: str, peers: int = PEERS) -> str:
    """Let peers come, ask, read nothing and go, until all were there or the bound is broken by far.

    Args:
        daemon: Where.
        memory: Of the daemon, idle.
        words: What each sends, with ``{}`` for its number.
        peers: So many of them.

    Returns:
        How many they were, for the message of a failure.
    """
    with crowd() as callers:
        while len(callers) < peers and not memory.is_hopeless:
            for number in range(len(callers), min(peers, len(callers) + PEERS_AT_ONCE)):
                caller = Caller(daemon.port, buffer_bytes=SMALL_BUFFER_BYTES)
                caller.reading = False
                caller.outbox += words.replace("{}", str(number)).encode()
                callers.append(caller)
            drive(callers, lambda: not any(caller.outbox for caller in callers), "all is sent")
            settle(daemon, 20)
        told = f"{len(callers)} of {peers} peers"
    settle(daemon, 20)
    return told


JOIN = f"{request('hello', name='p{}')}\n{request('join', room='big', after=0)}\n"
HISTORY = f"p{{}}\n/join #big\n/history {PAGE_EVENTS}\n"
ROOMS_JSON = f"{request('hello', name='p{}')}\n" + f"{request('rooms')}\n" * 20
ROOMS_TELNET = "p{}\n" + "/rooms\n" * 20


class TestDoNotRead:
    @pytest.mark.parametrize("words", [JOIN, HISTORY], ids=["json-join", "telnet-history"])
    def test_page(self, daemon: Daemon, words: str) -> None:
        """1,000 peers ask for 500 lines of 4 kB and don't read."""
        fill(daemon, {"big": ["x" * TEXT_BYTES] * PAGE_EVENTS})
        memory = restarted(daemon)
        memory.check(crowd_that_does_not_read(daemon, memory, words))

    @pytest.mark.parametrize("words", [JOIN, HISTORY], ids=["json-join", "telnet-history"])
    def test_page_of_nuls(self, daemon: Daemon, words: str) -> None:
        """The same where every character is a NUL, which is shown in three to six bytes."""
        fill(daemon, {"big": ["\0" * TEXT_BYTES] * PAGE_EVENTS})
        memory = restarted(daemon)
        memory.check(crowd_that_does_not_read(daemon, memory, words))

    @pytest.mark.parametrize("words", [ROOMS_JSON, ROOMS_TELNET], ids=["json", "telnet"])
    def test_rooms(self, daemon: Daemon, words: str) -> None:
        """1,000 peers ask for the list of 200 rooms with topics of 4 kB, and don't read."""
        fill(daemon, {f"room{number}": ["x" * TEXT_BYTES] for number in range(200)}, op="topic")
        memory = restarted(daemon)
        memory.check(crowd_that_does_not_read(daemon, memory, words))


class TestRead:
    def test_one_client_from_many_seqs(self, daemon: Daemon) -> None:
        """A client that joins a room 60 times, from 60 different seqs, leaves nothing behind for each."""
        fill(daemon, {"big": [f"{number:04} {'x' * (TEXT_BYTES - 5)}" for number in range(PAGE_EVENTS + 60)]})
        memory = restarted(daemon)
        client = daemon.caller()
        client.say(request("hello", name="client"))
        for seq in range(60):
            client.received.clear()
            client.say(request("join", room="big", after=seq))
            drive([client], lambda: client.heard(f'"text":"{PAGE_EVENTS + 59:04} '), "the last event is shown")
        settle(daemon)
        memory.check("60 joins of one client")

    @pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
    def test_rooms_that_are_only_read(self, daemon: Daemon, leaves: bool) -> None:
        """400 rooms that are read and in which nothing new is said: the budget holds for all of them together.

        Each text has one character beyond the BMP, with which CPython keeps it in four bytes a character.
        """
        text = "\N{SLIGHTLY SMILING FACE}" + "x" * (TEXT_BYTES - 4)
        rooms = [f"room{number}" for number in range(400)]
        fill(daemon, {room: [text] * 60 for room in rooms})
        memory = restarted(daemon)
        with crowd() as readers:
            for start in range(0, len(rooms), 100):
                self.read(daemon, readers, rooms[start : start + 100], leaves=leaves)
            settle(daemon)
            memory.wait_until_back()
            grown, bound = memory.grown_bytes >> 20, (BACK_BYTES if leaves else ROOMS_BYTES) >> 20
        told = f"400 rooms were read: +{grown} MiB (bound {bound})"
        print(told)
        assert grown <= bound, told

    @staticmethod
    def read(daemon: Daemon, readers: list[Caller], rooms: list[str], *, leaves: bool) -> None:
        """Let one more reader join rooms, one after the other, and read all of them."""
        reader = Caller(daemon.port)
        readers.append(reader)
        reader.say(request("hello", name=f"reader{len(readers)}"))
        for room in rooms:
            reader.received.clear()
            reader.say(request("join", room=room, after=0))
            drive([reader], lambda: reader.heard('"seq":60,"at"'), f"#{room} is read")
            if leaves:
                reader.say(request("leave", room=room))


class TestBells:
    def test_members_with_bells(self, daemon: Daemon) -> None:
        """60 members with bells on, each with a name of its own, in a room where 20 say lines of 4 kB."""
        memory = Memory(daemon)
        with crowd() as callers:
            members = [_Counter(daemon.port) for _ in range(60)]
            callers.extend(members)
            for number, member in enumerate(members):
                member.say(f"member{number}", "/join #loud", "/set bell on")
            drive(members, lambda: all(member.heard("bell on") for member in members), "all bells are on")
            for member in members:
                member.count_from_now()
            speakers = [Sink(daemon.port) for _ in range(20)]
            callers.extend(speakers)
            for number, speaker in enumerate(speakers):
                speaker.say(request("hello", name=f"speaker{number}"), request("join", room="loud", after=BEYOND))
                speaker.say(*[request("say", room="loud", text="x" * (TEXT_BYTES - 1))] * LINES_OF_A_SPEAKER)
            lines = LINES_OF_A_SPEAKER * len(speakers)

            def done() -> bool:
                return memory.is_hopeless or all(member.lines_of_text >= lines for member in members)

            drive(callers, done, "all is shown", 60)
        settle(daemon)
        memory.check(f"60 bells, {lines} lines of 4 kB")


LINES_OF_A_SPEAKER = 100
"""2,000 lines and 8 MB together: half a second's work."""


class _Counter(Caller):
    """Counts the lines of 4 kB that it is shown, and keeps nothing of them."""

    lines_of_text = 0
    _counting = False

    def count_from_now(self) -> None:
        """Count, and keep nothing."""
        self._counting = True
        self.received.clear()

    @override
    def move(self, ready: int) -> None:
        """Send and receive, and count."""
        super().move(ready)
        if self._counting:
            self.lines_of_text += self.received.count(b"xx\r\n")
            del self.received[:-3]


class TestOverTheRate:
    def test_short_lines_wait(self, tmp_path: Path) -> None:
        """1,000 connections over their rate, each with 64 KiB of short lines waiting, delay nobody else."""
        with Daemon(tmp_path) as daemon:
            memory = Memory(daemon)
            lines = b"/x\n" * (2 * 65536 // 3)
            with crowd() as callers, Pings(daemon, every_seconds=0.06) as pings:
                for _ in range(PEERS):
                    caller = Caller(daemon.port, buffer_bytes=SMALL_BUFFER_BYTES)
                    caller.reading = False
                    caller.outbox += lines
                    callers.append(caller)
                drive(callers, lambda: all(len(c.outbox) < len(lines) for c in callers), "all have begun")
                # Long enough for each to have been read from, once and again at its rate.
                drive(callers, lambda: len(pings.seconds) >= 100 or memory.is_hopeless, "100 pings", 90)
            print(pings)
            settle(daemon, 20)
            memory.check(f"{PEERS} floods of short lines")
            assert pings.p99_seconds <= 2 * PING_SECONDS, str(pings)
