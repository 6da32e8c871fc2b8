"""A rest: nobody says anything new, everything is healed, and what everybody was shown is held against the log."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from benchmarks.checker.schedule import ROUND_SECONDS
from benchmarks.checker.wire import Asker, Refused
from benchmarks.checker.world import LONG_ROOMS, ROOMS, event_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

    from benchmarks.checker.judge.records import Event
    from benchmarks.checker.stores import Store
    from benchmarks.checker.world import World

__all__ = ["Rest"]

REST_SECONDS = 5.0
"""Time limit, after the last fault, for all clients to be back with all lines answered and shown, in seconds.

Source: the contract of many nodes.
"""

LAGS = 20
"""Factor by which a rest may take longer where the machine is busy: our own lateness tells. Source: chosen."""

PATIENCE_SECONDS = 40.0
"""Time limit after which a rest is given up, in seconds. Source: chosen."""

PRESENCE_SECONDS = 15.0
"""Time limit, after the last fault, for all nodes to agree on who is where, in seconds.

Source: 12 s until those at a node that died have left, and one beat of 2 s.
"""


class Rest:
    """Looks at everything while nothing happens.

    Args:
        world: The clients.
        store: The log, as SQL sees it.
    """

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store
        self._read = dict.fromkeys((*ROOMS, *LONG_ROOMS), 0)

    async def take(self) -> float:
        """Wait until all is quiet, judge, and let the clients go on; returns how long it took to be quiet."""
        world = self._world
        since = world.now
        world.talking = False
        quiet = await self._until_quiet(since)
        logs = await self._judge_log(self._read)
        for node in range(len(world.ports)):
            with self._blaming(node, since):
                await self._ask_node(node, logs)
        with self._blaming(None, since):
            await self._until_agreed(since)
        world.judge.tells.at_rest(world.now, LAGS * world.lag(since - ROUND_SECONDS))
        world.judge.names.forget_old(world.now)
        world.judge.stays.forget_old(world.now)
        self._read = {room: self._read[room] + len(rows) for room, rows in logs.items()}
        world.talking = True
        return quiet

    async def read_all(self) -> None:
        """At the very end: the whole log, from its first event."""
        await self._judge_log(dict.fromkeys(self._read, 0))

    async def _judge_log(self, after: Mapping[str, int]) -> dict[str, list[Event]]:
        """Read the log past all nodes, and hold against it what was shown and acknowledged."""
        judge = self._world.judge
        owed = judge.lines.owed()
        known = {room: judge.logs.known(room) for room in after}
        logs = await self._store.read(after)
        for room, rows in logs.items():
            judge.logs.at_rest(room, rows, "SQL", first=after[room] + 1, last=known[room])
        judge.lines.at_rest(owed)
        return logs

    async def _until_quiet(self, since: float) -> float:
        """Wait until every client has all that it wants."""
        world = self._world
        while troubles := await self._troubles():
            if world.now - since > PATIENCE_SECONDS:
                break
            limit = REST_SECONDS + LAGS * world.lag(since - REST_SECONDS)
            if world.now - since > limit:
                told = f"{limit:.1f} s after the last fault: {'; '.join(troubles[:4])} ({len(troubles)} clients)"
                world.judge.verdict.against("no-rest", since, told)
            await asyncio.sleep(0.1)
        quiet = world.now - since
        if troubles:
            world.judge.verdict.against("never-at-rest", since, f"after {quiet:.1f} s: {'; '.join(troubles[:8])}")
        return quiet

    async def _troubles(self) -> list[str]:
        waiting = [trouble for client in self._world.clients if (trouble := client.trouble(None))]
        if waiting:
            return waiting
        heads = await self._store.heads()
        return [trouble for client in self._world.clients if (trouble := client.trouble(heads))]

    @contextlib.contextmanager
    def _blaming(self, node: int | None, since: float) -> Iterator[None]:
        """A node that does not answer breaks a promise."""
        try:
            yield
        except (OSError, Refused) as error:
            told = f"node {'?' if node is None else 'abcdefghij'[node]} does not answer: {error!r}"
            self._world.judge.verdict.against("no-answer", (node, since), told)

    # -- what the nodes say ----------------------------------------------------------------------

    async def _ask_node(self, node: int, logs: dict[str, list[Event]]) -> None:
        """A node's history is what stands in the log."""
        async with _program(self._world, node) as asker:
            for room, rows in logs.items():
                found: list[Event] = []
                while len(found) < len(rows):
                    after = self._read[room] + len(found)
                    page = (await asker.ask("history", room=room, after=after))["events"]
                    if not page:
                        break
                    found += map(event_of, page)
                source = f"history of node {'abcdefghij'[node]}"
                first, last = self._read[room] + 1, self._read[room] + len(rows)
                self._world.judge.logs.at_rest(room, found, source, first=first, last=last)

    async def _until_agreed(self, since: float) -> None:
        """All nodes say that those are in a room who are, and nobody else."""
        world = self._world
        async with contextlib.AsyncExitStack() as stack:
            askers = [await stack.enter_async_context(_program(world, node)) for node in range(len(world.ports))]
            while troubles := [trouble async for trouble in self._disagreements(askers)]:
                if world.now - since > PRESENCE_SECONDS:
                    for kind, trouble in troubles:
                        world.judge.verdict.against(kind, (since, trouble), trouble)
                    return
                await asyncio.sleep(0.3)

    async def _disagreements(self, askers: Sequence[Asker]) -> AsyncIterator[tuple[str, str]]:
        world = self._world
        if doubled := world.judge.names.doubled():
            yield "two-holders", doubled
        for room in ROOMS:
            rosters: dict[str, Collection[str]] = dict(filter(None, (client.sees(room) for client in world.clients)))
            for asker, node in zip(askers, "abcdefghij", strict=False):
                with contextlib.suppress(Refused):
                    rosters[node] = (await asker.ask("who", room=room))["members"]
            trouble = world.judge.names.trouble(room, rosters, world.now)
            if trouble:
                yield "who", trouble


@contextlib.asynccontextmanager
async def _program(world: World, node: int) -> AsyncIterator[Asker]:
    """A program that only asks."""
    wire = await world.visit("auditor", node)
    asker = Asker(wire)
    reading = asyncio.create_task(_answer(asker))
    try:
        await asker.ask("hello", name=f"auditor{world.mark('').lstrip(':')}")
        yield asker
        asker.send("quit")
        await asyncio.wait({reading}, timeout=1)
    finally:
        wire.abort()
        reading.cancel()
        await asyncio.wait({reading})


async def _answer(asker: Asker) -> None:
    async for line in asker.wire.lines():
        if line.startswith("{"):
            asker.answered(json.loads(line))
    asker.over()
