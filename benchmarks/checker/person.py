"""A client that is a person at telnet or nc: plain text with ``/set seq on``, no keys, and no session to resume."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from typing_extensions import override

from benchmarks.checker.judge.records import Event, Line, mark_of
from benchmarks.checker.texts import filler, kind
from benchmarks.checker.wire import SILENCE_SECONDS, Refused, silence, until_over
from benchmarks.checker.world import ROOMS, Client

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from benchmarks.checker.judge.names import Tenure
    from benchmarks.checker.wire import Wire
    from benchmarks.checker.world import World

__all__ = ["Person"]

_EVENT = re.compile(
    r"\[[\d:]{8}(?: (?P<seq>\d+))?\] (?:#(?P<room>\S+) )?"
    r"(?:(?P<say>\S+): |\* (?P<topic>\S+) set the topic: |\* (?P<me>\S+) |! )(?P<text>.*)"
)
_SINCE = re.compile(r"\*\*\* (?:From (?P<first>\d+) on in|Nothing was said in) #(?P<room>\w+)")
_TELLS = re.compile(r"\*\*\* (?P<who>\S+) tells you: (?P<text>.*)")
_REFUSED = re.compile(r"\*\*\* Your lines? (was|were) not said|\*\*\* .*can't be stored")

_HERE = re.compile(r"\*\*\* You are \S+, in #|\*\*\* (?!Pong)")
_IN = re.compile(r"\*\*\* You are (\S+, )?in #")
_SET = re.compile(r"\*\*\* Set: ")


class Person(Client):
    """One person, on one connection after another.

    Args:
        world: What all share.
        name: What it wants to be called.
        room: Where it talks; it is in the first room, too.
        rate: Lines a second.
        chance: Its own.
    """

    def __init__(self, world: World, name: str, room: str, rate: float, chance: random.Random) -> None:
        self._world = world
        self._wanted = self._name = name
        self._rate = rate
        self._chance = chance
        self._rooms: dict[str, int] = {ROOMS[0]: 0, room: 0}  # the last is where it talks
        self._names = 1
        self._sitting: _Sitting | None = None

    @property
    @override
    def name(self) -> str:
        """As of `Client`."""
        return self._name

    @override
    def trouble(self, heads: Mapping[str, int] | None) -> str:
        """As of `Client`."""
        return self._sitting.trouble(heads) if self._sitting else f"{self.name} is not connected"

    @override
    def sees(self, room: str) -> None:
        """As of `Client`; a person's screen is not followed."""

    @override
    async def run(self) -> None:
        """As of `Client`."""
        while True:
            try:
                await self._come()
            except Refused:
                self._names += 1
                self._name = f"{self._wanted}.{self._names}"
            except (OSError, TimeoutError):
                pass
            await asyncio.sleep(self._chance.uniform(0.1, 0.5))

    async def _come(self) -> None:
        wire = await self._world.visit(self.name, self._chance.randrange(len(self._world.ports)))
        sitting = self._sitting = _Sitting(self._world, wire, self.name, self._rooms)
        try:
            await until_over(asyncio.create_task(sitting.read()), asyncio.create_task(self._talk(sitting)))
        finally:
            self._sitting = None

    async def _talk(self, sitting: _Sitting) -> None:
        chance = self._chance
        await sitting.enter()
        while not sitting.is_forsaken:
            await asyncio.sleep(min(1.0, chance.expovariate(self._rate)))
            if not self._world.talking:
                continue
            drawn = chance.random()
            if drawn < 0.005:
                return
            if drawn < 0.01:
                sitting.quit()
                await asyncio.sleep(SILENCE_SECONDS)
                return
            sitting.say(Line(*self._words(sitting.room), keyed=False))

    def _words(self, room: str) -> tuple[str, str, str, str]:
        text = self._world.mark(self.name) + filler(self._chance, typed=True)
        return room, kind(self._chance), self.name, text


class _Sitting:
    """One connection of a person.

    Attributes:
        room: Where the person talks.
    """

    def __init__(self, world: World, wire: Wire, name: str, rooms: dict[str, int]) -> None:
        self.room = list(rooms)[-1]
        self._world = world
        self._wire = wire
        self._name = name
        self._rooms = rooms
        self._tenure: Tenure | None = None
        self._is_in = self._follows = False
        self._waiting: dict[str, Line] = {}
        self._expected: tuple[re.Pattern[str], asyncio.Future[str]] | None = None
        self._heard_at = world.now
        self._ready_since = float("inf")

    # -- what comes ------------------------------------------------------------------------------

    async def read(self) -> None:
        """Take what comes, until the connection ends."""
        try:
            async for line in self._wire.lines():
                self._heard_at = self._world.now
                self._take(line)
        finally:
            self._is_in = False
            if self._expected and not self._expected[1].done():
                self._expected[1].set_exception(ConnectionError("The connection ended."))
            self._wire.abort()
            for room in self._rooms:
                self._world.judge.views.ends(self._wire.label, room)
            names = self._world.judge.names
            names.closed(self._wire.label, self._world.now, leaves=True, alive_at=self._heard_at)

    def _take(self, line: str) -> None:
        event = _EVENT.fullmatch(line)
        if event:
            self._shown(event)
            return
        since, tells = _SINCE.match(line), _TELLS.fullmatch(line)
        if _IN.match(line):
            self._entered()
        elif since:
            self._follows = True
            if since["first"]:
                self._world.judge.views.begins(self._wire.label, since["room"], int(since["first"]) - 1)
        elif tells:
            self._world.judge.tells.arrived(tells["text"], tells["who"], self._name)
        elif _REFUSED.match(line):
            # Which line is not said: those that are not shown are unknown from now on.
            self._waiting.clear()
        if self._expected and self._expected[0].match(line) and not self._expected[1].done():
            self._expected[1].set_result(line)

    def _entered(self) -> None:
        judge, label = self._world.judge, self._wire.label
        if self._tenure is None:
            self._tenure = judge.names.welcomed(label, self._name, None, self._world.now, resumed=False, lingers=False)
            for room in self._rooms:
                judge.names.entered(label, room)
                # The first line that is shown with its seq tells where it begins.
                judge.views.begins(label, room, None)

    def _shown(self, found: re.Match[str]) -> None:
        if not found["seq"]:
            return
        kind_ = next((name for name in ("say", "topic", "me") if found[name]), "notice")
        who = found[kind_] if kind_ != "notice" else ""
        event = Event(found["room"] or self.room, int(found["seq"]), None, kind_, who, found["text"])
        judge, label = self._world.judge, self._wire.label
        judge.views.shown(label, event)
        judge.logs.saw(event, label)
        judge.prompt.shown(event.room, event.seq, label[-1], self._world.now, self._ready_since)
        if self._follows:
            self._rooms[event.room] = event.seq
        self._waiting.pop(mark_of(event.text), None)

    # -- what is typed ---------------------------------------------------------------------------

    async def enter(self) -> None:
        """Give the name, and go where one talks.

        Raises:
            Refused: The name is another's.
        """
        self._world.judge.stays.comes(self._wire.label, self._name, self._world.now)
        answer = await self._ask(self._name, _HERE)
        if not _IN.match(answer):
            raise Refused("name-taken", answer)
        since = self._rooms[self.room]
        if self.room != ROOMS[0]:
            await self._ask(f"/join #{self.room}", _IN)
        await self._ask("/set seq on", _SET)
        await self._ask(f"/since {since}", _SINCE)
        self._is_in = True
        self._ready_since = self._world.now

    async def _ask(self, line: str, answer: re.Pattern[str]) -> str:
        self._expected = answer, asyncio.get_running_loop().create_future()
        self._wire.send(f"{line}\r\n")
        async with silence():
            return await self._expected[1]

    def say(self, line: Line) -> None:
        """Type a line; it is known to be said when it comes back."""
        assert self._tenure is not None, "the person is in"  # noqa: S101  our own mistake
        self._waiting[mark_of(line.text)] = line
        self._world.judge.lines.sent(line, self._wire.label, self._tenure.number)
        command = "" if line.kind == "say" else f"/{line.kind} "
        self._wire.send(f"{command}{line.text}\r\n")

    def quit(self) -> None:
        """Leave with a word."""
        self._wire.send("/quit enough for now\r\n")

    # -- how it stands ---------------------------------------------------------------------------

    @property
    def is_forsaken(self) -> bool:
        """Whether a line has not come back, and nothing was heard for long."""
        return bool(self._waiting) and self._world.now - self._heard_at > SILENCE_SECONDS

    def trouble(self, heads: Mapping[str, int] | None) -> str:
        """What the person still waits for."""
        if not self._is_in:
            return f"{self._wire.label} is not in yet"
        if self._waiting:
            return f"{self._wire.label} has not seen {', '.join(list(self._waiting)[:5])} ({len(self._waiting)})"
        if heads is None:
            return ""
        for room in self._rooms:
            cursor = self._world.judge.views.cursor(self._wire.label, room)
            # Nothing was said since the person came: where it stands is not shown.
            if cursor not in {None, heads.get(room, 0)}:
                return f"{self._wire.label} was shown #{room} up to {cursor} of {heads.get(room, 0)}"
        return ""
