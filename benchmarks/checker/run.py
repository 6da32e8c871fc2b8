"""One run: starts everything, plays rounds of faults and rests, and ends everything."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.checker.bugs import plant
from benchmarks.checker.faults import Faults
from benchmarks.checker.judge import Judge
from benchmarks.checker.nodes import Node
from benchmarks.checker.person import Person
from benchmarks.checker.ports import free_ports
from benchmarks.checker.program import Habits, Program
from benchmarks.checker.rest import Rest
from benchmarks.checker.schedule import ROUND_SECONDS, rounds
from benchmarks.checker.seeded import BUGS
from benchmarks.checker.stores import Postgres, Sqlite
from benchmarks.checker.world import LONG_ROOMS, ROOMS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.checker.stores import Store
    from benchmarks.checker.world import Client

__all__ = ["Plan", "Run"]

RATE = "50/500"
"""Lines that a connection may say, a second and at once: after a long fault all that waits is said within a second."""

CALM_SECONDS = 3.0
"""Length of the calm behind each rest, in seconds. Source: more than one beat of 2 s, which makes good what is lost."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run.

    Attributes:
        nodes: How many daemons.
        seconds: For how long faults happen, with the rests.
        seed: Of the schedule and of what the clients do.
        kinds: Of faults; of `schedule.KINDS`.
        standby: ``sync``, ``async`` or ``none``; None for SQLite.
        clients: How many.
        bug: In the daemons; of `bugs.BUGS`.
        overlooked: Kinds of violations that are known, and not counted.
        stop_at_first: Whether to end when something was found.
    """

    nodes: int
    seconds: float
    seed: int
    kinds: Sequence[str]
    standby: str | None
    clients: int = 24
    bug: str | None = None
    stop_at_first: bool = False
    overlooked: Sequence[str] = ()


class Run:
    """A run of a plan.

    Args:
        plan: What.
        folder: Where everything is kept.
        say: Shows a line of progress.

    Attributes:
        judge: Has seen it all.
        faults: What was done.
        rests: How long each rest took to be quiet, in seconds.
    """

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        self.judge = Judge(survive=plan.standby is not None, overlooked=plan.overlooked, say=say)
        self.rests: list[float] = []
        self._plan = plan
        self._say = say
        ports = free_ports()
        self._store: Store = Sqlite(folder)
        database = None
        if plan.standby is not None:
            self._store = database = Postgres(folder, ports, plan.nodes, plan.standby)
        package = None
        if plan.bug:
            package = folder / "package"
            plant(BUGS[plan.bug], package)
        self._world = World(self.judge, [next(ports) for _ in range(plan.nodes)])
        self._nodes = [self._node(number, folder, package) for number in range(plan.nodes)]
        self.faults = Faults(self._nodes, database, self.judge, say)

    def _node(self, number: int, folder: Path, package: Path | None) -> Node:
        name = "abcdefghij"[number]
        options = ["--store", self._store.address(number), "--rate", RATE]
        if self._plan.standby is not None:
            options += ["--node", name]
        return Node(name, self._world.ports[number], folder, options, package, self.judge.verdict)

    def _clients(self) -> Iterator[Client]:
        """Two thirds are programs; two names are wanted by two programs each."""
        for number in range(self._plan.clients):
            chance = random.Random(f"{self._plan.seed} {number}")  # noqa: S311  not a secret
            if number % 3 == 2:
                yield Person(self._world, f"person{number}", ROOMS[number // 3 % len(ROOMS)], 3.0, chance)
                continue
            contested = number < 6
            proclaims = number in {6, 7}
            name = f"prize{number % 2}" if contested else f"program{number}"
            habits = Habits(patient=number % 2 == 0, contested=contested, proclaims=proclaims)
            rooms = [*ROOMS, *LONG_ROOMS] if proclaims else ROOMS if number % 4 else chance.sample(ROOMS, 1)
            yield Program(self._world, name, rooms, habits, chance)

    async def go(self) -> None:
        """Run it.

        Raises:
            asyncio.CancelledError: It was told to end, by SIGTERM or Ctrl-C; everything has ended.
        """
        me = asyncio.current_task()
        if me is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
        clients: list[asyncio.Task[None]] = []
        try:
            await self._store.open()
            await asyncio.gather(*(node.start() for node in self._nodes))
            self._world.clients = list(self._clients())
            clients += (asyncio.create_task(client.run()) for client in self._world.clients)
            watching = asyncio.create_task(self._watch(clients))
            playing = asyncio.create_task(self._play())
            await _first({watching, playing, asyncio.create_task(self._world.watch_machine())})
        finally:
            await self._end(clients)

    async def _end(self, clients: Sequence[asyncio.Task[None]]) -> None:
        for client in clients:
            client.cancel()
        if clients:
            await asyncio.wait(clients)
        try:
            for node in self._nodes:
                node.end()
            for node in self._nodes:
                node.look()
        finally:
            await self._store.close()

    async def _watch(self, clients: Sequence[asyncio.Task[None]]) -> None:
        """Look at the nodes; end when a client has failed, or something was found and that is enough."""
        while not (self._plan.stop_at_first and self.judge.verdict.counts):
            await asyncio.sleep(0.5)
            for node in self._nodes:
                node.look()
            for line in self._store.look():
                self.judge.verdict.against("database", line, f"the database logs: {line}")
            for client in clients:
                if client.done():
                    client.result()
                    raise RuntimeError("A client has ended.")

    async def _play(self) -> None:
        world, plan = self._world, self._plan
        rest = Rest(world, self._store)
        until = world.now + plan.seconds
        for number, faults in enumerate(rounds(plan.seed, plan.kinds, plan.nodes), 1):
            self._say(f"round {number}")
            begin = world.now
            await self.faults.play(faults)
            await asyncio.sleep(max(0, min(begin + ROUND_SECONDS, until) - world.now))
            self.rests.append(await rest.take())
            await self._be_calm()
            self._say(f"quiet after {self.rests[-1]:.1f} s; violations: {sum(self.judge.verdict.counts.values())}")
            if world.now >= until:
                break
        await rest.read_all()

    async def _be_calm(self) -> None:
        """Let the clients talk for a while without faults: now everything must be shown at once."""
        prompt = self.judge.prompt
        await asyncio.sleep(CALM_SECONDS / 6)
        begin = self._world.now
        prompt.begin(begin)
        await asyncio.sleep(CALM_SECONDS)
        prompt.end(lag=self._world.lag(begin))


async def _first(tasks: set[asyncio.Task[None]]) -> None:
    """Wait until one of them ends; then end the others, and raise what was raised."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            task.result()
