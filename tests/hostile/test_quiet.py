"""Quiet: however strangers leave, the daemon has nothing to complain of, and they see a clean end."""

from __future__ import annotations

import heapq
import json
import random
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.hostile.crowd import BEYOND, SMALL_BUFFER_BYTES, TEXT_BYTES, crowd, drive, fill, request
from tests.hostile.site import SITE
from tests.hostile.watch import settle
from tests.live.daemon import PATIENCE_SECONDS, Caller, Daemon, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

TROUBLE = re.compile(r".*(Traceback|Unhandled|Exception|#warn\]|#error\]|#critical\]).*")
"""What stands in the daemon's log when something is wrong. Source: how ``twisted.logger`` writes levels."""

MOST_TROUBLE = 8
"""So many lines of the log a failure shows."""


def trouble(daemon: Daemon) -> list[str]:
    """What the daemon complains of."""
    return [line for line in daemon.log.splitlines() if TROUBLE.fullmatch(line)]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--rate=0") as running:
        yield running


# -- random peers ------------------------------------------------------------------------------------

PEERS = 3000
OLD_LINES = 3000
"""Lines of the room that they ask for."""

TOGETHER = 60
"""Random peers that are there at the same time."""

LONGEST_STAY_SECONDS = 0.03
"""A random peer resets its connection after at most so long: while its answers are being made."""


def _person(dice: random.Random, number: int) -> bytes:
    asked = (
        f"/since {dice.randrange(24):02}:{dice.randrange(60):02}",
        f"/since {dice.randrange(OLD_LINES)}",
        f"/history {dice.randrange(1, 500)}",
        f"/join #room{dice.randrange(5)}",
        *("/set bell on", "/rooms", "/who", "something said", "/quit"),
    )
    return _sent([f"p{number}", "/join #den", *dice.choices(asked, k=dice.randrange(1, 4))])


def _program(dice: random.Random, number: int) -> bytes:
    asked = (
        request("join", room="den", after=dice.randrange(OLD_LINES), id=1),
        request("history", room="den", limit=dice.randrange(1, 500), id=2),
        request("join", room=f"room{dice.randrange(5)}", id=3),
        request("say", room="den", text="something said", id=4),
        request("rename", name=f"q{number}", id=5),
        request("quit"),
    )
    return _sent([request("hello", name=f"p{number}", id=0), *dice.choices(asked, k=dice.randrange(1, 5))])


def _sent(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _garbage(dice: random.Random, number: int) -> bytes:
    start = dice.choice([b"", b"{", f"p{number}\n".encode(), b"\xff\xfb\x01", b"/", b"\x16"])
    alphabet = dice.choice([bytes(range(256)), b"\xff\xfa\xf0\xfd\xfb\r\n\0a", b'{}[]",:0e\\u\n'])
    return start + bytes(dice.choices(alphabet, k=dice.randrange(400)))


class TestRandomPeers:
    @pytest.mark.parametrize("seed", [1, 2])
    @pytest.mark.parametrize("kind", [_person, _program, _garbage], ids=["telnet", "json", "garbage"])
    def test_resets(self, daemon: Daemon, kind: Callable[[random.Random, int], bytes], seed: int) -> None:
        """Peers that come, ask and reset at random moments leave no traceback and no warning in the log."""
        fill(daemon, {"den": [f"line {number}" for number in range(OLD_LINES)]})
        dice = random.Random(seed)  # noqa: S311  a test that can be run again
        leaving: list[tuple[float, int, Caller]] = []
        for number in range(PEERS):
            while leaving and (len(leaving) >= TOGETHER or leaving[0][0] <= time.monotonic()):
                due, _, caller = heapq.heappop(leaving)
                time.sleep(max(0.0, due - time.monotonic()))
                caller.reset()
            caller = Caller(daemon.port)
            caller.socket.setblocking(True)
            caller.socket.sendall(kind(dice, number))
            stay = dice.uniform(0, LONGEST_STAY_SECONDS)
            heapq.heappush(leaving, (time.monotonic() + stay, number, caller))
        for _, _, caller in leaving:
            caller.reset()
        settle(daemon)
        daemon.stop()
        found = trouble(daemon)
        assert not found, f"{len(found)} lines of trouble after {PEERS} peers: {found[:MOST_TROUBLE]}"


# -- half-close --------------------------------------------------------------------------------------

ROOMS = [f"room{number}" for number in range(100)]
"""As many rooms as a session may be in. Source: docs/protocol.md, "Limits"."""

LONG = 400
"""So many lines of that length are more than a connection's buffers hold."""

STACK_FRAMES = 250
"""A stack of this depth is enough: an idle daemon that answers uses some 50 frames, half of them Twisted's."""


class TestHalfClose:
    @pytest.fixture
    def flat(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
        """A daemon whose stack is limited: what calls itself for each room shows."""
        with Daemon(tmp_path, "--rate=0") as daemon:
            fill(daemon, {ROOMS[0]: ["x" * TEXT_BYTES] * LONG} | {room: ["a line"] * 5 for room in ROOMS[1:]})
            daemon.stop()
            monkeypatch.setenv("PYTHONPATH", str(SITE))
            monkeypatch.setenv("STACK_FRAMES", str(STACK_FRAMES))
            daemon.start()
            until(lambda: "The stack is limited." in daemon.log, "the stack is limited")
            yield daemon

    def test_person(self, flat: Daemon) -> None:
        """``printf … | nc -N`` that joins 100 rooms is answered for each, and the connection ends."""
        caller = flat.caller()
        caller.say("ann", *(f"/join #{room}" for room in ROOMS[1:]), "the last line")
        caller.end()
        drive([caller], lambda: caller.over, "the connection ends")
        unanswered = [room for room in ROOMS[1:] if not caller.heard(f"*** You are in #{room}")]
        assert not unanswered, f"no answer for {len(unanswered)} rooms"
        assert caller.heard("ann: the last line\r\n")
        self.check_end(flat, caller)

    def test_program(self, flat: Daemon) -> None:
        """The same in JSON lines: every answer and every event comes, also of a room that fits no buffer."""
        caller = flat.caller(buffer_bytes=SMALL_BUFFER_BYTES)
        caller.say(request("hello", name="ann"))
        caller.say(*(request("join", room=room, after=0, id=room) for room in ROOMS))
        caller.say(request("say", room=ROOMS[-1], text="the last line", id="said"))
        caller.end()
        drive([caller], lambda: caller.over, "the connection ends")
        messages = [json.loads(line) for line in caller.lines if line.startswith("{")]
        answered = {message.get("re") for message in messages}
        assert answered >= {*ROOMS, "said"}, f"{len({*ROOMS, 'said'} - answered)} are unanswered"
        events = [message for message in messages if message["type"] == "event"]
        expected = LONG + 5 * (len(ROOMS) - 1) + 1
        assert len(events) == expected, f"{len(events)} of {expected} events were shown"
        self.check_end(flat, caller)

    @pytest.mark.parametrize("is_program", [False, True], ids=["telnet", "json"])
    def test_behind_in_every_room(self, flat: Daemon, is_program: bool) -> None:
        """Whoever ends its input while it is behind in 99 rooms is shown the rest of each, and the connection ends."""
        caller = flat.caller(buffer_bytes=SMALL_BUFFER_BYTES)
        rooms = ROOMS[1:]
        if is_program:
            caller.say(request("hello", name="ann"), *(request("join", room=room, after=BEYOND) for room in rooms))
            caller.say(request("ping"))
        else:
            caller.say("ann", *(f"/join #{room}" for room in rooms), "/ping")
        drive([caller], lambda: b"pong" in caller.received.lower(), "all rooms are joined")
        caller.reading = False
        fill(flat, {rooms[0]: ["x" * TEXT_BYTES] * LONG} | {room: ["a later line"] for room in rooms[1:]})
        caller.end()
        caller.reading = True
        drive([caller], lambda: caller.over, "the connection ends")
        text = caller.received.decode()
        long, late = text.count("x" * TEXT_BYTES), text.count("a later line")
        told = f"{long} of {LONG} long lines, and {late} of {len(rooms) - 1} of the other rooms were shown"
        assert (long, late) == (LONG, len(rooms) - 1), told
        self.check_end(flat, caller)

    @staticmethod
    def check_end(daemon: Daemon, caller: Caller) -> None:
        """It ended well, on both sides."""
        assert not caller.was_reset
        found = trouble(daemon)
        assert not found, f"{found[:MOST_TROUBLE]}"


# -- stopping ----------------------------------------------------------------------------------------

CHATTERERS = 200


class _Chatterer(Caller):
    """Says a line whenever it has been shown something, and reads."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(port)
        self.is_program = bool(number % 2)
        room = f"room{number % 20}"
        self._line = request("say", room=room, text="and on I talk") if self.is_program else "and on I talk"
        if self.is_program:
            self.say(request("hello", name=f"p{number}"), request("join", room=room, after=BEYOND))
        else:
            self.say(f"p{number}", f"/join #{room}")
        self.say(*[self._line] * 5)

    @property
    def said_goodbye(self) -> bool:
        """Whether its last line is the server's goodbye."""
        last = self.received.splitlines()[-1] if self.received else b""
        return b'"closing"' in last if self.is_program else last.startswith(b"*** The server is stopping")

    @override
    def move(self, ready: int) -> None:
        """Send and receive; talk on."""
        super().move(ready)
        del self.received[:-2000]
        if not self.over and not self.outbox:
            self.say(self._line)


class TestStop:
    def test_under_load(self, daemon: Daemon) -> None:
        """At SIGTERM each of 200 peers who talk and read is told so, and its connection ends without a reset."""
        with crowd() as callers:
            talkers = [_Chatterer(daemon.port, number) for number in range(CHATTERERS)]
            callers.extend(talkers)
            enough = time.monotonic() + 2
            drive(callers, lambda: time.monotonic() > enough, "all talk")
            process = daemon.process
            process.send_signal(signal.SIGTERM)
            drive(callers, lambda: all(caller.over for caller in callers), "all are seen out", 20)
            with_goodbye = sum(talker.said_goodbye for talker in talkers)
            resets = sum(talker.was_reset for talker in talkers)
        try:
            status: int | None = process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        told = f"{with_goodbye} of {CHATTERERS} saw the goodbye, {resets} were reset"
        print(told)
        assert (with_goodbye, resets) == (CHATTERERS, 0), told
        assert status in {0, -signal.SIGTERM}, f"it ended with {status}"
        assert not trouble(daemon)[:MOST_TROUBLE]
