"""Quiet.

Whoever leaves, however they leave (``/quit``, Ctrl-C, Ctrl-D, a closed window, a reset, half-close, a server
stop), causes no traceback and no error text on either side.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.live.daemon import Caller, Daemon, Program, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_FRIENDLY = re.compile(
    r"(Welcome to .*|What is your name\?|--- .* ---|\[\d\d:\d\d:\d\d\] \S+: .*|\*\*\* You are .*"
    r"|\*\*\* .* (is|are) here now\.|\*\*\* .* left(: .*)?\.?|\*\*\* The server is stopping\. Goodbye\.)"
)
"""All that somebody at telnet may see here."""

_FRIENDLY_TYPES = {"welcome", "joined", "ok", "event", "presence", "pong", "history", "closing"}

_TALKER = """
import socket, sys
talker = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
talker.sendall(b"victim\\nhello\\n")
while talker.recv(4096):
    pass
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that must stop well, whatever its peers did."""
    with Daemon(tmp_path, "--rate=0") as daemon:
        yield daemon
        daemon.stop()
    assert daemon.trouble == []


@pytest.fixture
def stays(daemon: Daemon) -> Program:
    """Somebody who stays."""
    return _program(daemon, "stays")


def _program(daemon: Daemon, name: str) -> Program:
    program = daemon.program(name)
    program.call("join", room="lobby")
    return program


def _person(daemon: Daemon, name: str) -> Caller:
    person = daemon.caller()
    person.say(name)
    exchange([person], lambda: person.heard("You are "), "it has come in")
    return person


def _check_friendly(caller: Caller) -> None:
    if isinstance(caller, Program):
        assert {message["type"] for message in caller.messages} <= _FRIENDLY_TYPES
    else:
        assert [line for line in caller.lines if not _FRIENDLY.fullmatch(line)] == []


def _has_left(caller: Program, name: str) -> Callable[[], bool]:
    return lambda: any(name in message.get("left", ()) for message in caller.messages)


def _quit(person: Caller) -> None:
    person.say("/quit good night")
    exchange([person], lambda: person.over, "the connection is closed")


def _half_close(person: Caller) -> None:
    person.end()
    exchange([person], lambda: person.over, "the connection is closed")


PEOPLE_LEAVE = {"quit": _quit, "close": Caller.close, "reset": Caller.reset, "half-close": _half_close}


@pytest.mark.parametrize("leave", PEOPLE_LEAVE.values(), ids=PEOPLE_LEAVE)
def test_person(daemon: Daemon, stays: Program, leave: Callable[[Caller], None]) -> None:
    """Somebody at telnet who leaves while being shown things has left, and that is all that happens."""
    persons = [_person(daemon, f"goes{number}") for number in range(5)]
    # Who comes and goes within a moment is not told of at all.
    exchange([stays], lambda: stays.heard("goes4"), "all have come in")
    for person in persons:
        person.say(*["something"] * 50)
        stays.ask("say", room="lobby", text="something")
        exchange([stays, person], lambda person=person: not person.outbox, "it is sent")  # type: ignore[misc]
        leave(person)
    for number, person in enumerate(persons):
        exchange([stays], _has_left(stays, f"goes{number}"), "it has left")
        assert not person.was_reset
        _check_friendly(person)
    _check_friendly(stays)


def test_half_close_says_everything_first(daemon: Daemon, stays: Program) -> None:
    """What came before a half-close is said, and shown to the one who said it, before the connection ends."""
    person = daemon.caller()
    person.say("goes", *[f"line {number}" for number in range(500)])
    _half_close(person)
    exchange([stays], _has_left(stays, "goes"), "it has left")
    said = [f"line {number}" for number in range(500)]
    assert [event["text"] for event in stays.events("lobby")] == said
    assert [line.partition(" goes: ")[2] for line in person.lines if " goes: " in line] == said


PROGRAMS_LEAVE: dict[str, Callable[[Program], object]] = {
    "quit": lambda program: program.ask("quit"),
    "close": Program.close,
    "reset": Program.reset,
    "half-close": Program.end,
}


@pytest.mark.parametrize("leave", PROGRAMS_LEAVE.values(), ids=PROGRAMS_LEAVE)
def test_program(daemon: Daemon, stays: Program, leave: Callable[[Program], object]) -> None:
    """A program that leaves with lines under way disturbs nobody; if it waits, it gets its answers and an end."""
    program = _program(daemon, "goes")
    asked = [program.ask("say", room="lobby", text="something") for _ in range(50)]
    exchange([stays, program], lambda: not program.outbox, "it is sent")
    waits = leave not in {Program.close, Program.reset}
    leave(program)
    if waits:
        exchange([program], lambda: program.over, "the connection is closed")
        assert not program.was_reset
        assert all(program.answer(id_) for id_ in asked)
    assert stays.call("say", room="lobby", text="good night")["type"] == "ok"
    _check_friendly(program)
    _check_friendly(stays)


def test_killed_client(daemon: Daemon, stays: Program) -> None:
    """A client's process that is killed has left."""
    command = [sys.executable, "-c", _TALKER, str(daemon.port)]
    with subprocess.Popen(command) as process:
        exchange([stays], lambda: stays.heard("victim"), "it has come in")
        exchange([stays], lambda: stays.heard("hello"), "it has spoken")
        process.kill()
    exchange([stays], _has_left(stays, "victim"), "it has left")
    _check_friendly(stays)


def test_server_stops_in_the_middle(daemon: Daemon, stays: Program) -> None:
    """A server that is stopped while many talk ends well; whoever is there is told, and what was seen stands."""
    talkers: Sequence[Caller] = [_person(daemon, "ann"), _program(daemon, "bot"), stays]
    sleeps = _person(daemon, "sleeps")

    def enough() -> bool:
        for talker in talkers:
            if isinstance(talker, Program):
                talker.ask("say", room="lobby", text="something")
            else:
                talker.say("something")
        return len(stays.events("lobby")) > 500

    exchange(talkers, enough, "enough is said")
    daemon.stop()
    exchange([*talkers, sleeps], lambda: all(talker.over for talker in [*talkers, sleeps]), "all connections end")
    assert "Goodbye" in sleeps.lines[-1]
    for talker in [*talkers, sleeps]:
        _check_friendly(talker)
    seen = stays.events("lobby")
    acknowledged = [message["seq"] for message in stays.messages if message["type"] == "ok"]
    daemon.start()
    again = _program(daemon, "again")
    assert again.call("history", room="lobby", after=seen[-1]["seq"] - 1, limit=1)["events"] == seen[-1:]
    assert again.call("history", room="lobby", after=max(acknowledged) - 1, limit=1)["events"][0]["who"] == "stays"
