"""A client that is a program: JSON lines, sessions that are resumed on any node, keys."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from benchmarks.checker.judge.records import Line
from benchmarks.checker.texts import filler, kind
from benchmarks.checker.visit import Self, Visit
from benchmarks.checker.wire import SILENCE_SECONDS, Refused, until_over
from benchmarks.checker.world import Client

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Mapping

    from benchmarks.checker.world import World

__all__ = ["Habits", "Program"]

PROCLAIM_SECONDS = 8.0
"""Time between two proclamations, in seconds. Source: chosen; 12 lines a second of one connection."""

_ACTIONS = {
    "say": 94.0,
    "tell": 3.0,
    "burst": 0.5,
    "drop": 0.5,
    "burst and drop": 0.3,
    "rejoin": 0.5,
    "look back": 0.5,
    "quit": 0.2,
    "move": 0.3,
    "race": 0.3,
    "doze": 0.2,
}
"""What a program does, and how often of a hundred times."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What kind of program it is.

    Attributes:
        rate: What it does in a second, lines for the most part.
        patient: It stays at a node that is silent, however long.
        contested: Others want its name.
        proclaims: It says one line in each of its rooms at the same time, now and then.
        keyed: The share of its lines that have a key.
    """

    rate: float = 4.0
    patient: bool = False
    contested: bool = False
    proclaims: bool = False
    keyed: float = 0.6


class Program(Client):
    """One program, on one connection after another.

    Args:
        world: What all share.
        name: What it wants to be called.
        rooms: Where it wants to be.
        habits: What kind it is.
        chance: Its own.
    """

    def __init__(self, world: World, name: str, rooms: Iterable[str], habits: Habits, chance: random.Random) -> None:
        self._world = world
        self._wanted = name
        self._habits = habits
        self._chance = chance
        self._me = Self(name, habits.contested, dict.fromkeys(rooms))
        self._visit: Visit | None = None
        self._away_seconds = 0.0
        self._stays_behind = False
        self._others: set[asyncio.Task[None]] = set()
        self._names = 1

    @property
    @override
    def name(self) -> str:
        """As of `Client`."""
        return self._me.name

    @override
    def trouble(self, heads: Mapping[str, int] | None) -> str:
        """As of `Client`; who only wants a contested name need not have it."""
        if self._visit is None:
            return "" if self._habits.contested else f"{self.name} is not connected"
        return self._visit.trouble(heads)

    @override
    def sees(self, room: str) -> tuple[str, Collection[str]] | None:
        """As of `Client`."""
        return self._visit.sees(room) if self._visit else None

    @override
    async def run(self) -> None:
        """As of `Client`."""
        try:
            while True:
                try:
                    await self._come()
                except Refused as error:
                    await self._not_welcome(error)
                except (OSError, TimeoutError):
                    pass
                await self._stay_away()
        finally:
            for other in self._others:
                other.cancel()

    async def _not_welcome(self, error: Refused) -> None:
        if error.code == "name-taken" and not self._habits.contested:
            # A session that was made for us, and whose token we never heard.
            self._names += 1
            self._me = Self(f"{self._wanted}.{self._names}", contested=False, rooms=dict.fromkeys(self._me.rooms))
        else:
            await asyncio.sleep(1)

    async def _stay_away(self) -> None:
        if self._chance.random() < 0.1:
            self._away_seconds = max(self._away_seconds, self._chance.uniform(3, 9))
        until = self._world.now + self._away_seconds
        self._away_seconds = 0.0
        while self._world.talking and self._world.now < until:
            await asyncio.sleep(0.2)
        await asyncio.sleep(self._chance.uniform(0.01, 0.3))

    async def _come(self) -> None:
        visit = await self._connect()
        reading = asyncio.create_task(visit.read())
        self._stays_behind = False
        try:
            await until_over(reading, asyncio.create_task(self._enter_and_talk(visit)), keep=lambda: self._stays_behind)
        finally:
            if self._visit is visit:
                self._visit = None
        if not reading.done():
            # Left open, to be told that another connection has taken over.
            self._keep(reading)

    def _keep(self, other: asyncio.Task[None]) -> None:
        self._others.add(other)
        other.add_done_callback(self._others.discard)

    async def _connect(self) -> Visit:
        wire = await self._world.visit(self._me.name, self._chance.randrange(len(self._world.ports)))
        return Visit(self._world, wire, self._me)

    async def _enter_and_talk(self, visit: Visit) -> None:
        self._visit = visit
        await visit.enter()
        while not visit.is_forsaken or self._habits.patient:
            await asyncio.sleep(min(1.0, self._chance.expovariate(self._habits.rate)))
            if self._me.unsure:
                visit.say_again()
            elif self._world.talking and visit.may_say_more and not await self._act(visit):
                return

    async def _act(self, visit: Visit) -> bool:
        """Do something; returns whether the connection is to be kept."""
        chance = self._chance
        if self._habits.proclaims and chance.random() < 0.9:
            return await self._proclaim(visit)
        action = chance.choices(tuple(_ACTIONS), tuple(_ACTIONS.values()))[0]
        room = chance.choice(tuple(self._me.rooms))
        if action in {"say", "burst", "burst and drop"}:
            for _ in range(1 if action == "say" else chance.randrange(5, 40)):
                visit.say(self._line(room))
            return action != "burst and drop"
        if action == "tell":
            await visit.tell(chance.choice(self._world.clients).name, f"{self._world.mark(self.name)} between us")
        elif action == "rejoin":
            await visit.rejoin(room, chance.uniform(0, 2))
        elif action == "look back":
            await visit.look_back(room, chance.choice((1, 50, 500)))
        elif action == "doze":
            visit.lazy_seconds = chance.uniform(1, 8)
        else:
            return await self._go(visit, action)
        return True

    async def _proclaim(self, visit: Visit) -> bool:
        """Say a line in each room, in any order; at the same time as others do."""
        while self._world.talking and (due := PROCLAIM_SECONDS - self._world.now % PROCLAIM_SECONDS) > 0.5:
            await asyncio.sleep(min(0.4, due - 0.3))
        await asyncio.sleep(-self._world.now % PROCLAIM_SECONDS if self._world.talking else 0)
        for room in self._chance.sample(list(self._me.rooms), len(self._me.rooms)):
            visit.say(self._line(room))
        await asyncio.sleep(0.2)
        return True

    def _line(self, room: str) -> Line:
        chance = self._chance
        text = self._world.mark(self.name) + filler(chance, typed=False)
        return Line(room, kind(chance), self.name, text, keyed=chance.random() < self._habits.keyed)

    async def _go(self, visit: Visit, action: str) -> bool:
        if action == "quit":
            visit.quit()
            await asyncio.sleep(SILENCE_SECONDS)  # it ends when the other side has closed
        elif action == "drop":
            self._away_seconds = self._chance.choice((0, 0, 2, 9))
        elif action == "move":
            self._stays_behind = True
        else:
            self._keep(asyncio.create_task(self._rival()))
        return False

    async def _rival(self) -> None:
        """A second connection that takes the session up at the same time; one of them must be let go."""
        with contextlib.suppress(OSError, TimeoutError, Refused):
            visit = await self._connect()
            reading = asyncio.create_task(visit.read())
            await until_over(reading, asyncio.create_task(self._stay(visit, reading)))

    @staticmethod
    async def _stay(visit: Visit, reading: asyncio.Task[None]) -> None:
        await visit.enter()
        await asyncio.wait({reading})
