"""Each promise over every way in: in memory, over TCP, TLS and UNIX sockets, and over all of them in one room."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.promises.ways import LIVE, WAYS, Client, LiveWay, ProgramClient, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LINES = 60
"""What each client says: several batches."""

FLOOD = 6000
"""Lines of 200 bytes: more than all buffers between a server and a client that does not read."""

_SAID = re.compile(r"\[\d\d:\d\d:\d\d(?: (\d+))?\] (\S+): (.*)")


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    """Every way in, at whose server nothing may go wrong."""
    way: Way = WAYS[request.param](tmp_path)
    try:
        yield way
        assert list(way.trouble) == []
    finally:
        way.close()


@pytest.fixture(params=list(LIVE))
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveWay]:
    """Every way in to a process, which can be killed; what is in memory does not outlive its server."""
    way: LiveWay = LIVE[request.param](tmp_path)
    try:
        yield way
    finally:
        way.close()


def _member(way: Way, name: str, *, room: str = "lobby", slow: bool = False, after: int | None = None) -> ProgramClient:
    program = way.program(name, slow=slow)
    _join(way, program, room, after)
    return program


def _join(way: Way, program: ProgramClient, room: str, after: int | None = None) -> None:
    _call(way, program, "join", room=room, **({} if after is None else {"after": after}))


def _call(way: Way, program: ProgramClient, op: str, **fields: object) -> dict[str, Any]:
    """Ask, and wait for the answer."""
    asked = program.ask(op, **fields)
    way.wait(lambda: bool(program.answers(asked)), f"{op} is answered")
    return program.answers(asked)[0]


def _read_log(way: Way, program: ProgramClient) -> list[dict[str, Any]]:
    """The whole log of the lobby."""
    log: list[dict[str, Any]] = []
    while events := _call(way, program, "history", room="lobby", after=len(log), limit=500)["events"]:
        log += events
    return log


def _shown(person: Client) -> list[tuple[str, str]]:
    """Who said what, as it was shown to somebody at telnet."""
    return [(found[2], found[3]) for found in map(_SAID.fullmatch, person.lines) if found]


def _said(log: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["who"], event["text"]) for event in log]


def test_order(way: Way) -> None:
    """People and programs who all talk at once are shown one order: the log's, which keeps that of each one."""
    people = [way.person(f"ann{number}") for number in range(3)]
    programs = [_member(way, f"bot{number}") for number in range(3)]
    for piece in range(0, LINES, 5):
        lines = range(piece, piece + 5)
        for number, person in enumerate(people):
            person.say(*(f"ann{number} {line}" for line in lines))
        for number, program in enumerate(programs):
            for line in lines:
                program.ask("say", room="lobby", text=f"bot{number} {line}")
    last = 6 * LINES
    way.wait(lambda: all(len(program.events("lobby")) == last for program in programs), "the programs see all")
    way.wait(lambda: all(len(_shown(person)) == last for person in people), "the people see all")
    log = _read_log(way, programs[0])
    assert [event["seq"] for event in log] == list(range(1, last + 1))
    for program in programs:
        assert program.events("lobby") == [{**event, "room": "lobby", "type": "event"} for event in log]
    for person in people:
        assert _shown(person) == _said(log)
    for name in {event["who"] for event in log}:
        assert [text for who, text in _said(log) if who == name] == [f"{name} {line}" for line in range(LINES)]


def test_durable(live: LiveWay) -> None:
    """What anybody has seen, or was told to be stored, stands in the log when the server was killed."""
    person, programs = live.person("ann"), [_member(live, f"bot{number}") for number in range(2)]
    asked: dict[int, str] = {}

    def enough() -> bool:
        text = f"bot0 {len(asked)}"
        asked[programs[0].ask("say", room="lobby", text=text)] = text
        person.say(f"ann {len(asked)}")
        return len(programs[1].events("lobby")) > 200

    live.wait(enough, "enough is said")
    live.kill()
    live.start()
    log = _read_log(live, live.program("reader"))
    for program in programs:
        seen = [(event["seq"], event["who"], event["text"]) for event in program.events("lobby")]
        assert seen == [(event["seq"], event["who"], event["text"]) for event in log[: len(seen)]]
    assert _shown(person) == _said(log)[: len(_shown(person))]
    answers = {id_: answer for id_ in asked for answer in programs[0].answers(id_)}
    assert answers
    for id_, answer in answers.items():
        assert log[answer["seq"] - 1]["text"] == asked[id_]


def test_gapless(way: Way) -> None:
    """A program that is cut off again and again, and comes back with what it saw last, is shown every event once."""
    talks, person = _member(way, "talks"), way.person("ann")
    person.say("/set seq on")
    seqs: list[int] = []
    token = None
    for cut in range(5):
        program = way.program("cut", resume=token)
        assert program.messages[0]["resumed"] == (token is not None)
        token = program.messages[0]["session"]
        # Some is said while the program is in no room, the rest while it is being shown that.
        for line in range(LINES):
            talks.ask("say", room="lobby", text=f"{cut} {line}")
            if line == LINES // 2:
                way.wait(lambda stored=cut * LINES + line: len(talks.events("lobby")) > stored, "some is stored")  # type: ignore[misc]
        program.ask("join", room="lobby", after=max(seqs, default=0))
        enough = 20 + 7 * cut
        way.wait(lambda program=program, enough=enough: len(program.events("lobby")) >= enough, "it sees some")  # type: ignore[misc]
        seqs += [event["seq"] for event in program.events("lobby")]
        [program.reset, program.vanish, program.close][cut % 3]()
    program = way.program("cut", resume=token)
    program.ask("join", room="lobby", after=seqs[-1])
    last = 5 * LINES
    way.wait(lambda: len(program.events("lobby")) == last - seqs[-1], "it sees the rest")
    seqs += [event["seq"] for event in program.events("lobby")]
    assert seqs == list(range(1, last + 1))
    way.wait(lambda: len(_shown(person)) == last, "somebody at telnet sees all")
    numbers = [int(found[1]) for found in map(_SAID.fullmatch, person.lines) if found and found[1]]
    assert numbers == list(range(last - len(numbers) + 1, last + 1))


def test_once(way: Way) -> None:
    """Lines with a key that are all sent again after a cut stand once, and are all acknowledged where they stand."""
    sees, program = _member(way, "sees"), _member(way, "cut")
    token = program.messages[0]["session"]
    for line in range(LINES):
        program.ask("say", room="lobby", text=f"line {line}", key=f"key {line}")
        if line == LINES // 2:
            # The rest may or may not have arrived when it is cut.
            way.wait(lambda: bool(sees.events("lobby")), "one is stored")
    program.reset()
    program = way.program("cut", resume=token)
    _join(way, program, "lobby", 0)
    asked = [program.ask("say", room="lobby", text=f"line {line}", key=f"key {line}") for line in range(LINES)]
    way.wait(lambda: all(map(program.answers, asked)), "all are acknowledged")
    way.wait(lambda: len(sees.events("lobby")) == LINES, "all are shown")
    log = _read_log(way, sees)
    assert sorted(event["text"] for event in log) == sorted(f"line {line}" for line in range(LINES))
    for line, id_ in enumerate(asked):
        [answer] = program.answers(id_)
        assert log[answer["seq"] - 1]["text"] == f"line {line}"
    assert program.answers(asked[0])[0]["again"]


def test_bounded(way: Way) -> None:
    """While a flood is shown, members that take nothing delay nobody; when they read again they miss nothing."""
    reads, den = _member(way, "reads"), [_member(way, name, room="den") for name in ("ann", "bob")]
    program, person = _member(way, "slow", slow=True), way.person("stuck", slow=True)
    person.say("/set seq on")
    way.sent(person)
    program.stop_reading()
    person.stop_reading()
    flooder = way.person("flooder")
    flooder.say(*(f"{line} {'x' * 200}" for line in range(FLOOD)))
    asked: list[int] = []

    def flooded() -> bool:
        if len(den[1].events("den")) == len(asked):
            asked.append(den[0].ask("say", room="den", text=str(len(asked))))
        return len(reads.events("lobby")) == FLOOD

    way.wait(flooded, "the flood is shown to who reads")
    assert [event["text"] for event in den[1].events("den")][: len(asked) - 1] == list(map(str, range(len(asked) - 1)))
    assert len(program.received) < FLOOD * 200
    program.read_again()
    person.read_again()
    way.wait(lambda: len(program.events("lobby")) == FLOOD, "the program has caught up")
    way.wait(lambda: len(_shown(person)) == FLOOD, "the person has caught up")
    assert program.events("lobby") == reads.events("lobby")
    assert _shown(person) == _said(reads.events("lobby"))


LEAVE: dict[str, Callable[[Client], object]] = {
    "half-close": lambda client: client.end(),
    "close": lambda client: client.close(),
    "killed": lambda client: client.vanish(),
    "reset": lambda client: client.reset(),
}


def test_quiet(way: Way) -> None:
    """Whoever leaves, in whatever way, while being shown things, has left; then the server stops: no error anywhere."""
    stays = _member(way, "stays")
    leavers: list[Client] = []
    for how, leave in LEAVE.items():
        person, program = way.person(f"ann-{how}"), _member(way, f"bot-{how}")
        way.wait(lambda how=how: stays.heard(f"bot-{how}"), "they have come in")  # type: ignore[misc]
        for line in range(LINES):
            person.say(f"{line}")
            program.ask("say", room="lobby", text=f"{line}")
            stays.ask("say", room="lobby", text=f"{line}")
        for client in (person, program):
            way.sent(client)
            leave(client)
            leavers.append(client)
    person, program = way.person("ann-quits"), _member(way, "bot-quits")
    person.say("something", "/quit good night")
    program.ask("say", room="lobby", text="something")
    program.ask("quit")
    way.wait(lambda: bool(person.over and program.over), "who quits is let go")
    leavers += [person, program]
    assert ("ann-quits", "something") in _shown(person)
    # A program that is lost may come back: it has not left for a minute.
    people = ["ann-quits", *(f"ann-{how}" for how in LEAVE)]
    way.wait(lambda: {*people, "bot-quits"} <= _left(stays), "they have left")
    assert _call(way, stays, "say", room="lobby", text="good night")["type"] == "ok"
    sleeps = way.person("sleeps")
    way.stop()
    assert sleeps.over
    assert stays.over
    assert "Goodbye" in sleeps.lines[-1]
    assert stays.messages[-1]["type"] == "closing"
    assert [client.lines[:3] for client in [*leavers, stays, sleeps] if getattr(client, "was_reset", False)] == []
    assert not any(client.heard("Something went wrong") for client in [*leavers, stays, sleeps])


def _left(program: ProgramClient) -> set[str]:
    """Who has left, as it was told."""
    return {name for message in program.messages for name in message.get("left", ())}


@pytest.mark.parametrize("way", ["memory", "tcp", "unix"], indirect=True)
def test_half_close(way: Way) -> None:
    """What came before a half-close is all said, and shown and answered, before the connection ends.

    Not over TLS: Twisted closes both halves at the peer's farewell.
    """
    person, program = way.person("ann"), _member(way, "bot")
    person.say(*(f"ann {line}" for line in range(LINES)))
    asked = [program.ask("say", room="lobby", text=f"bot {line}") for line in range(LINES)]
    for client in (person, program):
        client.end()
    way.wait(lambda: bool(person.over and program.over), "the connections have ended")
    assert all(len(program.answers(id_)) == 1 for id_ in asked)
    said = [f"bot {line}" for line in range(LINES)]
    assert [event["text"] for event in program.events("lobby") if event["who"] == "bot"] == said
    assert [text for who, text in _shown(person) if who == "ann"] == [f"ann {line}" for line in range(LINES)]
